"""The reference page of the plant file, written from ``plant.py`` itself.

Regenerate it with ``python -m ingest.plant_reference > docs/plant_file.md``.
"""

import inspect
import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from ingest.duration import format_duration
from ingest.part import Part
from ingest.plant import (
    AlertSettings,
    Costs,
    EventMapping,
    KnownEvent,
    Machine,
    MachineClass,
    ModelEntry,
    Plant,
    Regime,
    Signal,
    Source,
    Target,
)
from ingest.plant_bearing import Bearing
from ingest.plant_characteristic import Characteristic
from ingest.plant_condition import Condition, Histogram, Mistake
from ingest.plant_energy import Driver, Meter
from ingest.plant_failure import MODES, FailureCode
from ingest.plant_job import Job, Pool
from ingest.plant_kafka import Kafka, KafkaTopic
from ingest.plant_mqtt import Mqtt, MqttTopic, Sparkplug
from ingest.plant_opcua import Opcua, OpcuaNodes
from ingest.plant_production import Product, Production, Shift, Words
from ingest.plant_route import Duty, Inhibit, Route, Rung, Which
from ingest.plant_target import MessageTarget
from ingest.plant_watchdog import Watchdog
from ingest.plant_words import keys_of, plain_type, type_in_words
from ingest.plant_work_orders import WorkOrderSettings

EXAMPLE = Path(__file__).with_name("plant_example.toml")

_TABLES: dict[str, type[Part]] = {
    "Top of the file": Plant,
    "[[classes]]": MachineClass,
    "[[classes.signals]]": Signal,
    "[[classes.regimes]]": Regime,
    "[[classes.bearings]]": Bearing,
    "[[classes.histograms]]": Histogram,
    "[[classes.characteristics]]": Characteristic,
    "[[machines]]": Machine,
    "[[sources]]": Source,
    "[[sources.events]]": EventMapping,
    "[[mqtt]]": Mqtt,
    "[[mqtt.topics]]": MqttTopic,
    "[mqtt.sparkplug]": Sparkplug,
    "[[kafka]]": Kafka,
    "[[kafka.topics]]": KafkaTopic,
    "[[opcua]]": Opcua,
    "[[opcua.nodes]]": OpcuaNodes,
    "[[events]]": KnownEvent,
    "[[failure_codes]]": FailureCode,
    "[[meters]]": Meter,
    "[[meters.drivers]]": Driver,
    "[costs]": Costs,
    "[[products]]": Product,
    "[[shifts]]": Shift,
    "[production]": Production,
    "[production.words]": Words,
    "[[models]]": ModelEntry,
    "[models.target]": Target,
    "[models.condition]": Condition,
    "[[models.condition.mistakes]]": Mistake,
    "[alerts]": AlertSettings,
    "[[routes]]": Route,
    "[routes.when]": Which,
    "[[routes.on_call]]": Duty,
    "[[routes.escalate]]": Rung,
    "[[inhibits]]": Inhibit,
    "[work_orders]": WorkOrderSettings,
    "[[jobs]]": Job,
    "[[pools]]": Pool,
    "[watchdog]": Watchdog,
    "[[targets]]": MessageTarget,
}
_HEAD = """\
# The plant file

<!-- Written by `python -m ingest.plant_reference > docs/plant_file.md` from `ingest/plant.py`. Change it there. -->

`plant.toml` says what exists, where its data comes from and what matters. It is the only thing that you
write to bring a plant in; `andon init FILES` proposes one from your own files, `andon init opc.tcp://HOST:PORT`
from an OPC UA server, `andon check` reads it and names every mistake at once:

```
plant.toml: classes[1].signals[2].unti: unknown key; did you mean 'unit'? (class "press", signal "pressure")
```

Entries are counted from 1 in these lines.

- **Durations** are a number and one of `ms`, `s`, `min`, `h`, `d`, `w`: `"15 min"`.
- **Times** are written as `2026-01-31 06:00:00`, in the plant's zone, or with a zone of their own:
  `2026-01-31 06:00:00+01:00`. Of an hour that comes twice when clocks go back, the first is meant.
- **Local times in files.** Of an hour that comes twice, the first is meant, until the times of the machine step
  back within it; from then on it is the second. A time that never was, when clocks go forward, is read with the
  offset from before: 02:30 is 03:30 summer time. Rows of one machine and one moment are one reading; the last
  one counts.
- **Times ahead.** A reading, or an event that nobody plans, that is more than 15 minutes ahead of its own arrival
  is rejected: a clock, `time_zone` or `time_format` is wrong. Maintenance, inspections, orders and shifts may lie
  ahead.
- **Times of old.** A reading or an event over a stream or HTTP that is older than `old_after` when it comes is
  rejected, too: clocks without a battery begin at 1970, 1980 or 2000. Files may hold a history of any age.
- **Machines** may share one entry with `names` in place of `name`: `names = ["old", "1..20", "01..10"]` stands
  for `old`, `1` to `20`, and `01` to `10`; `"press-1..12"` for `press-1` to `press-12`.
- **Signals** of a class may share one entry in the same way: `names = ["ag_000..009"]`.
- **Paths** are relative to the plant file.
- A source has either `machine` or `machine_is`, and either `time`, or `cycle` or `cycle_is_row` with `cycle_length`.
  Names in `signals`, `component_is`, `class`, `models` must be declared.
- A **time in two columns**, a date and a clock, is written as a list; their texts are joined by one blank and read
  with `time_format`: `time = ["Datum", "Uhrzeit"]`, `time_format = "%d.%m.%Y %H:%M:%S"`.
- A job has either `cron` or `every`; see [operating](operating.md).
- Signals that are `operating`, and **regimes**: see [how machines run](regimes.md).
- **Energy meters**, and what their use depends on: see [energy](energy.md).
- `products`, `shifts` and `production` say what is made, when, how fast at best, and which word means which loss:
  see [lost time](losses.md).
- `routes` and `inhibits` say who is called for which alerts, and when: see [calling people](calling.md).
- `characteristics` are signals that control charts watch: see [control charts](control_charts.md).
- A signal with a `rate` is a **waveform**, such as vibration: see [how to declare one, and bearings](vibration.md).

## What is checked of recorded failures

A model believes what people recorded. `andon check` and `andon train` look at the failures of each class and say
how many are suspicious, which, and what to do:

- **overlaps**: one begins while an earlier one of the machine lasts.
- **recorded twice**: two of the same machine, component and code within 8 h.
- **entered late**: many stand in the same quarter of an hour (midnight, the end of a shift) or at full hours.
- **copied**: two machines share the same times or the same gaps, or the same long note.
- **planned work**: a code such as `PM` or `Wartung`, a failure within maintenance, or steady gaps.
- **no readings before**: nothing was read of the machine in the 24 h before.
- **ran on**: by `running`, the machine ran on for 4 h; only where the class declares it.
- **unknown code**: one that `[[failure_codes]]` does not explain, where there are any.

Where chance could make a pattern, it is told only if chance would make it less than once in a million clean sets.
The first two, and planned work by its name, are told of a single record. None of it is an error: correct the
records, or leave them if they are right.

## What codes of failures mean

Records of failures have codes in the plant's own words. `[[failure_codes]]` says what each means in those of
ISO 14224: the *mode* that was seen, and the group of the *mechanism* behind it:

```toml
[[failure_codes]]
code = "B12"
mode = "VIB"
mechanism = "mechanical"
words = "worn bearing"

[[failure_codes]]
code = "OHE"    # a code of the standard means itself
```

The page of a machine shows the meaning beside the code, and `GET /api/v1/plant` has all of them. An alert can be closed
with a declared code as its mode before any failure was recorded with it, and takes the mechanism over unless somebody
tells another. Once there is one such entry, `andon check` names failures with codes that none of them explains. These
modes of annex B of the standard are known, in our words:

MODES

## When machines run

A machine that stands still says nothing about its wear, and one that has just started is not itself yet.
`running` of a class says when its machines run; what was read at other times, and until `settle` is over after
each start, enters no feature, in training and in use alike:

```toml
[[classes]]
name = "press"
running = "speed > 100 and state != 'maintenance'"
settle = "10 min"
```

- It may use the signals of the class, numbers, `+ - * /`, `< <= > >= == !=`, `in (1, 2)`, `and`, `or`, `not` and
  brackets. A signal whose name is no single word is written `signal['spindle load']`. A signal that stands alone
  is true when it is not 0.
- `state` is the code of the newest `state` event of the whole machine until that ends or the next one begins; it
  is compared with texts: `state == 'auto'`, `state in ('auto', 'manual')`.
- A value of a signal holds until the next one comes, for five sampling intervals of the slowest signal in the
  expression at most. What is not known then, or was not told yet, counts as running: a dead sensor switches no watch
  off. Unknown parts matter only where they would decide: `speed > 100 and …` is false at a speed of 0 whatever
  the rest is.
- A start is the first moment known to be running after one that was not, so also the first one of a history and
  after a silence.
- When too little of the shortest window is left, the machine is not assessed, and the reason is *off*.
- It is part of a model's recipe: a model goes on with what it was trained with until it is trained anew. `andon
  check` says how much of each class's time is left out, a backtest how much of the time that it judged.
"""


def reference() -> str:
    """Return the page as Markdown: a table for each kind of table in the file, and a whole example."""
    sections = [_section(title, part) for title, part in _TABLES.items()]
    example = EXAMPLE.read_text(encoding="utf-8").rstrip()
    modes = "\n".join(["| code | mode |", "|---|---|", *(f"| `{code}` | {words} |" for code, words in MODES.items())])
    return "\n".join([_HEAD.replace("MODES", modes), *sections, "## A whole example\n", "```toml", example, "```", ""])


def _section(title: str, part: type[Part]) -> str:
    name = title if title[0] != "[" else f"`{title}`"
    rows = [_row(key, field) for key, field in keys_of(part).items()]
    if part is Machine:
        rows.insert(1, _cells("`names`", "In place of `name`: several machines, and ranges of them.", "a list", ""))
    lines = [f"## {name}", "", inspect.getdoc(part) or "", "", _cells("key", "meaning", "type", "if left out")]
    return "\n".join([*lines, "|---|---|---|---|", *rows, ""])


def _row(key: str, field: FieldInfo) -> str:
    left_out = "**needed**" if field.is_required() else _written(field.default)
    return _cells(f"`{key}`", field.description or "", _kind(field), left_out)


def _kind(field: FieldInfo) -> str:
    return type_in_words(plain_type(field.annotation)).replace("'", "`")


def _written(default: Any) -> str:
    """Write a default as it would stand in the file; nothing where there is none."""
    if default is None or default in ("", []) or default == {} or isinstance(default, Part):
        return ""
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, timedelta):
        return f'`"{format_duration(default)}"`'
    if isinstance(default, tuple | list):
        return f"`{json.dumps(list(default))}`"
    return f'`"{default}"`' if isinstance(default, str) else f"`{default:g}`"


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    sys.stdout.write(reference())
