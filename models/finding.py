"""◆ Findings: assessments that are worth somebody's time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

FindingKind = Literal["failure ahead", "anomaly", "sensor fault", "limit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One signal that speaks for a finding.

    Attributes
    ----------
    signal, unit : the signal and its unit
    feature : which feature of it, in words: ``24 h mean``
    actual, expected : its value now and its normal value, in ``unit``
    share : part of the level that this signal explains, 0 to 1
    """

    signal: str
    unit: str
    feature: str
    actual: float
    expected: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A condition of one machine that has lasted long enough to be real.

    Attributes
    ----------
    cause : what it is about: a component or failure mode where one can be said, otherwise the model's
        target; two findings of one machine and cause are the same matter
    begin : the window end at which the condition had persisted (n of m)
    end : the window end at which it was over; ``None`` while it lasts
    level : the model's number at ``begin``, 0 to 1; 1 for a sensor fault and a limit
    act_before : begin plus the bundle's ``act_within``
    evidence : strongest first
    sentence : one plain sentence with numbers
    """

    machine: str
    kind: FindingKind
    cause: str
    model: str
    version: str
    begin: datetime
    end: datetime | None
    level: float
    act_before: datetime
    evidence: tuple[Evidence, ...] = ()
    sentence: str = ""
