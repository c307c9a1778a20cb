"""Object storage in place of a folder: any server that speaks S3, on the plant's own network or elsewhere.

An object appears whole or not at all, and is there for good once the server says so. What is read is asked
for in as few requests as can be: the end of a file, which says what it holds, once; then only those parts
that are wanted, each once.
"""

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import lru_cache
from io import RawIOBase
from pathlib import Path
from typing import Any

import pyarrow as pa

from ingest.errors import StoreError
from ingest.object_address import read_address

TAIL_BYTES = 1 << 17
"""How much of the end of a file is asked for at first."""

REMEMBERED = 128
"""Ends of files that are kept in memory."""

CHUNK_BYTES = 8 << 20
"""Larger files are sent in parts of this size, a few at once; the server puts them together at the end."""

_CLIENT = {"connect_timeout": "3s", "timeout": "30s"}
_RETRIES = {"max_retries": 2, "retry_timeout": timedelta(seconds=30)}
_MARK = "andon-lake"
_PARQUET = b"PAR1"
_FRAME = 8
"""A Parquet file ends with the length of what it says about itself, four bytes, and the name of the format."""


class ObjectStore:
    """Files as objects of a bucket; see ``Place``.

    Parameters
    ----------
    address : see ``read_address``
    outbox : a folder for files on their way
    """

    shared = True
    at_once = 8

    def __init__(self, address: str, *, outbox: Path) -> None:
        where = read_address(address)
        self._driver = _driver()
        self.name = where.name
        self.aside = f"{where.root}/damaged"
        self._root = where.root
        self._outbox = outbox
        given = {
            "endpoint": where.endpoint,
            "region": where.region,
            "access_key_id": where.key,
            "secret_access_key": where.secret,
        }
        self._store = self._driver.store.S3Store(
            where.bucket,
            prefix=where.folder or None,
            client_options={**_CLIENT, "allow_http": where.endpoint.startswith("http://")},
            retry_config=_RETRIES,
            **{name: value for name, value in given.items() if value},
        )
        self._tail = lru_cache(maxsize=REMEMBERED)(self._fetch_tail)

    def where(self, path: str) -> str:
        """Return the whole name of an object."""
        return f"{self._root}/{_key(path)}"

    @contextmanager
    def open(self, path: str, *, anew: bool = False) -> Iterator["OpenedObject"]:
        """Open an object for reading; its end is asked for once."""
        opened = OpenedObject(self, path, *(self._fetch_tail if anew else self._tail)(path))
        try:
            yield opened
        finally:
            opened.fetch([])

    @contextmanager
    def making(self, path: str) -> Iterator[Path]:
        """Give a path in the outbox; what was written there is sent when the block is left."""
        self._outbox.mkdir(parents=True, exist_ok=True)
        local = self._outbox / Path(path).name
        try:
            yield local
            if local.exists():
                with self._explained():
                    self._driver.put(self._store, _key(path), local, chunk_size=CHUNK_BYTES, max_concurrency=4)
        finally:
            local.unlink(missing_ok=True)

    def foresee(self, paths: Sequence[str], tail: int) -> None:
        """Do nothing: several files are read at once."""

    def sync(self, paths: Iterable[str]) -> None:
        """Do nothing: the server has said that they are there."""

    def paths(self) -> list[str]:
        """Return all files that are there."""
        with self._explained():
            found = [each["path"] for several in self._driver.list(self._store, prefix="lake/") for each in several]
        return sorted(
            each.removeprefix("lake/") for each in found if each.count("/") == 2 and each.endswith(".parquet")
        )

    def remove(self, path: str) -> None:
        """Remove an object."""
        with suppress(FileNotFoundError), self._explained():
            self._driver.delete(self._store, _key(path))

    def put_aside(self, path: str) -> None:
        """Move an object under ``damaged/`` beside."""
        with suppress(FileNotFoundError), self._explained():
            self._driver.rename(self._store, _key(path), f"damaged/{Path(path).name}")

    def clean(self) -> None:
        """Remove what a killed process left in the outbox."""
        for local in self._outbox.glob("*.parquet"):
            local.unlink(missing_ok=True)

    def mark(self) -> str | None:
        """Return what was written with ``set_mark``."""
        with suppress(FileNotFoundError), self._explained():
            return bytes(self._driver.get(self._store, _MARK).bytes()).decode()
        return None

    def set_mark(self, mark: str) -> None:
        """Write a text beside the files."""
        with self._explained():
            self._driver.put(self._store, _MARK, mark.encode())

    def parts(self, path: str, parts: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return (offset, length) parts of an object, less where it ends; neighbours come in one request."""
        starts, lengths = [offset for offset, _ in parts], [length for _, length in parts]
        with self._explained(path):
            try:
                got = self._driver.get_ranges(self._store, _key(path), starts=starts, lengths=lengths)
            except self._driver.exceptions.GenericError as error:
                if "416 Range Not Satisfiable" in str(error):
                    return [b""] * len(parts)
                raise
        return [bytes(each) for each in got]

    def _fetch_tail(self, path: str) -> tuple[int, bytes]:
        """Return the size of an object and its last bytes, at least all that it says about itself."""
        size, tail = self._last(path)
        if tail.endswith(_PARQUET):
            begin, end = max(0, size - _FRAME - int.from_bytes(tail[-_FRAME:-4], "little")), size - len(tail)
            if begin < end:
                tail = self.parts(path, [(begin, end - begin)])[0] + tail
        return size, tail

    def _last(self, path: str) -> tuple[int, bytes]:
        with self._explained(path):
            try:
                got = self._driver.get(self._store, _key(path), options={"range": {"suffix": TAIL_BYTES}})
                return int(got.meta["size"]), bytes(got.bytes())
            except self._driver.exceptions.GenericError:
                # Servers differ in how they answer that there is not one byte.
                if self._driver.head(self._store, _key(path))["size"] == 0:
                    return 0, b""
                raise

    @contextmanager
    def _explained(self, path: str = "") -> Iterator[None]:
        """Say in one line what is wrong; an object that is not there stays a ``FileNotFoundError``."""
        failed = self._driver.exceptions
        try:
            yield
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise StoreError(f"{self.name}: there is no such bucket; make it first") from error
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.where(path)) from error
        except (failed.PermissionDeniedError, failed.UnauthenticatedError) as error:
            raise StoreError(
                f"{self.name}: refuses us; are key and secret right, and may they read, write, list and delete?"
            ) from error
        except failed.BaseError as error:
            raise StoreError(
                f"{self.name}: cannot be used ({_cause(error)}); is it running, and is the address right?"
            ) from error


class OpenedObject:
    """An object that is open for reading; see ``Opened``."""

    __slots__ = ("_fetched", "_path", "_store", "_tail", "name", "size")

    def __init__(self, store: ObjectStore, path: str, size: int, tail: bytes) -> None:
        self.name = store.where(path)
        self.size = size
        self._store, self._path, self._tail = store, path, tail
        self._fetched: dict[int, bytes] = {}

    @property
    def source(self) -> pa.PythonFile:
        """Return a file that Arrow reads from what was fetched."""
        return pa.PythonFile(_Stream(self), mode="r")

    def fetch(self, parts: Sequence[tuple[int, int]]) -> None:
        """Have parts at hand, and nothing else any more."""
        wanted = [each for each in parts if each[0] < self._tail_offset]
        bodies = self._store.parts(self._path, wanted) if wanted else []
        self._fetched = {offset: body for (offset, _), body in zip(wanted, bodies, strict=True)}

    def read_at(self, length: int, offset: int) -> bytes:
        """Return bytes from an offset."""
        if offset >= self._tail_offset:
            begin = offset - self._tail_offset
            return self._tail[begin : begin + length]
        if (held := self._fetched.get(offset)) is not None:
            return held[:length]
        (body,) = self._store.parts(self._path, [(offset, length)])
        return body

    @property
    def _tail_offset(self) -> int:
        return self.size - len(self._tail)


class _Stream(RawIOBase):
    def __init__(self, opened: OpenedObject) -> None:
        self._opened, self._offset = opened, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._offset

    def seek(self, offset: int, whence: int = 0) -> int:
        self._offset = offset + (0, self._offset, self._opened.size)[whence]
        return self._offset

    def read(self, size: int = -1) -> bytes:
        body = self._opened.read_at(self._opened.size - self._offset if size < 0 else size, self._offset)
        self._offset += len(body)
        return body


def _driver() -> Any:
    try:
        import obstore
        import obstore.exceptions
        import obstore.store
    except ImportError as error:
        raise StoreError(
            "Object storage needs a package that is not installed; run: pip install 'andon[objects]'"
        ) from error
    return obstore


def _key(path: str) -> str:
    return f"lake/{path}"


def _cause(error: Exception) -> str:
    """Return the last part of the first line of what the driver says: what happened."""
    return str(error).strip().partition("\n")[0].rpartition(" - ")[2].strip()
