"""◆ A loss that a finder found: what it is, since when, what it costs, and what anybody can check it by."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from models.finding import Evidence, Finding, FindingKind

ACT_WITHIN = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLoss:
    """More lost than usual on one machine, since some time, and still.

    Attributes
    ----------
    finder : name of the finder, among ``models.efficiency.finders.catalogue.FINDERS``
    cause : what is lost; one machine and cause are one matter however its pattern moves
    pattern : what it concentrates on, by dimension: ``{"product": "cap"}``; empty where on nothing
    since, earliest, latest : begin and its 95 % interval
    seen : end of the shift that was needed to see it
    hours, hours_low, hours_high : lost since then beyond the usual, and the 95 % interval; ``None`` where no time is
    pieces : lost since then; ``None`` where nobody knows
    money_per_hour : by the hour of the clock since then; ``None`` where nothing says what time or pieces are worth
    evidence : numbers to check it by, strongest first
    sentence : one plain sentence with numbers
    """

    finder: str
    kind: FindingKind
    cause: str
    machine: str
    since: datetime
    earliest: datetime
    latest: datetime
    seen: datetime
    sentence: str
    evidence: tuple[Evidence, ...]
    pattern: dict[str, str]
    hours: float | None = None
    hours_low: float | None = None
    hours_high: float | None = None
    pieces: float | None = None
    money_per_hour: float | None = None

    def finding(self) -> Finding:
        """Return it as a finding; its level is 1, since a loss is told or not."""
        return Finding(
            machine=self.machine,
            kind=self.kind,
            cause=self.cause,
            model=self.finder,
            version="",
            begin=self.seen,
            end=None,
            level=1.0,
            act_before=self.seen + ACT_WITHIN,
            evidence=self.evidence,
            sentence=self.sentence,
            money_per_hour=self.money_per_hour,
        )
