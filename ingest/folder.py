"""A folder with the files of the lake, one folder in it for each machine class."""

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ingest.durable import sync_folder


class OpenedFile:
    """A file on disk that is open for reading; see ``Opened``."""

    __slots__ = ("_raw", "name", "size")

    def __init__(self, path: Path, raw: BinaryIO) -> None:
        self.name = str(path)
        self.size = os.fstat(raw.fileno()).st_size
        self._raw = raw

    @property
    def source(self) -> BinaryIO:
        """Return the file itself."""
        return self._raw

    def fetch(self, parts: Sequence[tuple[int, int]]) -> None:
        """Do nothing: the system has them at hand once they were read."""

    def read_at(self, length: int, offset: int) -> bytes:
        """Return bytes from an offset."""
        return os.pread(self._raw.fileno(), length, offset)


@contextmanager
def open_file(path: Path) -> Iterator[OpenedFile]:
    """Open a file on disk for reading."""
    with path.open("rb") as raw:
        yield OpenedFile(path, raw)


class Folder:
    """Files in a folder; see ``Place``."""

    shared = False
    at_once = 1

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._aside = folder.with_name("damaged")
        self.name, self.aside = str(folder), str(self._aside)

    def where(self, path: str) -> str:
        """Return the whole path of a file."""
        return str(self._folder / path)

    @contextmanager
    def open(self, path: str, *, anew: bool = False) -> Iterator[OpenedFile]:
        """Open a file for reading; nothing of it is ever in our memory."""
        del anew
        with open_file(self._folder / path) as opened:
            yield opened

    def foresee(self, paths: Sequence[str], tail: int) -> None:
        """Let the system fetch the ends of files while others are read."""
        if not hasattr(os, "posix_fadvise"):
            return
        for path in paths:
            # Whoever opens a file says what is wrong with it.
            with contextlib.suppress(OSError), (self._folder / path).open("rb") as file:
                begin = max(0, os.fstat(file.fileno()).st_size - tail)
                os.posix_fadvise(file.fileno(), begin, tail, os.POSIX_FADV_WILLNEED)

    @contextmanager
    def making(self, path: str) -> Iterator[Path]:
        """Give the path where the file is to lie."""
        yield self._folder / path

    def sync(self, paths: Iterable[str]) -> None:
        """Make new names, and those of their folders, durable."""
        for folder in {(self._folder / each).parent for each in paths}:
            sync_folder(folder)
            sync_folder(folder.parent)

    def paths(self) -> list[str]:
        """Return all files that are there."""
        return sorted(each.relative_to(self._folder).as_posix() for each in self._folder.glob("*/*.parquet"))

    def remove(self, path: str) -> None:
        """Remove a file."""
        (self._folder / path).unlink(missing_ok=True)

    def put_aside(self, path: str) -> None:
        """Move a file into the folder ``damaged`` beside."""
        held = self._folder / path
        if held.exists():
            self._aside.mkdir(parents=True, exist_ok=True)
            held.rename(self._aside / held.name)

    def clean(self) -> None:
        """Do nothing: what is not whole is a file that nobody knows."""

    def mark(self) -> None:
        """Return nothing: the folder lies beside its catalogue."""

    def set_mark(self, mark: str) -> None:
        """Do nothing: the folder lies beside its catalogue."""
