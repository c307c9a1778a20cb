"""◆ Units of work, and what came of them."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ingest.errors import LostWorkError

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class WorkUnit:
    """A part of the work that can be done anywhere: some machines over some span.

    Attributes
    ----------
    name : what it is, for people, such as ``model 'strange', press-7, to 2026-03-01 06:00``
    arguments : what the work is given after what all units share; nothing that only this process has
    """

    name: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Result]):
    """What came of one unit: a result, or why there is none.

    Attributes
    ----------
    error : what the work raised, with the unit's name as a note; ``LostWorkError`` for a unit that was set aside
    """

    unit: WorkUnit
    result: Result | None = None
    error: Exception | None = None

    @property
    def lost(self) -> bool:
        """Whether the unit was set aside because it ended its worker again and again."""
        return isinstance(self.error, LostWorkError)

    def value(self) -> Result:
        """Return the result, or raise the error."""
        if self.lost:
            raise LostWorkError(f"{self.unit.name}: {self.error}") from self.error
        if self.error is not None:
            raise self.error
        return self.result  # type: ignore[return-value]  # whoever asks knows that the work returned one
