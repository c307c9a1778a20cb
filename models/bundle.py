"""Everything that is needed to assess a machine and to say why: one trained model, complete."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from features.recipe import Recipe
from features.table import FeatureTable
from ingest.plant import ModelEntry
from models.anomaly.usual import BesidePeers, Usual, usuals_of
from models.context.context import Context
from models.learner import Learner
from models.lone_signal import LoneSignal
from models.risk.diagnosis import Diagnosis
from models.risk.horizons import Horizons
from models.sensors.peers import next_in_order
from models.why.band import Band
from models.why.similar import Episodes


@dataclass(frozen=True)
class Bundle:
    """A trained model with all that its use needs; nothing of it depends on when it was made.

    Attributes
    ----------
    entry : what the plant file asked for
    recipe : how readings become features
    learner : the fitted model
    threshold : level from which a machine is worth somebody's time
    normal : normal value of every feature, per machine where known
    diagnosis : which component it is; ``None`` where that cannot be learnt
    band : how far healthy values stray from what is expected; ``None`` in versions from before there was one
    episodes : what machines looked like before past failures; ``None`` in versions from before it was kept
    context : how machines run and what that lets expect; ``None`` where the plant file says nothing of it
    horizons : probabilities within other horizons than the alert's; ``None`` where none was asked for
    lone : tells what rests on one signal alone, as no recorded failure did; ``None`` where that is not asked
    units : unit of each signal
    time_zone : IANA zone in which sentences give times
    card : the model card (see ``card.py``), JSON values only
    version : content hash, given by the registry; empty before it is saved
    """

    entry: ModelEntry
    recipe: Recipe
    learner: Learner
    threshold: float
    normal: Usual
    diagnosis: Diagnosis | None = None
    context: Context | None = None
    band: Band | None = None
    episodes: Episodes | None = None
    horizons: Horizons | None = None
    lone: LoneSignal | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    time_zone: str = "UTC"
    card: Mapping[str, Any] = field(default_factory=dict)
    version: str = ""

    def seen(self, table: FeatureTable) -> FeatureTable:
        """Return a table of the recipe as learner, normal and diagnosis see it."""
        return table if self.context is None else self.context.applied(table)

    def peers_of(self, machines: Collection[str]) -> list[str]:
        """Return the machines, others than these, that have a say in what is normal for these; sorted."""
        rungs = () if self.horizons is None else self.horizons.rungs
        usuals = (self.normal, *(each for learner in (self.learner, *rungs) for each in usuals_of(learner)))
        known = {name for each in usuals if isinstance(each, BesidePeers) for name in each.shared.machines}
        return sorted({each for machine in machines for each in next_in_order(machine, sorted(known))} - set(machines))

    @property
    def act_within(self) -> timedelta:
        """Time to act in, from the begin of a condition.

        In the backtest, nine in ten of the events that were found came later than this. Where none was found,
        it is the last moment at which an alert could still be right: the horizon less the needed lead.
        """
        latest = max(timedelta(0), self.entry.horizon - self.entry.needed_lead)
        tenth = ((self.card.get("judged") or {}).get("lead_hours") or {}).get("p10")
        return latest if tenth is None else min(latest, max(timedelta(0), timedelta(hours=tenth)))
