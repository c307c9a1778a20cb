"""The plant file of a simulated plant, ready to use."""

import json
from collections.abc import Iterator, Mapping, Sequence

from ingest.duration import format_duration
from ingest.simulation.kind import MachineKind, SignalPhysics
from ingest.simulation.kinds.catalogue import KINDS
from ingest.simulation.production_text import FLOOR_EVENTS, production_text
from ingest.simulation.scenario import Scenario
from ingest.simulation.shifts import SHIFT_PATTERNS

_HEAD = """\
# Made by the plant simulator, seed {seed}: {machines} machines, {days} days from {start}.
# Times are in UTC; shifts and schedules follow the plant's time zone.
name = {name}
time_zone = "{time_zone}"
currency = "EUR"
data = "andon-data"

[costs]
missed_failure = 8000
planned_stop = 1500
false_alarm = 600

[alerts]
on_delay = [2, 3]
off_delay = 3
"""

_EVENTS = """
[[sources]]
name = "events"
path = "events.csv"
machine = "machine"
time = "time"
events = [
    {{ kind = "failure", where = {{ kind = ["failure"] }}, component = "component", code = "code" }},
{lasting}
    {{ kind = "error", where = {{ kind = ["error"] }}, code = "code" }},
{floor}]
"""

_PRODUCTION = """
[[sources]]
name = "production"
path = "production.csv"
machine = "machine"
time = "begin"
events = [
    { kind = "order", end = "end", code = "order", product = "product" },
    { kind = "count", time = "end", code_is = "good", value = "good", product = "product" },
    { kind = "count", time = "end", code_is = "scrap", value = "scrap", product = "product" },
]
"""

_READ_FILES = """
[[jobs]]
name = "read new files"
action = "ingest"
cron = "0 * * * *"
"""

_JUDGE_LOSSES = """\
[[jobs]]
name = "judge losses after each shift"
action = "losses"
cron = "30 6,14,22 * * *"

"""

_JOBS = """
[[jobs]]
name = "look at all machines"
action = "score"
cron = "10 * * * *"

{losses}[[jobs]]
name = "learn anew every night"
action = "train"
cron = "30 2 * * *"
"""


def plant_text(scenario: Scenario, sources: str, foreseeable: Mapping[str, bool], *, files: bool) -> str:
    """Return the text of ``plant.toml``.

    Parameters
    ----------
    sources : the tables that say where readings and events come from
    foreseeable : for each class of machines whether its history has failures enough to learn from
    files : whether these are files, which a job then reads
    """
    kinds = [KINDS[name] for name in scenario.machines_per_kind]
    head = _HEAD.format(
        seed=scenario.seed,
        machines=len(scenario.plant()),
        days=scenario.days,
        start=scenario.start,
        name=json.dumps(scenario.name),
        time_zone=scenario.time_zone,
    )
    parts = [
        head,
        *(_class(kind, format_duration(scenario.every)) for kind in kinds),
        *_machines(scenario),
        *production_text(scenario, kinds),
        sources,
        *(_models(scenario, kind, foreseeable[kind.name]) for kind in kinds),
        _READ_FILES if files else "",
        _JOBS.format(losses=_JUDGE_LOSSES if scenario.floor else ""),
    ]
    return "".join(parts)


def file_sources(scenario: Scenario, suffix: str, *, production: bool) -> str:
    """Return the tables that read what was written.

    Parameters
    ----------
    suffix : ending of the readings' files, "parquet" or "csv"
    production : whether there is a ``production.csv``
    """
    lasting = "\n".join(
        f'    {{ kind = "{kind}", where = {{ kind = ["{kind}"] }}, end = "end", '
        'component = "component", code = "code" },'
        for kind in ("maintenance", "stop")
    )
    parts = [
        *(_readings(name, suffix) for name in scenario.machines_per_kind),
        _EVENTS.format(lasting=lasting, floor=FLOOR_EVENTS if scenario.floor else ""),
        _PRODUCTION if production else "",
    ]
    return "".join(parts)


def _class(kind: MachineKind, every: str) -> str:
    components = ", ".join(f'"{each.name}"' for each in kind.components)
    signals = "\n".join(_signal(each, every) for each in kind.signals)
    return (
        f'\n[[classes]]\nname = "{kind.name}"\ncomponents = [{components}]\n'
        f'running = "{kind.running}"\nsettle = "{kind.settle_hours} h"\nsignals = [\n{signals}\n]\n'
    )


def _signal(signal: SignalPhysics, every: str) -> str:
    span = f"[{signal.low:g}, {signal.high:g}]"
    return f'    {{ name = "{signal.name}", unit = "{signal.unit}", range = {span}, every = "{every}" }},'


def _machines(scenario: Scenario) -> Iterator[str]:
    for machine in scenario.plant():
        yield (
            f'\n[[machines]]\nname = "{machine.name}"\nclass = "{machine.kind.name}"\n'
            f'site = "main site"\narea = "{machine.kind.area}"\nline = "{machine.line}"\n'
        )


def _readings(kind: str, suffix: str) -> str:
    return (
        f'\n[[sources]]\nname = "{kind} readings"\npath = "readings/{kind}/*.{suffix}"\n'
        'machine = "machine"\ntime = "time"\n'
    )


def _models(scenario: Scenario, kind: MachineKind, foreseeable: bool) -> str:
    """Models of a class; where nights and Sundays are off, windows hold whole days and the horizon is longer."""
    always_on = scenario.pattern(kind) == SHIFT_PATTERNS["continuous"]
    horizon, windows = ("3 d", ("12 h", "3 d", "14 d")) if always_on else ("5 d", ("24 h", "7 d", "21 d"))
    listed = ", ".join(f'"{each}"' for each in windows)
    tasks: Sequence[tuple[str, str]] = [("failure", "failure_risk")] if foreseeable else []
    return "".join(
        f'\n[[models]]\nname = "{kind.name} {word}"\ntask = "{task}"\nclass = "{kind.name}"\n'
        f'horizon = "{horizon}"\nneeded_lead = "8 h"\nwindows = [{listed}]\nstride = "4 h"\n'
        for word, task in (*tasks, ("strangeness", "anomaly"))
    )
