"""Sources: open alerts that make others needless to say, found by what they have in common."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ingest.plant_route import Inhibit
from service.alerts.alert import Alert
from service.alerts.pipeline.match import Places, fits
from service.alerts.pipeline.worth import Worth

SENSOR, OR = " sensor", " or "
"""How the cause of a sensor fault ends, after the name of its signal, and what stands before what else it may be."""

ABOUT_SENSORS = ("sensor fault", "sensor or machine")
"""Kinds of alerts that ask people to look at a sensor."""


def sensor_in(cause: str) -> str:
    """Return the cause of a sensor fault that the cause of an alert about a sensor or the machine begins with.

    Examples
    --------
    >>> sensor_in("seal pressure sensor or seal"), sensor_in("seal pressure sensor")
    ('seal pressure sensor', 'seal pressure sensor')
    """
    signal, found, _ = cause.partition(SENSOR + OR)
    return signal + SENSOR if found else cause


@dataclass(frozen=True, slots=True)
class Source:
    """An open alert whose condition lasts."""

    alert: Alert
    places: Places
    worth: Worth

    @property
    def rank(self) -> tuple[int, int]:
        """The higher one may hold back the lower; of equally severe ones the older. So two never hide each other."""
        return self.worth.severity.rank, -self.alert.number


@dataclass(slots=True)
class Sources:
    """Open alerts by what they could hold back; each question is one look-up, however many there are."""

    _rules: list[tuple[Inhibit, dict[tuple[str, ...], Source]]] = field(default_factory=list)
    _sensors: dict[tuple[str, str], Source] = field(default_factory=dict)
    _either: dict[tuple[str, str], Source] = field(default_factory=dict)

    @classmethod
    def of(cls, rules: Sequence[Inhibit], alerts: Iterable[Source]) -> "Sources":
        """Take the open alerts of a plant."""
        made = cls([(rule, {}) for rule in rules])
        for each in alerts:
            for rule, by_key in made._rules:
                if fits(rule.when, each.places, each.worth):
                    key = _key(rule, each.places)
                    if key not in by_key or each.rank > by_key[key].rank:
                        by_key[key] = each
            if each.alert.kind == "sensor fault" and each.alert.cause.endswith(SENSOR):
                made._sensors[each.alert.machine, each.alert.cause.removesuffix(SENSOR)] = each
            if each.alert.kind == "sensor or machine":
                made._either[each.alert.machine, sensor_in(each.alert.cause)] = each
        return made

    def by_rule(self, target: Source) -> tuple[Inhibit, Source] | None:
        """Return the first rule that holds back an alert, and the alert it does so for."""
        for rule, by_key in self._rules:
            source = by_key.get(_key(rule, target.places))
            if source is None or source.rank <= target.rank or source.alert.number == target.alert.number:
                continue
            if fits(rule.quiet, target.places, target.worth):
                return rule, source
        return None

    def blind(self, target: Alert) -> Source | None:
        """Return a sensor fault without which at most half of what speaks for an alert would be left."""
        if not self._sensors or target.kind in ABOUT_SENSORS:
            return None
        doubted = [each for each in target.evidence if (target.machine, each.signal) in self._sensors]
        whole = sum(max(each.share, 0.0) for each in target.evidence)
        if not doubted or sum(max(each.share, 0.0) for each in doubted) < whole / 2:
            return None
        return self._sensors[target.machine, max(doubted, key=lambda each: each.share).signal]

    def with_stake(self, target: Alert) -> Source | None:
        """Return the alert that asks to look at the sensor of a sensor fault and says what is at stake as well."""
        return self._either.get((target.machine, target.cause)) if target.kind == "sensor fault" else None


def _key(rule: Inhibit, places: Places) -> tuple[str, ...]:
    return tuple([places[each] for each in rule.same])
