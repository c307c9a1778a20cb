"""What was asked for of one run beside what its job says: the parameters that stand in the ledger."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from ingest.duration import format_duration, parse_duration
from ingest.errors import ScheduleError, UnknownNameError

CHUNK = timedelta(days=1)
"""How much of the past is scored in one transaction where nobody says."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked for who ran a job by hand.

    Attributes
    ----------
    at : as of when; the present where it is ``None``
    models : only these, of those that the job concerns; all when empty
    """

    at: datetime | None = None
    models: tuple[str, ...] = ()

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Self:
        """Read the parameters of a run."""
        at = parameters.get("at")
        return cls(None if at is None else datetime.fromisoformat(at), tuple(parameters.get("models", ())))

    def to_dict(self) -> dict[str, Any]:
        """Return them as JSON types; nothing that was not asked for."""
        asked = {"at": self.at and self.at.isoformat(), "models": list(self.models)}
        return {name: value for name, value in asked.items() if value}

    def refuse_what_cannot_be(self, now: datetime, models: Collection[str]) -> None:
        """Refuse a moment that lies ahead, and models that the job does not concern.

        Raises
        ------
        ScheduleError, UnknownNameError
            Saying what would be right.
        """
        if self.at is not None and self.at > now:
            raise ScheduleError(f"{self.at:%Y-%m-%d %H:%M} UTC lies ahead; run a job as of a time that was")
        for name in self.models:
            if name not in models:
                raise UnknownNameError(
                    f"the job concerns no model {name!r}; it concerns: {', '.join(models) or 'none'}"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """A span of the past that is scored chunk by chunk.

    Attributes
    ----------
    start, end : windows that end in (start, end]
    done : up to where it is done
    chunk : how much is scored in one transaction, and is lost at most when a worker is killed
    again : whether windows that were scored before are scored again
    alerts : whether alerts are raised on it, where no round has looked yet
    """

    start: datetime
    end: datetime
    done: datetime
    chunk: timedelta = CHUNK
    again: bool = False
    alerts: bool = False

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Self | None:
        """Read the parameters of a run; ``None`` where they are of no filling."""
        if "from" not in parameters:
            return None
        start, end, done = (datetime.fromisoformat(parameters[name]) for name in ("from", "to", "done"))
        chunk = parse_duration(parameters["chunk"])
        return cls(start=start, end=end, done=done, chunk=chunk, again=parameters["again"], alerts=parameters["alerts"])

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return {
            "from": self.start.isoformat(),
            "to": self.end.isoformat(),
            "done": self.done.isoformat(),
            "chunk": format_duration(self.chunk),
            "again": self.again,
            "alerts": self.alerts,
        }

    @property
    def next(self) -> datetime:
        """Where the next chunk ends."""
        return min(self.end, self.done + self.chunk)

    def forward(self) -> Self:
        """Return it with its next chunk done."""
        return replace(self, done=self.next)

    @property
    def chunks(self) -> tuple[int, int]:
        """How many chunks are done, and how many there are."""
        return -(-(self.done - self.start) // self.chunk), -(-(self.end - self.start) // self.chunk)


def named(models: Sequence[str]) -> str:
    """Say which models are meant.

    Examples
    --------
    >>> named(["wear", "odd"]), named([])
    ('wear, odd', 'all')
    """
    return ", ".join(models) or "all"
