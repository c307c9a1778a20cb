"""◆ A leak: a column, or a split, that tells a model what it could not have known."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from features.column import signal_of

REFUSED = {
    "label copy": "leave it out: it is made from the failures that the model is to foresee",
    "countdown": "leave it out: it counts down to the failure, which nobody knew at the time",
    "run length": "leave it out: it holds how long the machine will run until its failure",
    "target mean": "leave it out: it is how often this machine or group failed, over the time that is to be foreseen",
    "missing before failures": "leave it out or fill its gaps: that it is missing tells what came later",
    "missing with labels": "leave it out: it is missing just where the outcome is unknown, so it was joined afterwards",
    "future values": "compute it from readings at or before its time: it holds values that were read later",
    "torn split": "split by time with a gap of one horizon, or by whole machines: rows learnt and judged overlap",
}
"""Kinds that no honest column shows, and what to do; a model that has one is not trained."""

WARNED = {
    "shifted label": "ask when it is written: it steps at one fixed time before the failures, as if made of them",
    "only after failures": "leave it out, or record until when each failure lasts: what moves afterwards foretells"
    " nothing",
    "schedule": "leave it out unless the schedule was known in advance: it counts down to a fixed moment",
    "identifier": "leave it out: it names the machine, and a model learns by heart which of them failed",
    "row number": "leave it out: it is the place of a row in a file",
    "calendar time": "leave it out: it goes on with the calendar, and no moment that is judged was ever learnt",
    "errors in step": "ask when these errors are written: they come at one fixed time before the failures",
    "repeated rows": "remove the copies, or keep them on one side: the same rows are learnt from and judged",
    "too good alone": "ask how it is measured, and when it is known: one signal alone seldom foretells nearly every"
    " failure",
}
"""Kinds that an honest column may show; they are told, and a person judges."""

ADVICE = REFUSED | WARNED


@dataclass(frozen=True, slots=True)
class Leak:
    """What was found of one column.

    Attributes
    ----------
    column : its name; empty when it is about the split
    kind : one of ``REFUSED`` or ``WARNED``
    evidence : what was seen, with figures
    """

    column: str
    kind: str
    evidence: str

    @property
    def refused(self) -> bool:
        """Whether no model is trained on it without a person's word."""
        return self.kind in REFUSED

    @property
    def advice(self) -> str:
        """What to do, in one plain sentence without a full stop."""
        return ADVICE[self.kind]

    @property
    def sentence(self) -> str:
        """Say what was found and what to do."""
        return f"{self.column or 'the split'}: {self.kind} ({self.evidence}); {self.advice}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return {**asdict(self), "refused": self.refused, "advice": self.advice}


def told(leaks: Iterable[Leak]) -> list[str]:
    """Return one line for each signal and for each thing to do about it; further columns are counted.

    Examples
    --------
    >>> found = [Leak(f"age__{name}__3h", "identifier", "one value each") for name in ("mean", "last")]
    >>> told(found)[0].split("; leave")[0]
    'age__mean__3h and 1 more column of the signal: identifier (one value each)'
    """
    first: dict[tuple[str, bool], Leak] = {}
    more: dict[tuple[str, bool], int] = {}
    for leak in leaks:
        key = (signal_of(leak.column) or leak.column or leak.kind, leak.refused)
        first.setdefault(key, leak)
        more[key] = more.get(key, -1) + 1
    return [_with_more(leak, more[key]) for key, leak in first.items()]


def _with_more(leak: Leak, more: int) -> str:
    if not more:
        return leak.sentence
    name = leak.column or "the split"
    return leak.sentence.replace(name, f"{name} and {more} more column{'s' * (more > 1)} of the signal", 1)
