"""◆ What an energy meter tells that is worth somebody's time: a loss of energy, or a meter that cannot be believed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from models.finding import Evidence, Finding, FindingKind

EXPLAINED = {
    "base load": "at all hours alike, as with a leak of compressed air or something left on",
    "idle load": "while nothing is made, as with heating or drives that are left on",
    "running load": "while it runs",
    "energy per piece": "in step with what is made",
    "in proportion": "in proportion to the load, at all hours; a meter that reads too high looks the same",
    "excess": "than the drivers explain",
}
MODEL = "energy baseline"
_ACT_WITHIN = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyLoss:
    """More energy than the baseline expects, since some time, of one shape.

    Attributes
    ----------
    machine, meter, signal : what was measured
    cause : a key of ``EXPLAINED``
    sure : whether this cause explains it clearly better than the others
    since, earliest, latest : begin, and its 95 % interval
    seen : end of the newest period that was needed to see it
    until : end; ``None`` while it lasts
    hours : from the begin to the end, or to the newest period
    kwh, kwh_error : excess over all that time, and its standard error
    actual_kw, expected_kw : means over the time that it concerns
    money, money_per_hour, co2e_kg : of the excess; by the hour of the clock; ``None`` without a price
    currency : of the money
    """

    machine: str
    meter: str
    signal: str
    cause: str
    sure: bool
    since: datetime
    earliest: datetime
    latest: datetime
    seen: datetime
    until: datetime | None
    hours: float
    kwh: float
    kwh_error: float
    actual_kw: float
    expected_kw: float
    money: float | None
    money_per_hour: float | None
    co2e_kg: float | None
    currency: str = "EUR"

    def sentence(self, zone: ZoneInfo) -> str:
        """Say it in one plain sentence with numbers, times in the plant's zone."""
        more = self.actual_kw - self.expected_kw
        said = (
            f"{self.machine}: {self.meter} takes {self.actual_kw:.4g} kW in place of {self.expected_kw:.4g} kW"
            f" ({more:+.3g} kW) {EXPLAINED[self.cause]}, since {_time(self.since, zone)}"
            f" ({_time(self.earliest, zone)} to {_time(self.latest, zone)})"
        )
        if self.until is not None:
            said += f" until {_time(self.until, zone)}"
        said += f": {self.kwh:.4g} ± {1.96 * self.kwh_error:.2g} kWh"
        if self.money is not None and self.money_per_hour is not None:
            said += f", {self.money:.4g} {self.currency}, {self.money_per_hour:.3g} {self.currency} an hour"
        if self.co2e_kg is not None:
            said += f", {self.co2e_kg:.4g} kg CO2e"
        return said + ("" if self.sure else "; the cause is the likeliest of several")

    def finding(self, zone: ZoneInfo) -> Finding:
        """Return it as a finding; its level is 1, since a loss is told or not."""
        return _finding(
            self, "energy loss", f"{self.meter}: {self.cause}", f"mean, {self.cause}", zone, self.money_per_hour
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterDoubt:
    """A meter that cannot be believed; what it said in that time is no loss and no saving.

    Attributes
    ----------
    kind : ``stuck``, ``silent``, ``reset`` or ``scaled``
    factor : of a scaled meter, what it reads over what it should
    """

    machine: str
    meter: str
    signal: str
    kind: str
    since: datetime
    seen: datetime
    until: datetime | None
    actual_kw: float
    expected_kw: float
    factor: float | None = None

    def sentence(self, zone: ZoneInfo) -> str:
        """Say it in one plain sentence with numbers, times in the plant's zone."""
        since = _time(self.since, zone)
        until = f" until {_time(self.until, zone)}" if self.until is not None else ""
        expected = f" while {self.expected_kw:.4g} kW are expected"
        said = {
            "stuck": f"repeats {self.actual_kw:.4g} kW since {since}{until}{expected}",
            "silent": f"counts nothing since {since}{until}{expected}",
            "reset": f"counter fell at {since}; the energy across it is not known",
            "scaled": f"reads {self.factor or 1.0:.3g} times what is expected at all hours since {since}{until};"
            " no loss changes all hours by so much, so check transformer ratio and unit",
        }[self.kind]
        return f"{self.machine}: {self.meter} {said}"

    def finding(self, zone: ZoneInfo) -> Finding:
        """Return it as a finding about the sensor."""
        return _finding(self, "sensor fault", f"{self.signal}: energy meter {self.kind}", "mean", zone)


def _finding(
    told: EnergyLoss | MeterDoubt,
    kind: FindingKind,
    cause: str,
    feature: str,
    zone: ZoneInfo,
    money_per_hour: float | None = None,
) -> Finding:
    evidence = Evidence(
        signal=told.signal, unit="kW", feature=feature, actual=told.actual_kw, expected=told.expected_kw, share=1.0
    )
    return Finding(
        machine=told.machine,
        kind=kind,
        cause=cause,
        model=MODEL,
        version="",
        begin=told.seen,
        end=told.until,
        level=1.0,
        act_before=told.seen + _ACT_WITHIN,
        evidence=(evidence,),
        sentence=told.sentence(zone),
        money_per_hour=money_per_hour,
    )


def _time(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"
