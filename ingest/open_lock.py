"""A lock between threads and processes on a file that stays open: to open it each time costs more than to lock it."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from weakref import finalize

from ingest.errors import StoreBusyError, StoreError

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

    def _unlock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)


_POLL_SECONDS = 0.002
_HELD_ELSEWHERE = (BlockingIOError, PermissionError)


class OpenLock:
    """Lets one thread of one process in at a time.

    Parameters
    ----------
    path : of the lock's own file; it is created when it does not exist, and stays
    owner : what is locked, for messages
    wait_seconds : how long one waits for another
    """

    def __init__(self, path: Path, owner: Path, wait_seconds: float) -> None:
        self._path, self._owner, self._wait_seconds = path, owner, wait_seconds
        self._threads = threading.Lock()
        self._holder: int | None = None
        self._file: int | None = None
        self._process = os.getpid()
        self._let_go: Callable[[], object] = lambda: None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock for a block.

        Raises
        ------
        StoreError
            When this thread holds it already, or the file cannot be used.
        StoreBusyError
            When another holds it for too long.
        """
        if self._holder == threading.get_ident():
            raise StoreError(f"{self._owner}: this thread is writing already; end that block first")
        until = time.monotonic() + self._wait_seconds
        if not self._threads.acquire(timeout=self._wait_seconds):
            raise self._busy()
        try:
            file = self._locked(until)
            self._holder = threading.get_ident()
            try:
                yield
            finally:
                self._holder = None
                _unlock(file)
        finally:
            self._threads.release()

    def close(self) -> None:
        """Let go of the file; the next block opens it again."""
        self._let_go()
        self._file = None

    def _locked(self, until: float) -> int:
        try:
            while True:
                file = self._opened()
                with suppress(*_HELD_ELSEWHERE):
                    _lock(file)
                    return file
                if time.monotonic() > until:
                    raise self._busy()
                time.sleep(_POLL_SECONDS)
        except OSError as error:
            raise StoreError(f"{self._owner}: cannot be locked: {error.strerror}") from error

    def _opened(self) -> int:
        """Return the open file: a new one where the old one was removed, or is shared with the process we came from."""
        process = os.getpid()
        if self._file is not None and (process != self._process or not os.fstat(self._file).st_nlink):
            self.close()
        if self._file is None:
            self._file, self._process = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644), process
            self._let_go = finalize(self, os.close, self._file)
        return self._file

    def _busy(self) -> StoreBusyError:
        return StoreBusyError(
            f"{self._owner}: another process has been writing for {self._wait_seconds:g} s; try again when it is done"
        )
