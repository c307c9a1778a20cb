"""◆ The plant: what exists and what matters, as its people wrote it in ``plant.toml``.

These are the nouns; ``plant_file.py`` reads them from a file and names every mistake at once.
``docs/plant_file.md`` is generated from the descriptions here.
"""

from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from ingest.duration import Duration, SomeTime
from ingest.event import EventKind
from ingest.part import Columns, Moment, Name, Part, TimeColumns, ZoneName
from ingest.plant_bearing import Bearing
from ingest.plant_characteristic import Characteristic
from ingest.plant_condition import Condition, Histogram, Split
from ingest.plant_energy import Meter
from ingest.plant_failure import FailureCode
from ingest.plant_job import Job as Job
from ingest.plant_job import Pool
from ingest.plant_kafka import Kafka
from ingest.plant_mqtt import Mqtt
from ingest.plant_opcua import Opcua
from ingest.plant_production import Product, Production, Shift, Words
from ingest.plant_route import AlertKind, Inhibit, Route
from ingest.plant_target import MessageTarget
from ingest.plant_watchdog import Watchdog
from ingest.plant_work_orders import WorkOrderSettings
from ingest.rate import Rate


class Signal(Part):
    """One thing that is measured on every machine of a class."""

    name: Name = Field(description="Name of the signal, unique in its class.")
    unit: str = Field("", description="Unit as engineers write it: degC, bar, mm/s, A. Shown in every sentence.")
    range: tuple[float, float] | None = Field(
        None, description="Lowest and highest value that the sensor can give; a value outside is rejected and kept."
    )
    limits: tuple[float, float] | None = Field(
        None,
        description="Lowest and highest value of good running, which features may count the time beyond; "
        "-inf or inf where there is none. Nothing is rejected.",
    )
    zones: str | None = Field(
        None,
        description="Vibration velocity, or a waveform whose velocity is worked out: the zones of a standard that hold "
        "for the machine, such as 'ISO 10816-1 II'; beyond zone B an alert is raised from the first day on. They are "
        "data with edition, clause and source, and unchecked.",
    )
    every: Duration | None = Field(
        None,
        description="Expected time between two readings, of a waveform between two snapshots; measured on the "
        "signal's first ones when left out.",
    )
    max_age: Duration | None = Field(
        None,
        description="How old its newest reading may be and still say what the signal says now: for 'running', for the "
        "speed of a shaft, and for the time beyond a limit. Five times the time between two readings when left out; "
        "longer for a signal that comes on change only.",
    )
    operating: bool = Field(
        False,
        description="Whether it is set by the operator or by demand, as speed, load or product are: context of all "
        "other signals, and no anomaly by itself.",
    )
    rate: Rate | None = Field(
        None, description="Samples a second of a waveform, such as vibration: an unbroken run of them is a snapshot."
    )
    snapshot: Duration | None = Field(
        None,
        description="Waveform that never pauses: length of the pieces that it is cut into, at multiples of it since "
        "1970; unbroken runs are the snapshots when left out.",
    )
    speed: str | None = Field(
        None, description="Waveform: signal with the speed of the shaft, in rpm or Hz; or a fixed one, '1480 rpm'."
    )
    bands: list[tuple[float, float]] = Field(
        [], description="Waveform: bands of its own to follow, as [lowest, highest] in Hz."
    )


class Regime(Part):
    """A way of running that has a normal of its own, such as a duty or a product; of several the first counts."""

    name: Name = Field(description="Name of the regime, unique in its class; it stands in the names of its features.")
    when: str = Field(description='When a machine runs so, over signals and `state`: "speed > 1400".')


class MachineClass(Part):
    """A kind of machine: what all machines of the class share."""

    name: Name = Field(description="Name of the class.")
    components: list[Name] = Field([], description="Parts that fail, are repaired and have clocks of their own.")
    signals: list[Signal] = Field(min_length=1, description="Signals of the class.")
    running: str | None = Field(
        None,
        description="When the machine runs, over signals and `state`: \"speed > 100 and state != 'maintenance'\"; "
        "what was read while it surely did not is left out. Always when left out.",
    )
    settle: Duration = Field(
        timedelta(0),
        description="How long after each start it takes to settle; left out, too. Needs 'running'.",
    )
    regimes: list[Regime] = Field(
        [],
        description="Ways of running that have a normal of their own; found in the signals that are `operating` when "
        "left out, or none where none is.",
    )
    bearings: list[Bearing] = Field([], description="Bearings that its waveform signals listen to.")
    histograms: list[Histogram] = Field(
        [], description="Signals that are the bins of histograms: models of conditions look at the shares of each bin."
    )
    characteristics: list[Characteristic] = Field([], description="Signals that are watched by control charts.")
    words: Words = Field(
        Words(), description="What words of these machines mean that mean something else elsewhere in the plant."
    )
    power: str | None = Field(
        None,
        description="Signal of a current or a power whose two levels say when a machine runs that reports no states; "
        "only where 'running' is left out.",
    )

    @property
    def waveforms(self) -> list[Signal]:
        """Signals that come as snapshots of many samples a second."""
        return [each for each in self.signals if each.rate is not None]

    @property
    def slow_signals(self) -> list[Signal]:
        """Signals that are no waveforms, each reading of which stands for itself."""
        return [each for each in self.signals if each.rate is None]


class Machine(Part):
    """One machine and its place in the plant (ISA-95: site, area, line)."""

    name: Name = Field(description="Name of the machine as it stands in the data; unique in the plant.")
    machine_class: Name = Field(alias="class", description="Its class.")
    site: str = Field("", description="Site.")
    area: str = Field("", description="Area.")
    line: str = Field("", description="Production line.")
    hold_out: bool = Field(
        False,
        description="Whether nothing is learnt from it and no backtest judges it, so that a last test stays one; it is "
        "watched like all others.",
    )


class EventMapping(Part):
    """How rows of a source become events of one kind."""

    kind: EventKind = Field(description="What happened.")
    time: TimeColumns | None = Field(
        None, description="Column (or columns, joined by a blank) of the time; the source's own when left out."
    )
    end: TimeColumns | None = Field(
        None, description="Column (or columns, joined by a blank) of the end, for events that last."
    )
    flag: str | None = Field(
        None, description="Column that is non-zero while the event lasts; a run of such rows is one event."
    )
    where: dict[str, Columns] = Field({}, description="Only rows whose column has one of these values.")
    component: str | None = Field(None, description="Column of the component.")
    component_is: str = Field("", description="The component, when it is the same for all rows.")
    product: str | None = Field(None, description="Order or count: column of the product.")
    product_is: str = Field("", description="Order or count: the product, when it is the same for all rows.")
    code: str | None = Field(
        None,
        description="Column of the failure mode, error code, state, reason of a stop, order number or name of a "
        "shift; of a count whether the pieces are 'good', 'scrap' or 'rework'.",
    )
    code_is: str = Field("", description="The code, when it is the same for all rows.")
    value: str | None = Field(
        None, description="Column of a number that belongs to the event, such as the pieces of a count."
    )

    @property
    def part(self) -> str | None:
        """Column of what stands as ``component`` of its events: the product of orders and counts."""
        return self.product or self.component

    @property
    def part_is(self) -> str:
        """The same, when it is one for all rows."""
        return self.product_is or self.component_is


class Source(Part):
    """Files that hold readings, events or both, and how their columns are meant."""

    name: Name = Field(description="Name of the source, unique in the plant.")
    path: str = Field(description="A file, a folder or a glob, relative to the plant file.")
    format: Literal["csv", "parquet", "arrow"] | None = Field(None, description="Guessed from the ending if left out.")
    machine: Columns = Field([], description="Column (or columns, joined by '/') that names the machine.")
    machine_is: str = Field("", description="The machine, when all rows are of one machine.")
    machine_prefix: str = Field(
        "", description="Written before each name in those columns, where two sources name different machines alike."
    )
    time: TimeColumns | None = Field(
        None, description="Column of the event time; or columns, such as date and clock, joined by a blank."
    )
    time_format: str = Field(
        "iso", description="'iso', 's', 'ms', 'us' or 'ns' since 1970, or a strptime pattern such as '%d.%m.%Y %H:%M'."
    )
    time_zone: ZoneName | None = Field(None, description="Zone of times that name none; the plant's when left out.")
    cycle: str | None = Field(None, description="Column with a cycle counter, in place of a time.")
    cycle_length: Duration | None = Field(None, description="Length of one cycle; needed with 'cycle'.")
    cycle_start: Moment | None = Field(None, description="Time of cycle 0; 2000-01-01 UTC when left out.")
    cycle_after_newest: bool = Field(
        False, description="Cycle 0 is the newest reading of each machine, from the sources before this one."
    )
    cycle_is_row: bool = Field(
        False,
        description="Rows name neither time nor cycle: they stand in the order in which they came, and the number of "
        "a row in its file, from 0, is its cycle.",
    )
    step: str | None = Field(None, description="Column that counts readings within a cycle; needs 'cycle'.")
    step_length: Duration | None = Field(None, description="Time between two such readings; needed with 'step'.")
    signals: dict[str, str] | None = Field(
        None,
        description="Column of each signal, as signal = column; when left out: columns named as the signals, "
        "or none if the source gives events.",
    )
    units: dict[str, str] = Field(
        {},
        description="Unit in which the source delivers a signal, as signal = unit, where it is another one than the "
        "signal's own; converted when it is read.",
    )
    levels: dict[str, list[str]] = Field(
        {},
        description="Words that the source writes in place of numbers, such as kinds of a product, as signal = words, "
        "in an order that means something if any does: read as 0, 1, 2 …",
    )
    signal_column: str | None = Field(None, description="Long form: column that names the signal.")
    value_column: str | None = Field(None, description="Long form: column that holds the value.")
    events: list[EventMapping] = Field([], description="Events that the rows tell of.")
    run_to_failure: bool = Field(False, description="Each machine's last row is its failure.")
    other_machines: Literal["reject", "ignore"] = Field(
        "reject", description="Rows of machines that the plant file does not name: reject with a reason, or ignore."
    )
    delimiter: str = Field(",", description="CSV: between two columns.")
    decimal: Literal[".", ","] = Field(".", description="CSV: decimal mark.")


class KnownEvent(Part):
    """An event written into the plant file by hand."""

    machine: Name = Field(description="Machine.")
    kind: EventKind = Field(description="What happened.")
    time: Moment = Field(description="When; the plant's zone unless it names one.")
    end: Moment | None = Field(None, description="When it was over.")
    component: str = Field("", description="Component; of an order or a count its product.")
    code: str = Field("", description="Failure mode, error code, state or reason of a stop.")
    note: str = Field("", description="Anything worth knowing.")


class Costs(Part):
    """What things cost, in the plant's currency; every threshold and every report is built on these."""

    missed_failure: float = Field(
        10_000, ge=0, allow_inf_nan=False, description="A failure that nobody saw coming, all in."
    )
    planned_stop: float = Field(
        2_000, ge=0, allow_inf_nan=False, description="The repair done in time because an alert was right."
    )
    false_alarm: float = Field(500, ge=0, allow_inf_nan=False, description="Looking after an alert that was wrong.")
    energy_per_kwh: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="A kWh; no money is told of energy when left out."
    )
    co2e_per_kwh: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="kg CO2e of a kWh; no CO2e is told when left out."
    )


class Target(Part):
    """Which events a model is to foresee, and is judged by."""

    kind: EventKind = Field("failure", description="Kind of event.")
    component: str = Field("", description="Only this component.")
    code: str = Field("", description="Only this code.")


TaskName = Literal["failure_risk", "anomaly", "remaining_life", "condition"]
"""What a model can be asked for; each has a row in ``models.tasks.table``."""
DetectorName = Literal[
    "principal components", "nearest memory", "ridge residual", "robust distance", "isolation", "shift"
]
"""The names in ``models.detector.DETECTORS``."""


class ModelEntry(Part):
    """A model to train."""

    name: Name = Field(description="Name of the model, unique in the plant.")
    task: TaskName = Field(
        description="failure_risk: probability of a failure within the horizon; needs failures. "
        "anomaly: strangeness; needs no labels. remaining_life: hours until a failure, with an interval; needs "
        "machines that failed. condition: what an inspection of a piece, a cycle or a machine would record; needs "
        "inspections with codes."
    )
    machine_class: Name = Field(alias="class", description="Class of machines that it watches.")
    horizon: Duration = Field(description="How far ahead an alert may come before the event and still be right.")
    horizons: list[Duration] = Field(
        [],
        description="failure_risk: more spans to tell the probability of a failure for, such as "
        "['1 d', '7 d', '30 d']; alerts are raised and judged by 'horizon' alone.",
    )
    needed_lead: Duration = Field("0 s", validate_default=True, description="An alert later than this is a miss.")
    needed_leads: dict[Name, Duration] = Field(
        {},
        description="The same for single components or failure modes (codes), where it is another one: "
        "{ bearing = '3 d', seal = '4 h' }.",
    )
    windows: list[Duration] = Field(
        [], description="Lengths of the windows; chosen from sampling and horizon if empty."
    )
    stride: Duration | None = Field(None, description="Time between two assessments; chosen when left out.")
    signals: list[Name] = Field([], description="Signals to use; all of the class when empty.")
    features: list[Name] = Field(
        [],
        description="Features of each signal, by their names in docs/features_catalogue.md; the usual ones when empty.",
    )
    target: Target = Field(Target(), description="Events to foresee and be judged by.")
    baseline: Duration | None = Field(
        None, description="Time at the start of each machine's history that is its own normal; none when left out."
    )
    split: Split | None = Field(
        None,
        description="How the backtest keeps training and judging apart; by machine for run-to-failure sources, "
        "by time otherwise. Anomaly only: `baseline`, each machine learns from its own 'baseline' and nothing else. "
        "Conditions only: `group` keeps pieces of one group together, and `random` does not.",
    )
    train_until: Moment | None = Field(
        None, description="End of the backtest's training part; when 60 % of the hours that hold readings have passed."
    )
    min_fill: float = Field(
        0.3,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="Least share of its expected readings that a window must hold of a signal, or its features say "
        "nothing; three readings in any case.",
    )
    events_per_machine_year: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="How often the event really comes, where the history shows it more often than life does: machines "
        "that all run to failure, or readings chosen around failures. The share of right alerts is told for it.",
    )
    false_alarms_per_machine_year: float = Field(
        2.0, gt=0, allow_inf_nan=False, description="Anomaly: how many false alarms a healthy machine may raise."
    )
    estimator: str | None = Field(
        None,
        pattern=r"^[^\W\d]\w*(\.[^\W\d]\w*)+$",
        description="Failure risk: a class of your own in place of ours, by its dotted name such as "
        "'my_package.MyClassifier'; see docs/estimators.md.",
    )
    estimator_parameters: dict[str, Any] = Field({}, description="What that class is made with.")
    condition: Condition = Field(Condition(), description="Condition: good codes, costs of mistakes, groups.")
    detectors: list[DetectorName] = Field(
        [], description="Anomaly: detectors that look at the machines together; the usual ones when empty."
    )
    most_false_alarms_per_machine_year: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="failure_risk: raise no more false alarms than that, even where the costs would have more; the "
        "costs alone decide when left out.",
    )


class AlertSettings(Part):
    """When a run of assessments becomes an alert, and when it is over."""

    on_delay: tuple[int, int] = Field((2, 3), description="Raise when n of the last m windows are over the threshold.")
    off_delay: int = Field(3, ge=1, description="Over after this many windows in a row below the threshold.")
    dead_band: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="While an alert lasts, a level counts as below only where it is lower than the threshold by this "
        "share of it: 0.1 is 90 % of the threshold. It raises nothing.",
    )
    keep_firing: Duration = Field(
        timedelta(0),
        description="Over this long after the newest window that was not below, at the earliest.",
    )
    latch: list[AlertKind] = Field(
        [], description="Kinds of alerts that stay until somebody resets them, although what they warn of is over."
    )
    longest_shelving: Duration = Field(
        timedelta(hours=24), description="No alert is shelved for longer, and none is silenced for longer."
    )
    longest_out_of_service: Duration = Field(
        timedelta(days=30), description="No machine or cause is out of service for longer in one go."
    )
    budget: int = Field(
        5,
        ge=0,
        description="New calls a week on each route, at most; what is worth less than others that are to be expected "
        "is told in the digest. Critical ones come on top.",
    )
    critical: list[AlertKind] = Field([], description="Kinds of alerts that are always critical.")
    resolve_after: SomeTime = Field(
        timedelta(minutes=5),
        description="An alert that another system posted without an end is over when it is not posted again for so "
        "long.",
    )
    critical_per_hour: float | None = Field(
        None,
        allow_inf_nan=False,
        description="Critical from so much money at stake each hour; when left out, a missed failure within a day.",
    )


SIGNAL_LIMITS = "signal limits"
"""What stands in place of a model's name where limits raise alerts; no model may be called so."""


class Plant(Part):
    """A production plant."""

    name: Name = Field("Plant", description="Name of the plant.")
    time_zone: ZoneName = Field("UTC", description="IANA zone of shifts, schedules and naive times.")
    currency: str = Field("EUR", description="Currency of the costs.")
    late_within: Duration = Field(
        "7 d",
        validate_default=True,
        description="Readings that come late score the windows again that they touch; those that come later than this "
        "behind the newest scored window are kept and counted, and score nothing again.",
    )
    old_after: Duration = Field(
        "3650 d",
        validate_default=True,
        description="A reading or an event that comes over a stream or HTTP and is older than this when it comes is "
        "turned away: a clock lost the time. Files may hold what is older.",
    )
    data: str = Field("andon-data", description="Folder for readings, state and models, relative to the plant file.")
    classes: list[MachineClass] = Field(min_length=1, description="Kinds of machines.")
    machines: list[Machine] = Field(min_length=1, description="Machines.")
    sources: list[Source] = Field([], description="Where data comes from.")
    mqtt: list[Mqtt] = Field([], description="Brokers to listen to.")
    kafka: list[Kafka] = Field([], description="Kafka clusters to listen to.")
    opcua: list[Opcua] = Field([], description="OPC UA servers to read from.")
    events: list[KnownEvent] = Field([], description="Events written by hand.")
    meters: list[Meter] = Field([], description="Energy meters.")
    failure_codes: list[FailureCode] = Field([], description="What codes of failures mean; their own words when empty.")
    costs: Costs = Field(Costs(), description="Costs.")
    products: list[Product] = Field([], description="What is made.")
    shifts: list[Shift] = Field([], description="When it is made; at any time when empty.")
    production: Production = Field(Production(), description="How lost time is told apart, and what it is worth.")
    models: list[ModelEntry] = Field([], description="Models to train.")
    alerts: AlertSettings = Field(AlertSettings(), description="Alert settings.")
    routes: list[Route] = Field([], description="Who is called for which alerts; nobody when empty.")
    inhibits: list[Inhibit] = Field([], description="What need not be said while something worse is known.")
    work_orders: WorkOrderSettings | None = Field(None, description="Drafts of work orders.")
    jobs: list[Job] = Field([], description="Schedules.")
    pools: list[Pool] = Field([], description="Places that jobs share.")
    watchdog: Watchdog = Field(Watchdog(), description="Who watches Andon itself.")
    targets: list[MessageTarget] = Field([], description="Who is told of alerts.")
    folder: Path = Field(Path(), exclude=True, description="Folder of the plant file; set when it is read.")

    @property
    def zone(self) -> ZoneInfo:
        """The plant's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def data_folder(self) -> Path:
        """Absolute path of the data folder."""
        return (self.folder / self.data).resolve()

    def class_named(self, name: str) -> MachineClass:
        """Return the class with this name; ``KeyError`` if there is none."""
        return {each.name: each for each in self.classes}[name]

    def machine_named(self, name: str) -> Machine:
        """Return the machine with this name; ``KeyError`` if there is none."""
        return {each.name: each for each in self.machines}[name]

    def machines_of(self, machine_class: str) -> tuple[str, ...]:
        """Names of the machines of a class, in the order of the plant file."""
        return tuple(each.name for each in self.machines if each.machine_class == machine_class)

    def teachers_of(self, machine_class: str) -> tuple[str, ...]:
        """Names of the machines of a class that models may learn from and are judged on."""
        return tuple(each.name for each in self.machines if each.machine_class == machine_class and not each.hold_out)

    def class_of(self, machine: str) -> MachineClass:
        """Return the class of a machine; ``KeyError`` if there is no such machine."""
        return self.class_named(self.machine_named(machine).machine_class)

    def failure_code(self, code: str) -> FailureCode | None:
        """Return what a code of failures means, where the plant file says so."""
        return next((each for each in self.failure_codes if each.code == code), None)

    def only(self, machines: Collection[str]) -> "Plant":
        """Return the plant as if there were only these machines: their classes, models, meters and events."""
        kept = [each for each in self.machines if each.name in machines]
        classes = {each.machine_class for each in kept}
        return self.model_copy(
            update={
                "machines": kept,
                "classes": [each for each in self.classes if each.name in classes],
                "models": [each for each in self.models if each.machine_class in classes],
                "meters": [each for each in self.meters if _reads_only(each, machines, classes)],
                "events": [each for each in self.events if each.machine in machines],
            }
        )


def _reads_only(meter: Meter, machines: Collection[str], classes: Collection[str]) -> bool:
    """Say whether a meter and all that drives it are read on these machines, or on any of these classes."""
    own = meter.machine in machines if meter.machine else meter.machine_class in classes
    return own and all(not each.machine or each.machine in machines for each in meter.drivers)
