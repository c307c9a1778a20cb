"""◆ A history: what features and models may ask of the past."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import pandas as pd

from ingest.reading import Readings


class History(Protocol):
    """What features and models may ask of the past; all spans are (start, end]."""

    def read(
        self,
        machine_class: str,
        *,
        machines: Sequence[str] | None = None,
        signals: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Readings:
        """Return readings sorted by (machine, time), one row for each; asked signals without data are null.

        Rows that hold none of the signals asked for may be left out.
        """

    def events(
        self,
        *,
        machines: Sequence[str] | None = None,
        kinds: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> pd.DataFrame:
        """Return events with ``EVENT_COLUMNS``, sorted by time."""

    def states(self, machines: Sequence[str], start: datetime, end: datetime) -> pd.DataFrame:
        """Return the machines' own states that began in (start, end], and of each those that began last before it.

        With ``EVENT_COLUMNS``, sorted by time.
        """

    def spans(self, machine_class: str) -> dict[str, tuple[datetime, datetime]]:
        """Return the first and the newest event time of each machine that has readings."""

    def derived(
        self,
        machine_class: str,
        start: datetime,
        end: datetime,
        keys: Sequence[Hashable],
        work: Callable[[Sequence[int]], Sequence[Any]],
    ) -> list[Any]:
        """Return what ``work`` makes of the readings of a class in (start, end], one result for each key.

        Results may be remembered as long as those readings stay as they are; ``work`` is given the
        places of the keys whose results are not known, and must use no other readings.
        """


@dataclass(frozen=True, slots=True)
class ReadingsView:
    """A history whose readings are seen in another way: a ``History`` once it has ``read`` and ``derived``."""

    history: History

    def events(
        self,
        *,
        machines: Sequence[str] | None = None,
        kinds: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> pd.DataFrame:
        """Return events of (start, end]."""
        return self.history.events(machines=machines, kinds=kinds, start=start, end=end)

    def states(self, machines: Sequence[str], start: datetime, end: datetime) -> pd.DataFrame:
        """Return the states of (start, end], and of each machine those that began last before it."""
        return self.history.states(machines, start, end)

    def spans(self, machine_class: str) -> dict[str, tuple[datetime, datetime]]:
        """Return the first and newest reading of each machine, however it is seen."""
        return self.history.spans(machine_class)
