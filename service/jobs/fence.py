"""The fence: what a worker writes, it writes while the run is its own, in one transaction with that fact."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import Connection

from ingest.database import Database
from service.jobs import ledger
from service.jobs.run import Run


class Fenced:
    """A database whose writes are refused once another worker has taken a run over.

    A worker that slept for longer than its lease may wake up in the middle of its work; whatever it then wants to
    write was done, or will be, by the worker after it.

    Parameters
    ----------
    state : where the ledger is, and what is written
    run : as it was claimed
    """

    def __init__(self, state: Database, run: Run) -> None:
        self.name = state.name
        self._state, self._run = state, run

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give one transaction; see ``Database.write``.

        Raises
        ------
        ScheduleError
            When the run is no longer ours.
        """
        with self._state.write() as connection:
            ledger.hold(connection, self._run)
            yield connection

    def read(self) -> AbstractContextManager[Connection]:
        """Give one read-only connection; see ``Database.read``."""
        return self._state.read()

    def size(self) -> int:
        """Return how many bytes it takes on disk."""
        return self._state.size()

    def close(self) -> None:
        """Leave it open: it belongs to whoever gave it."""
