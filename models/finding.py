"""◆ Findings: assessments that are worth somebody's time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ingest.plant_route import AlertKind

FindingKind = AlertKind
"""Models say all but the last one, which is what another system says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One signal that speaks for a finding.

    Attributes
    ----------
    signal, unit : the signal and its unit
    feature : which feature of it, in words: ``24 h mean``
    actual, expected : its value now and its normal value, in ``unit``
    share : part of what lifts the level that this signal is, 0 to 1
    contribution : what it adds to the score, see ``Why``; ``None`` in alerts from before it was known
    """

    signal: str
    unit: str
    feature: str
    actual: float
    expected: float
    share: float
    contribution: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one signal adds to a score or, below 0, takes from it.

    Attributes
    ----------
    signal, unit : the signal, or what is counted, and its unit
    feature : its most telling feature in words; empty where none can be shown
    actual, expected : its value and its normal value, in ``unit``; ``None`` where none can be shown
    amount : what it adds, on the scale
    level : the level with this and all contributions before it
    """

    signal: str
    unit: str
    feature: str
    actual: float | None
    expected: float | None
    amount: float
    level: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedMode:
    """How likely a failure that is ahead is of one mode; without component and code: of none that is known."""

    component: str
    code: str
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """What makes a level: ``base`` and all contributions add up to ``score``, to 1e-6.

    Attributes
    ----------
    at : the window end that is explained
    scale : "log-odds": ln(p / (1 − p)) of a probability p; "rarity": −ln(1 − level) of a strangeness
    base, base_level : score and level of the machine at its normal
    score, level : as it is
    contributions : of all signals that add or take anything, largest first
    modes : what may be failing, most likely first; empty where that cannot be said
    departures : how far each column lay from normal, see ``models.why.shape``; for the search for earlier alerts
        that began alike
    """

    at: datetime
    scale: str
    base: float
    base_level: float
    score: float
    level: float
    contributions: tuple[Contribution, ...] = ()
    modes: tuple[RankedMode, ...] = ()
    departures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A condition of one machine that has lasted long enough to be real.

    Attributes
    ----------
    cause : what it is about: a component or failure mode where one can be said, otherwise the model's
        target; two findings of one machine and cause are the same matter
    begin : the window end at which the condition had persisted (n of m)
    end : the window end at which it was over; ``None`` while it lasts
    level : the model's number at ``begin``, 0 to 1; 1 for a sensor fault, a limit and a loss
    act_before : begin plus the bundle's ``act_within``, or sooner where a remaining life is told that is shorter
    evidence : strongest first
    sentence : one plain sentence with numbers
    why : what makes its level; ``None`` for a sensor fault
    money_per_hour : what it costs an hour, in the plant's currency; ``None`` where nobody knows
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
    why: Why | None = None
    money_per_hour: float | None = None
