"""What a failure risk says of one machine beyond its level: within each horizon, and of each mode."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from ingest.duration import format_duration
from ingest.errors import NotEnoughDataError
from ingest.history import History
from ingest.plant import Plant
from models.assess import probabilities_within
from models.believed import beside_peers
from models.bundle import Bundle
from models.finding import RankedMode
from models.tasks.table import task_of

_MOST_MODES = 3
_LEAST_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Outlook:
    """The probability of a failure within each horizon, and what it would be.

    Attributes
    ----------
    model : who says so
    time : window end
    within : probability by horizon, shortest first
    modes : modes and their probability given that a failure is ahead, likeliest first and the unknown among them;
        they add up to 1, and times ``within`` give the probability of each mode. Empty where no mode was learnt.
    """

    model: str
    time: datetime
    within: Mapping[timedelta, float]
    modes: tuple[RankedMode, ...]

    def words(self) -> str:
        """Return one line for people.

        Examples
        --------
        >>> within = {timedelta(days=1): 0.021, timedelta(days=7): 0.18}
        >>> seal = RankedMode(component="seal", code="", probability=0.8)
        >>> other = RankedMode(component="", code="", probability=0.2)
        >>> Outlook("risk", datetime(2026, 1, 1), within, (seal, other)).words()
        'Failure within 24 h 2.1 %, within 7 d 18 %. If so, likeliest: seal 80 %, unknown 20 %'
        """
        said = ", ".join(f"within {format_duration(span)} {100 * each:.2g} %" for span, each in self.within.items())
        likely = [each for each in self.modes[:_MOST_MODES] if each.probability >= _LEAST_SHARE]
        modes = ", ".join(f"{_name(each)} {100 * each.probability:.0f} %" for each in likely)
        return f"Failure {said}{f'. If so, likeliest: {modes}' if modes else ''}"


def _name(mode: RankedMode) -> str:
    return " ".join(filter(None, (mode.component, mode.code))) or "unknown"


def outlook(plant: Plant, history: History, bundle: Bundle, machine: str, at: datetime, level: float) -> Outlook | None:
    """Return what a bundle says of a machine at a window end.

    Parameters
    ----------
    level : what it said there

    Returns
    -------
    ``None`` for a model that tells no probability, or nothing beyond its level.

    Raises
    ------
    NotEnoughDataError
        When there is no window that ends then.
    """
    if not task_of(bundle.entry).tells_probability or (bundle.horizons is None and bundle.diagnosis is None):
        return None
    machine_class, stride = plant.class_named(bundle.entry.machine_class), bundle.recipe.stride
    table = beside_peers(bundle, machine_class, history, [machine], at - stride, at).table
    if not len(table):
        raise NotEnoughDataError(f"{machine} has no window that ends at {at.isoformat()}")
    row = table.where(np.array([len(table) - 1]))
    within = probabilities_within(bundle, row, np.array([level]))
    modes = () if bundle.diagnosis is None else bundle.diagnosis.ranked(bundle.seen(row))[0]
    return Outlook(bundle.entry.name, at, {span: float(each[0]) for span, each in within.items()}, modes)
