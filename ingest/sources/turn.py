"""Whose turn it is to read a stream: one process of all that use a data folder."""

from hashlib import blake2b
from pathlib import Path

from filelock import FileLock, Timeout

from ingest.errors import SourceError


class Turn:
    """One process's turn to read a stream; it ends with the process, however that ends.

    Parameters
    ----------
    folder : where all that read the stream keep their data; made when it is not there
    stream : name of the stream
    """

    def __init__(self, folder: Path, stream: str) -> None:
        self._folder = folder
        # A name may hold anything, a file's name may not.
        key = blake2b(stream.encode(), digest_size=8).hexdigest()
        self._lock = FileLock(folder / f"stream-{key}.lock", thread_local=False)

    def take(self) -> None:
        """Take the turn, or keep it.

        Raises
        ------
        SourceError
            When another process has it, or nobody can be kept out.
        """
        if self._lock.is_locked:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise SourceError(
                f"another process that uses {self._folder} listens already; this one goes on when that one ends"
            ) from error
        except OSError as error:
            raise SourceError(f"{self._folder}: cannot be locked: {error.strerror}") from error

    def give_back(self) -> None:
        """Let another process have it."""
        self._lock.release()
