"""A way to run the plant, with a model or without, and what it came to on the judged time."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from models.judging.evaluate import Verdict, pooled
from models.judging.money import Charge


class Way(NamedTuple):
    """One way to run the plant on one part of the judged rows.

    Attributes
    ----------
    rule : in words, or why there is none
    charges : what it cost, one by one; ``None`` where there is no rule
    verdict : on its alerts; ``None`` where it raises none
    """

    rule: str
    charges: Sequence[Charge] | None
    verdict: Verdict | None = None


class PooledWay(NamedTuple):
    """One way to run the plant, over all parts.

    Attributes
    ----------
    rules : that of each part, each once
    verdict : on all alerts; ``None`` where a part raises none
    """

    rules: tuple[str, ...]
    verdict: Verdict | None

    @classmethod
    def of(cls, ways: Sequence[Way]) -> "PooledWay":
        """Put the parts together."""
        verdicts = [way.verdict for way in ways if way.verdict is not None]
        rules = tuple(dict.fromkeys(way.rule for way in ways if way.rule))
        return cls(rules, pooled(verdicts) if len(verdicts) == len(ways) else None)

    def to_dict(self) -> dict[str, Any]:
        """Return what alerts came to, as JSON types; empty where none are raised."""
        if self.verdict is None:
            return {}
        return {
            "events": self.verdict.judged,
            "found": self.verdict.found,
            "recall": self.verdict.recall.to_dict(),
            "false_alarms": self.verdict.false,
            "false_alarms_per_machine_week": self.verdict.false_alarms_per_machine_week.to_dict(),
        }
