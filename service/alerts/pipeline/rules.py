"""The rules: everything about a plant that decides whom its alerts call, worked out once."""

from datetime import datetime
from functools import cache

from ingest.plant import Plant
from service.alerts.alert import Alert
from service.alerts.chance import CardOf, chance
from service.alerts.pipeline.duty import Roster
from service.alerts.pipeline.match import Map
from service.alerts.pipeline.worth import Worth, worth_of


class Rules:
    """How a plant wants to be called.

    Parameters
    ----------
    card_of : returns the card of a model's version, which says how often its alerts are right
    """

    def __init__(self, plant: Plant, card_of: CardOf) -> None:
        self.plant = plant
        self.roster = Roster(plant)
        self.map = Map(plant)
        self.routes = {each.name: each for each in plant.routes}
        self._card_of = cache(card_of)

    def worth(self, alert: Alert, now: datetime, lost: float | None) -> Worth:
        """Return what a call about an alert is worth; ``lost`` is what an hour of the loss behind it costs."""
        return worth_of(alert, self.plant, now, chance(alert, self._card_of), lost)
