"""The report of one round."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundReport:
    """What one round did.

    Attributes
    ----------
    at : the moment as of which it looked
    models : names of the models that were asked
    untrained : names of models of the plant file that have no live version
    machines : how many machines they watch
    windows : how many window ends were assessed
    rescored : how many window ends were assessed again, because readings of them had come late
    too_late : rows that were found to have come too late for that; they are kept all the same
    findings : conditions that are active now, over all models
    raised, over : alerts that were opened, and alerts whose condition ended
    stale : machines without recent readings
    not_assessed : for each reason, the machines of which a model can say no level at its newest window end
    thin : for each signal, the machines whose newest level was built from less than half of its expected readings
    errors : one line for each machine or model that could not be assessed; the rest was
    """

    at: datetime
    models: tuple[str, ...]
    untrained: tuple[str, ...]
    machines: int
    windows: int
    rescored: int
    too_late: int
    findings: int
    raised: int
    over: int
    stale: tuple[str, ...]
    not_assessed: dict[str, tuple[str, ...]]
    thin: dict[str, tuple[str, ...]]
    errors: tuple[str, ...]
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dict of plain values; ``at`` as an ISO string."""
        return asdict(self) | {"at": self.at.isoformat()}
