"""What to simulate: how many machines of which kind, how long, how badly kept, and the seed."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import numpy as np

from ingest.duration import format_duration, parse_duration
from ingest.errors import ScenarioError
from ingest.simulation.kind import MachineKind
from ingest.simulation.kinds.catalogue import KINDS
from ingest.simulation.planted_loss import PlantedLoss
from ingest.simulation.shifts import SHIFT_PATTERNS, ShiftPattern, local_second

_MACHINES_PER_LINE = 4
_SPANS = ("every", "maintenance_every")


@dataclass(frozen=True, slots=True)
class SimulatedMachine:
    """One machine of the made-up plant and its place."""

    name: str
    kind: MachineKind
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A plant to make up. The same scenario gives the same numbers, machine by machine.

    Attributes
    ----------
    machines : machines of each kind, or how many in all, dealt out to all kinds in turn
    days : local days that files hold; a live stream goes on
    start : first local day
    every : time between two readings, a whole number of seconds
    seed : of all that is random; a machine's numbers depend on it and on the machine's name only
    time_zone : of shifts and days
    shifts : shift pattern of all machines; each kind has its own when empty
    failures_per_machine_year : failures if nobody maintained anything; planned maintenance prevents a part
    sudden_share : share of failures without any sign before
    sensor_faults_per_machine_year : sensors that are stuck, drift, spike, drop out or are off
    sensor_fault_share : share of machines that have such sensors at all; all others never have one
    maintenance_every : time between two planned maintenances of a machine, one component at a time
    floor : whether machines tell states, change-overs and hourly counts too, as a line computer does
    losses : what is lost on purpose, on the floor

    Raises
    ------
    ScenarioError
        If a value makes no sense.

    Examples
    --------
    >>> [machine.name for machine in Scenario(machines={"pump": 2}).plant()]
    ['pump-01', 'pump-02']
    """

    machines: Mapping[str, int] | int = 5
    days: int = 90
    start: date = date(2026, 1, 5)
    every: timedelta = timedelta(minutes=10)
    seed: int = 1
    time_zone: str = "UTC"
    shifts: str = ""
    failures_per_machine_year: float = 4.0
    sudden_share: float = 0.2
    sensor_faults_per_machine_year: float = 4.0
    sensor_fault_share: float = 1.0
    maintenance_every: timedelta = timedelta(days=60)
    floor: bool = False
    losses: tuple[PlantedLoss, ...] = ()
    name: str = field(default="Simulated plant")

    def __post_init__(self) -> None:
        """Check everything at once."""
        problems = [
            f"{key}: {value!r} is not possible; {right}"
            for key, value, fine, right in (
                ("machines", self.machines, _machines_fine(self.machines), f"write a number or kinds of {[*KINDS]}"),
                ("days", self.days, _whole(self.days, 1), "write 1 or more"),
                ("seed", self.seed, _whole(self.seed, 0), "write 0 or more"),
                ("every", self.every, _every_fine(self.every), "write whole seconds that divide an hour, or whole h"),
                ("maintenance_every", self.maintenance_every, self.maintenance_every >= timedelta(1), "write >= 1 d"),
                ("time_zone", self.time_zone, self.time_zone in available_timezones(), "write an IANA name"),
                ("shifts", self.shifts, self.shifts in {"", *SHIFT_PATTERNS}, f"one of {[*SHIFT_PATTERNS]}"),
                ("losses", self.losses, self.floor or not self.losses, "losses are planted on a floor; set floor"),
                *(
                    (key, getattr(self, key), _number(getattr(self, key), 1), "write a share from 0 to 1")
                    for key in ("sudden_share", "sensor_fault_share")
                ),
                *(
                    (key, getattr(self, key), _number(getattr(self, key), 365), "write 0 to 365")
                    for key in ("failures_per_machine_year", "sensor_faults_per_machine_year")
                ),
            )
            if not fine
        ]
        if not problems:
            known = {each.name: [product.name for product in each.kind.products] for each in self.plant()}
            problems = [
                f"losses: {each.kind!r} is planted on {each.machine!r} with {each.product or 'all products'};"
                f" there are {sorted(known)} and their own products"
                for each in self.losses
                if each.machine not in known or each.product not in ("", *known[each.machine])
            ]
            known = {each.name: list(each.kind.signal_names) for each in self.plant()}
            problems += [
                f"losses: {each.machine!r} has no signal {each.signal!r}; it has {known[each.machine]}"
                for each in self.losses
                if each.signal and each.machine in known and each.signal not in known[each.machine]
            ]
        if problems:
            raise ScenarioError("; ".join(problems))

    def plant(self) -> tuple[SimulatedMachine, ...]:
        """All machines, kind by kind; a machine's name and line do not depend on how many there are."""
        return tuple(
            SimulatedMachine(f"{kind}-{number + 1:02d}", KINDS[kind], f"line-{number // _MACHINES_PER_LINE + 1}")
            for kind, count in self.machines_per_kind.items()
            for number in range(count)
        )

    @property
    def machines_per_kind(self) -> dict[str, int]:
        """How many machines of each kind; kinds without any are left out."""
        if isinstance(self.machines, int):
            share, rest = divmod(self.machines, len(KINDS))
            counts = {kind: share + (position < rest) for position, kind in enumerate(KINDS)}
        else:
            counts = dict(self.machines)
        return {kind: count for kind, count in counts.items() if count}

    @property
    def zone(self) -> ZoneInfo:
        """The plant's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def begin(self) -> int:
        """First second, since 1970 UTC."""
        return local_second(self.start, 0, self.zone)

    @property
    def end(self) -> int:
        """Second at which the files end, not included."""
        return local_second(self.start + timedelta(days=self.days), 0, self.zone)

    def pattern(self, kind: MachineKind) -> ShiftPattern:
        """Shift pattern of a kind of machine."""
        return SHIFT_PATTERNS[self.shifts or kind.shifts]

    def randomness(self, *names: str) -> np.random.Generator:
        """A random stream of its own for these names, the same in every scenario with this seed."""
        words = [int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") for name in names]
        return np.random.default_rng(np.random.SeedSequence([self.seed, *words]))

    def to_dict(self) -> dict[str, Any]:
        """Return the scenario as JSON can hold it; ``scenario_from`` reads it back."""
        plain = {each.name: getattr(self, each.name) for each in fields(self)}
        machines = self.machines if isinstance(self.machines, int) else dict(self.machines)
        spans = {key: format_duration(plain[key]) for key in _SPANS}
        losses = [asdict(each) for each in self.losses]
        return plain | spans | {"machines": machines, "start": self.start.isoformat(), "losses": losses}


def scenario_from(settings: Mapping[str, Any]) -> Scenario:
    """Read a scenario from plain values, such as JSON or options of a command.

    Parameters
    ----------
    settings : attributes of ``Scenario`` by name; spans and the start may be text (``"20 min"``,
        ``"2026-01-05"``)

    Raises
    ------
    ScenarioError
        For an unknown name or a value that makes no sense.

    Examples
    --------
    >>> scenario_from({"machines": {"pump": 3}, "every": "20 min"}).every
    datetime.timedelta(seconds=1200)
    """
    known = [each.name for each in fields(Scenario)]
    values = dict(settings)
    for key in values:
        if key not in known:
            raise ScenarioError(f"scenario: no setting {key!r}; there are {', '.join(known)}")
    try:
        for key in _SPANS:
            if key in values:
                values[key] = parse_duration(values[key])
        if "losses" in values:
            given = values["losses"]
            values["losses"] = tuple(each if isinstance(each, PlantedLoss) else PlantedLoss(**each) for each in given)
        if isinstance(values.get("start"), str):
            values["start"] = datetime.strptime(values["start"], "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
        return Scenario(**values)
    except (ValueError, TypeError) as error:
        raise ScenarioError(f"scenario: {error}") from error


def _whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _number(value: object, most: float) -> bool:
    return isinstance(value, int | float) and 0 <= value <= most


def _machines_fine(machines: object) -> bool:
    if not isinstance(machines, Mapping):
        return _whole(machines, 1)
    counts = list(machines.values())
    return set(machines) <= set(KINDS) and all(_whole(each, 0) for each in counts) and any(counts)


def _every_fine(every: timedelta) -> bool:
    seconds = every.total_seconds()
    return seconds >= 1 and (3600 % seconds == 0 or (seconds % 3600 == 0 and 86400 % seconds == 0))
