"""Whether an energy meter, its drivers and its times fit the plant."""

from collections.abc import Generator, Iterator
from datetime import timedelta

from ingest.errors import ExpressionError, UnitError
from ingest.expression import STATE, read_expression
from ingest.plant_cycle_check import not_a_moment
from ingest.plant_draft import Draft
from ingest.plant_energy import Driver, Meter, MeterReads
from ingest.plant_problem import Problem
from ingest.plant_words import Location, nearest
from ingest.unit import conversion

ENERGY_UNIT: dict[MeterReads, str] = {"power": "kW", "energy": "kWh", "counter": "kWh"}
"""What a meter's readings are converted to."""
_DAY = timedelta(days=1)
_SHORTEST = timedelta(seconds=1)
_FEWEST = 10


def check_meters(draft: Draft) -> Iterator[Problem]:
    """Give what is wrong with the meters of a plant."""
    for index, meter in draft.meters.items():
        at: Location = ("meters", index)
        machine_class = yield from _where(draft, at, meter)
        yield from _spans(at, meter)
        if machine_class in draft.signals:
            yield from _signals(draft, at, meter, machine_class)
        yield from _drivers(draft, at, meter, machine_class)
        yield from not_a_moment((*at, "baseline_from"), meter.baseline_from)


def _where(draft: Draft, at: Location, meter: Meter) -> Generator[Problem, None, str]:
    """Return the class that the meter belongs to, empty where it cannot be said."""
    if bool(meter.machine) == bool(meter.machine_class):
        yield Problem(
            (*at, "machine"),
            "stands beside 'class'; keep one of the two"
            if meter.machine
            else "is missing; write the machine that it measures, or class = the class of many",
        )
        return ""
    if meter.machine:
        if meter.machine not in draft.machine_names:
            hint = nearest(meter.machine, sorted(draft.machine_names))
            yield Problem((*at, "machine"), f"no machine {meter.machine!r}; {hint}")
        return draft.class_of.get(meter.machine, "")
    if meter.machine_class not in draft.signals:
        hint = nearest(meter.machine_class, sorted(draft.signals))
        yield Problem((*at, "class"), f"no class {meter.machine_class!r}; {hint}")
    return meter.machine_class


def _spans(at: Location, meter: Meter) -> Iterator[Problem]:
    if meter.every < _SHORTEST or meter.every > _DAY or _DAY % meter.every:
        yield Problem((*at, "every"), "is no whole part of a day; write such as '15 min', '1 h', '8 h' or '24 h'")
    elif meter.baseline < _FEWEST * meter.every:
        yield Problem((*at, "baseline"), f"is shorter than {_FEWEST} times 'every'; a baseline needs that many points")


def _signals(draft: Draft, at: Location, meter: Meter, machine_class: str) -> Iterator[Problem]:
    known = draft.signals[machine_class]
    units = {
        signal.name: signal.unit
        for each in draft.classes.values()
        if each.name == machine_class
        for signal in each.signals
    }
    for name in meter.signal:
        if name not in known:
            yield Problem((*at, "signal"), f"no signal {name!r}; {nearest(name, known)}")
        elif name in units:
            wanted = ENERGY_UNIT[meter.reads]
            try:
                conversion(units[name], wanted)
            except UnitError as error:
                other = "power" if wanted == "kWh" else "energy' or 'counter"
                yield Problem(
                    (*at, "reads"),
                    f"{meter.reads!r} needs signal {name!r} in a unit such as {wanted}: {error}; "
                    f"write reads = '{other}', or give the signal the unit that it has",
                )
    if meter.productive is not None:
        try:
            read_expression(meter.productive, known)
        except ExpressionError as error:
            yield Problem((*at, "productive"), str(error))


def _drivers(draft: Draft, at: Location, meter: Meter, machine_class: str) -> Iterator[Problem]:
    if not meter.drivers and not meter.calendar:
        yield Problem((*at, "drivers"), "is empty without the calendar; name what the energy use depends on")
    seen: set[tuple[str, str]] = set()
    for index, driver in enumerate(meter.drivers):
        here = (*at, "drivers", index)
        if (driver.machine, driver.signal) in seen:
            yield Problem((*here, "signal"), f"{driver.signal!r} stands here a second time; once is enough")
        seen.add((driver.machine, driver.signal))
        yield from _driver(draft, here, meter, driver, machine_class)
    names = [driver.signal for driver in meter.drivers]
    if meter.production and meter.production not in names:
        yield Problem((*at, "production"), f"no driver {meter.production!r}; {nearest(meter.production, names)}")
    elif any(each.signal == meter.production and each.reads in ("mean", "shares") for each in meter.drivers):
        yield Problem(
            (*at, "production"), f"{meter.production!r} is no amount; it needs reads = 'sum', 'increase' or 'travel'"
        )


def _driver(draft: Draft, at: Location, meter: Meter, driver: Driver, machine_class: str) -> Iterator[Problem]:
    if driver.machine and driver.machine not in draft.machine_names:
        hint = nearest(driver.machine, sorted(draft.machine_names))
        yield Problem((*at, "machine"), f"no machine {driver.machine!r}; {hint}")
        return
    if driver.signal in meter.signal and not driver.machine:
        yield Problem((*at, "signal"), f"{driver.signal!r} is the meter itself; it would always be as expected")
    known = draft.signals.get(draft.class_of.get(driver.machine, "") if driver.machine else machine_class)
    if driver.signal == STATE and (known is None or STATE not in known):
        if driver.reads != "shares":
            yield Problem((*at, "reads"), "a state is no number; write reads = 'shares'")
    elif known is not None and driver.signal not in known:
        yield Problem((*at, "signal"), f"no signal {driver.signal!r}; {nearest(driver.signal, [*known, STATE])}")
