"""A state database of which each transaction that changes alerts decides whom they call, too."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime

from sqlalchemy.engine import Connection

from ingest.database import Database
from service.alerts.pipeline.decide import decide
from service.alerts.pipeline.rules import Rules


class Calling:
    """The state database as of one moment; every write ends with the decisions about what it changed.

    Parameters
    ----------
    now : the moment that decisions are made at
    """

    def __init__(self, state: Database, rules: Rules, now: datetime) -> None:
        self.name = state.name
        self._state, self._rules, self._now = state, rules, now

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give one transaction; see ``Database.write``."""
        with self._state.write() as connection:
            yield connection
            decide(connection, self._rules, self._now)

    def read(self) -> AbstractContextManager[Connection]:
        """Give one read-only connection; see ``Database.read``."""
        return self._state.read()

    def size(self) -> int:
        """Return how many bytes it takes on disk."""
        return self._state.size()

    def close(self) -> None:
        """Let go of files and connections."""
        self._state.close()
