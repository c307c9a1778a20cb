"""Whether the parts of a plant file fit together: names, references, and keys that need each other."""

import math
from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta

from ingest.duration import format_duration
from ingest.errors import ExpressionError
from ingest.expression import read_expression
from ingest.plant import (
    SIGNAL_LIMITS,
    AlertSettings,
    EventMapping,
    Job,
    KnownEvent,
    MachineClass,
    ModelEntry,
    Signal,
    Source,
)
from ingest.plant_characteristic_check import check_characteristics
from ingest.plant_condition_check import check_condition, check_histograms
from ingest.plant_cycle_check import check_cycles, not_a_moment
from ingest.plant_draft import Draft
from ingest.plant_energy_check import check_meters
from ingest.plant_job_check import check_jobs
from ingest.plant_kafka_check import check_kafka
from ingest.plant_mqtt_check import check_mqtt
from ingest.plant_opcua_check import check_opcua
from ingest.plant_problem import Problem
from ingest.plant_production_check import MADE, check_product_of, check_production, check_words
from ingest.plant_regime_check import check_regimes
from ingest.plant_route_check import check_calls, check_routes
from ingest.plant_target_check import check_targets
from ingest.plant_unit_check import check_units
from ingest.plant_watchdog_check import check_watchdog
from ingest.plant_waveform_check import check_waveforms
from ingest.plant_words import Location, either, nearest, shown
from ingest.plant_zone_check import check_zones
from ingest.reading import TAKEN_NAMES

_FORETELLING = ("failure_risk", "remaining_life")
"""Tasks whose levels are probabilities of an event within the horizon, which needs one."""

_NOTHING = timedelta()
_NAMED = (
    *("classes", "machines", "sources", "mqtt", "kafka", "opcua", "meters", "models", "jobs", "pools"),
    *("products", "shifts", "routes", "inhibits", "targets"),
)
_EPOCHS = ("iso", "s", "ms", "us", "ns")


def check(draft: Draft) -> list[Problem]:
    """Return what does not fit together, table by table."""
    found: list[Problem] = []
    for table in _NAMED:
        found += _repeated((table,), _written(draft, table, "name"), "name")
    found += _repeated(("failure_codes",), _written(draft, "failure_codes", "code"), "code")
    for index, entry in draft.classes.items():
        found += _class(("classes", index), entry)
    for index, machine in draft.machines.items():
        found += _class_known(draft, ("machines", index), machine.machine_class)
    for index, source in draft.sources.items():
        found += [*_source(draft, ("sources", index), source), *_columns(draft, ("sources", index), source)]
        for position, mapping in enumerate(source.events):
            found += _mapping(draft, ("sources", index, "events", position), source, mapping)
    found += [*check_mqtt(draft), *check_kafka(draft), *check_opcua(draft)]
    for index, event in draft.events.items():
        found += _known_event(draft, ("events", index), event)
    found += check_meters(draft)
    found += check_production(draft)
    for index, model in draft.models.items():
        found += [*_spans(("models", index), model), *_model(draft, ("models", index), model)]
    for index, job in draft.jobs.items():
        found += _job(draft, ("jobs", index), job)
    found += check_routes(draft, draft.names("targets"))
    found += check_jobs(draft)
    found += check_targets(draft)
    found += check_watchdog(draft)
    return found + (list(_alerts(draft.alerts)) if draft.alerts else [])


def _written(draft: Draft, table: str, key: str) -> list[object]:
    """Return what stands under a key of each entry of a table; ``None`` where nothing does."""
    entries = draft.document.get(table)
    return [each.get(key) if isinstance(each, dict) else None for each in entries] if isinstance(entries, list) else []


def _repeated(at: Location, names: Iterable[object], key: str = "") -> Iterator[Problem]:
    first: dict[object, int] = {}
    for index, name in enumerate(names):
        if isinstance(name, str) and first.setdefault(name, index) != index:
            place = (*at, index, key) if key else (*at, index)
            yield Problem(place, f"{name!r} stands here a second time; give every entry a name of its own")


def _unknown(at: Location, noun: str, name: str, known: Collection[str]) -> Iterator[Problem]:
    if name not in known:
        yield Problem(at, f"no {noun} {name!r}; {nearest(name, sorted(known))}")


def _class_known(draft: Draft, at: Location, name: str) -> Iterator[Problem]:
    if draft.signals:
        yield from _unknown((*at, "class"), "class", name, list(draft.signals))


def _not_positive(at: Location, span: timedelta | None) -> Iterator[Problem]:
    if span is not None and span <= _NOTHING:
        yield Problem(at, "is not above zero; write a duration such as '15 min'")


def _class(at: Location, entry: MachineClass) -> Iterator[Problem]:
    yield from _repeated((*at, "components"), entry.components)
    yield from _repeated((*at, "signals"), [signal.name for signal in entry.signals], "name")
    for index, signal in enumerate(entry.signals):
        here = (*at, "signals", index)
        if signal.name in TAKEN_NAMES:
            yield Problem((*here, "name"), f"{signal.name!r} is taken by Andon itself; name the signal otherwise")
        if signal.range is not None and not signal.range[0] < signal.range[1]:
            low, high = signal.range
            yield Problem((*here, "range"), f"{low:g} is not below {high:g}; write the lowest value first")
        yield from _limits((*here, "limits"), signal)
        yield from check_zones((*here, "zones"), signal)
        yield from _not_positive((*here, "every"), signal.every)
        yield from _max_age((*here, "max_age"), signal)
    yield from _repeated((*at, "bearings"), [bearing.name for bearing in entry.bearings], "name")
    yield from check_waveforms(at, entry)
    yield from check_histograms(at, entry)
    yield from check_characteristics(at, entry)
    yield from _repeated((*at, "regimes"), [regime.name for regime in entry.regimes], "name")
    yield from check_regimes(at, entry)
    yield from check_words((*at, "words"), entry.words)
    yield from _power((*at, "power"), entry)
    if entry.running is not None:
        try:
            read_expression(entry.running, [signal.name for signal in entry.signals])
        except ExpressionError as error:
            yield Problem((*at, "running"), str(error))
    if entry.settle > _NOTHING and entry.running is None:
        yield Problem((*at, "settle"), "has no meaning without 'running'; add running = \"speed > 100\" or such")


def _power(at: Location, entry: MachineClass) -> Iterator[Problem]:
    if entry.power is None:
        return
    yield from _unknown(at, "signal", entry.power, [signal.name for signal in entry.slow_signals])
    if entry.running is not None:
        yield Problem(at, "stands beside 'running', which says when machines run; keep one of the two")


def _max_age(at: Location, signal: Signal) -> Iterator[Problem]:
    yield from _not_positive(at, signal.max_age)
    if signal.every and signal.max_age and _NOTHING < signal.max_age < signal.every:
        every = format_duration(signal.every)
        yield Problem(at, f"is shorter than the time between two readings; write {every} or longer")


def _limits(at: Location, signal: Signal) -> Iterator[Problem]:
    if signal.limits is None:
        return
    low, high = signal.limits
    if not low < high:
        yield Problem(at, f"{low:g} is not below {high:g}; write the lowest value first")
    elif math.isinf(low) and math.isinf(high):
        yield Problem(at, "limits nothing; write a number, such as [-inf, 80], or leave it out")
    elif signal.range is not None:
        for limit in (low, high):
            if math.isfinite(limit) and not signal.range[0] <= limit <= signal.range[1]:
                whole = f"[{signal.range[0]:g}, {signal.range[1]:g}]"
                yield Problem(at, f"{limit:g} lies outside the sensor's range {whole}, which no reading leaves")


def _source(draft: Draft, at: Location, source: Source) -> Iterator[Problem]:
    if bool(source.machine) == bool(source.machine_is):
        yield Problem(
            (*at, "machine"),
            "stands beside 'machine_is'; keep one of the two"
            if source.machine
            else "is missing; write the column that names the machine, or machine_is = a machine's name",
        )
    if source.machine_is:
        yield from _unknown((*at, "machine_is"), "machine", source.machine_is, draft.machine_names)
    if source.machine_prefix and not source.machine:
        yield Problem(
            (*at, "machine_prefix"), "has no meaning without 'machine'; add machine = a column, or leave it out"
        )
    yield from check_cycles(at, source)
    if not source.path.strip():
        yield Problem((*at, "path"), "is empty; write a file, a folder or a glob such as 'readings/*.csv'")


def _columns(draft: Draft, at: Location, source: Source) -> Iterator[Problem]:
    if source.time_format not in _EPOCHS and "%" not in source.time_format:
        yield Problem(
            (*at, "time_format"),
            f"{source.time_format!r} is unknown; write {either(_EPOCHS)}, or a pattern such as '%d.%m.%Y %H:%M'",
        )
    several = [source.time, *(each for event in source.events for each in (event.time, event.end))]
    if source.time_format in _EPOCHS[1:] and any(len(columns or []) > 1 for columns in several):
        yield Problem(
            (*at, "time_format"),
            f"{source.time_format!r} counts in one column; write a pattern of all columns, such as '%d.%m.%Y %H:%M'",
        )
    if (source.signal_column is None) != (source.value_column is None):
        missing = "value_column" if source.signal_column else "signal_column"
        yield Problem((*at, missing), "is missing; the long form needs signal_column and value_column")
    if len(source.delimiter) != 1:
        yield Problem((*at, "delimiter"), f"{source.delimiter!r} is not one character; write ',', ';' or \"\\t\"")
    elif source.delimiter == source.decimal:
        yield Problem((*at, "delimiter"), f"{source.delimiter!r} is the decimal mark too; they must differ")
    declared = _of(draft.signals, draft.class_of.get(source.machine_is))
    for signal in source.signals or {}:
        yield from _unknown((*at, "signals", signal), "signal", signal, declared)
    for signal, levels in source.levels.items():
        yield from _unknown((*at, "levels", signal), "signal", signal, declared)
        yield from _repeated((*at, "levels", signal), levels)
    yield from check_units(draft, (*at, "units"), source.units, source.machine_is)


def _mapping(draft: Draft, at: Location, source: Source, mapping: EventMapping) -> Iterator[Problem]:
    for key in ("component", "code"):
        if getattr(mapping, key) and getattr(mapping, f"{key}_is"):
            yield Problem((*at, key), f"stands beside '{key}_is'; keep one of the two")
    if mapping.end and mapping.flag:
        yield Problem((*at, "end"), "stands beside 'flag', which says when the event ends; keep one of the two")
    for column, values in mapping.where.items():
        if not values:
            yield Problem((*at, "where", column), 'is empty; write the values to keep, such as ["down"]')
    if mapping.component_is:
        declared = _of(draft.components, draft.class_of.get(source.machine_is))
        yield from _unknown((*at, "component_is"), "component", mapping.component_is, declared)
    yield from check_product_of(draft, at, mapping)


def _known_event(draft: Draft, at: Location, event: KnownEvent) -> Iterator[Problem]:
    yield from _unknown((*at, "machine"), "machine", event.machine, draft.machine_names)
    if event.component and event.kind in MADE:
        yield from _unknown((*at, "component"), "product", event.component, draft.names("products"))
    elif event.component:
        declared = _of(draft.components, draft.class_of.get(event.machine))
        yield from _unknown((*at, "component"), "component", event.component, declared)
    wrong = [*not_a_moment((*at, "time"), event.time), *not_a_moment((*at, "end"), event.end)]
    yield from wrong
    if event.end is not None and draft.zone is not None and not wrong:
        begin, end = (each if each.tzinfo else each.replace(tzinfo=draft.zone) for each in (event.time, event.end))
        if end.timestamp() < begin.timestamp():
            yield Problem((*at, "end"), f"{shown(event.end)} is before the event's time, {shown(event.time)}")


def _spans(at: Location, model: ModelEntry) -> Iterator[Problem]:
    if model.task in _FORETELLING:
        yield from _not_positive((*at, "horizon"), model.horizon)
    yield from check_condition(at, model)
    if model.horizon > _NOTHING and model.needed_lead >= model.horizon:
        yield Problem(
            (*at, "needed_lead"),
            f"{format_duration(model.needed_lead)} is not shorter than the horizon of "
            f"{format_duration(model.horizon)}; no alert could ever be right",
        )
    for mode, lead in model.needed_leads.items():
        if model.horizon > _NOTHING and lead >= model.horizon:
            yield Problem(
                (*at, "needed_leads", mode),
                f"{format_duration(lead)} is not shorter than the horizon of "
                f"{format_duration(model.horizon)}; no alert about it could ever be right",
            )
    if model.horizons and model.task != "failure_risk":
        yield Problem((*at, "horizons"), f"{model.task} tells no probabilities; leave it out, or use 'failure_risk'")
    if model.most_false_alarms_per_machine_year is not None and model.task != "failure_risk":
        yield Problem(
            (*at, "most_false_alarms_per_machine_year"),
            "caps what costs allow a failure_risk; of an anomaly, 'false_alarms_per_machine_year' says how many",
        )
    for index, horizon in enumerate(model.horizons):
        yield from _not_positive((*at, "horizons", index), horizon)
    for index, window in enumerate(model.windows):
        yield from _not_positive((*at, "windows", index), window)
    yield from _not_positive((*at, "stride"), model.stride)
    yield from _not_positive((*at, "baseline"), model.baseline)
    if model.split == "baseline" and (model.baseline is None or model.task != "anomaly"):
        yield Problem(
            (*at, "split"),
            "'baseline' is for models of task 'anomaly'; write 'time' or 'machine'"
            if model.task != "anomaly"
            else "'baseline' needs to know how long that is; add a baseline such as '30 d'",
        )


def _model(draft: Draft, at: Location, model: ModelEntry) -> Iterator[Problem]:
    if model.name == SIGNAL_LIMITS:
        yield Problem((*at, "name"), f"{SIGNAL_LIMITS!r} is taken by Andon itself; name the model otherwise")
    yield from _class_known(draft, at, model.machine_class)
    yield from not_a_moment((*at, "train_until"), model.train_until)
    if model.estimator and model.task != "failure_risk":
        yield Problem((*at, "estimator"), f"has no meaning for task '{model.task}'; only a failure_risk takes one")
    if model.estimator_parameters and not model.estimator:
        yield Problem((*at, "estimator_parameters"), "stands without 'estimator'; name the class that takes them")
    if model.machine_class not in draft.signals:
        return
    classes_in_use = set(draft.class_of.values())
    if model.machine_class not in classes_in_use and classes_in_use <= set(draft.signals):
        yield Problem((*at, "class"), f"no machine is of class {model.machine_class!r}; add machines or another class")
    for index, signal in enumerate(model.signals):
        yield from _unknown((*at, "signals", index), "signal", signal, draft.signals[model.machine_class])
    yield from _repeated((*at, "signals"), model.signals)
    if model.target.component:
        declared = draft.components.get(model.machine_class, [])
        yield from _unknown((*at, "target", "component"), "component", model.target.component, declared)


def _job(draft: Draft, at: Location, job: Job) -> Iterator[Problem]:
    if (job.cron is None) == (job.every is None):
        yield Problem(
            (*at, "cron"),
            "stands beside 'every'; keep one of the two"
            if job.cron is not None
            else "is missing; write when, such as cron = '0 6 * * *' or every = '1 h'",
        )
    yield from _not_positive((*at, "every"), job.every)
    for index, name in enumerate(job.models):
        yield from _unknown((*at, "models", index), "model", name, draft.names("models"))
    if job.action in ("score", "train", "backtest") and "models" not in draft.document:
        yield Problem((*at, "action"), f"{job.action!r} needs a model and the plant has none; add a [[models]] table")


def _alerts(settings: AlertSettings) -> Iterator[Problem]:
    needed, of = settings.on_delay
    if not 1 <= needed <= of:
        yield Problem(("alerts", "on_delay"), f"{needed} of {of} cannot be; write [n, m] with n from 1 to m, as [2, 3]")
    yield from _not_positive(("alerts", "longest_shelving"), settings.longest_shelving)
    yield from _not_positive(("alerts", "longest_out_of_service"), settings.longest_out_of_service)
    yield from check_calls(settings)


def _of(names: dict[str, list[str]], machine_class: str | None) -> list[str]:
    if machine_class in names:
        return names[machine_class]
    return list(dict.fromkeys(name for each in names.values() for name in each))
