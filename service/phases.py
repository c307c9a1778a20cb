"""Phases: how far each condition is from raising an alert, or from ending one; see ``models.persistence``."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from ingest.plant import AlertSettings
from models.persistence import Phase
from service.subjects import model_of
from service.watch import Watch, held, watches_on


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the condition of a model on a machine stands.

    Attributes
    ----------
    model : whose condition it is, or ``signal limits``
    alert : number of the alert that it holds up; ``None`` if it holds up none
    words : what is missing for the next step; empty where none is under way
    """

    model: str
    phase: Phase
    words: str
    alert: int | None = None


def phases_on(connection: Connection, machine: str, settings: AlertSettings) -> list[Standing]:
    """Return where the conditions of a machine stand that are not quiet, by model."""
    found = [_standing(model, watch, settings) for model, watch in watches_on(connection, machine)]
    return [each for each in found if each.phase is not Phase.QUIET]


def phases_of_alerts(connection: Connection, settings: AlertSettings) -> Mapping[int, Standing]:
    """Return where the conditions stand that hold up alerts, by their numbers; an active one before others."""
    found: dict[int, Standing] = {}
    for model, _, watch in held(connection):
        own = _standing(model, watch, settings)
        before = found.get(own.alert or 0)
        if own.alert is not None and (before is None or _rank(own) > _rank(before)):
            found[own.alert] = own
    return found


def _standing(model: str, watch: Watch, settings: AlertSettings) -> Standing:
    condition = watch.condition
    return Standing(model_of(model), condition.phase, condition.words(settings), watch.alert)


def _rank(standing: Standing) -> int:
    return list(Phase).index(standing.phase) if standing.phase is not Phase.ACTIVE else len(Phase)
