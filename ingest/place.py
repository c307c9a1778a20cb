"""◆ Where the files of the lake lie: in a folder by default, in object storage by one setting."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol


class Opened(Protocol):
    """A file of the lake that is open for reading.

    Attributes
    ----------
    name : where it is, for messages; no other file ever has the same
    size : bytes that it has now, whatever it had when it was written
    """

    name: str
    size: int

    @property
    def source(self) -> Any:
        """Return what Arrow reads the file from."""

    def fetch(self, parts: Sequence[tuple[int, int]]) -> None:
        """Have (offset, length) parts at hand until the next such call: they are read next, each twice."""

    def read_at(self, length: int, offset: int) -> bytes:
        """Return bytes from an offset; fewer where the file ends."""


class Place(Protocol):
    """Holds immutable files, named by relative paths such as ``press/4f0c.parquet``.

    Attributes
    ----------
    name, aside : where files lie, and where those that are put aside come to lie; for messages
    shared : whether another catalogue may have its files here by mistake
    at_once : how many files it pays to read at once

    Raises
    ------
    StoreError
        When the place cannot be reached or refuses; this may come from every method.
    """

    name: str
    aside: str
    shared: bool
    at_once: int

    def where(self, path: str) -> str:
        """Return where a file is, for messages."""

    def open(self, path: str, *, anew: bool = False) -> AbstractContextManager[Opened]:
        """Open a file for reading; ``FileNotFoundError`` if there is none.

        Parameters
        ----------
        anew : take nothing of it from memory
        """

    def foresee(self, paths: Sequence[str], tail: int) -> None:
        """Be told that the last ``tail`` bytes of files are read next; nothing has to come of it."""

    def making(self, path: str) -> AbstractContextManager[Path]:
        """Give a path to write a whole file to; it lies in its place once the block is left without an error.

        Nothing written there is no file. What is there after an error may be cut off.
        """

    def sync(self, paths: Iterable[str]) -> None:
        """Make the names of new files as durable as what is in them."""

    def paths(self) -> list[str]:
        """Return all files that are there, also those that nobody knows, sorted."""

    def remove(self, path: str) -> None:
        """Remove a file; nothing happens if there is none."""

    def put_aside(self, path: str) -> None:
        """Move a file out of the lake, for a person to look at; nothing happens if there is none."""

    def clean(self) -> None:
        """Remove what a killed process left that is no file yet; only while nobody makes any."""

    def mark(self) -> str | None:
        """Return what was written with ``set_mark``."""

    def set_mark(self, mark: str) -> None:
        """Write a text beside the files that says whose they are."""


def open_place(folder: Path, address: str = "") -> Place:
    """Open the place of a lake: a folder, or object storage where an address is given.

    Parameters
    ----------
    folder : holds the files, or those that are about to be sent
    address : such as ``s3://bucket/press-hall?endpoint=http://objects.plant:9000``

    Raises
    ------
    StoreError
        When the address cannot be read, or the driver of object storage is not installed. Nobody is
        asked yet: a place that cannot be reached shows when it is used.
    """
    if address:
        from ingest.object_store import ObjectStore

        return ObjectStore(address, outbox=folder)
    from ingest.folder import Folder

    return Folder(folder)
