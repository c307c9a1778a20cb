import copy
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.errors import PlantFileError
from ingest.plant import Plant
from ingest.plant_file import load_plant

VALID = """
name = "Works"
time_zone = "Europe/Berlin"

[[classes]]
name = "press"
components = ["seal", "valve"]
[[classes.signals]]
name = "pressure"
unit = "bar"
range = [0, 400]
every = "1 min"
[[classes.signals]]
name = "temperature"

[[machines]]
names = ["press-08..09", "01..03"]
class = "press"
line = "A"
[[machines]]
name = "old"
class = "press"

[[sources]]
name = "readings"
path = "readings/*.csv"
machine = "machine"
time = "time"
time_format = "%d.%m.%Y %H:%M"
delimiter = ";"
decimal = ","
signals = { pressure = "P1", temperature = "T1" }
[[sources.events]]
kind = "state"
flag = "alarm"
code_is = "alarm"
where = { mode = "auto", shift = ["1", "2"] }

[[sources]]
name = "cycles"
path = "cycles.parquet"
machine_is = "old"
cycle = "n"
cycle_length = "10 min"
cycle_start = 2025-06-01 00:00:00
signal_column = "signal"
value_column = "value"
run_to_failure = true

[[events]]
machine = "01"
kind = "failure"
time = 2026-01-10 12:00:00
end = 2026-01-10 12:30:00+01:00
component = "seal"

[costs]
missed_failure = 8000

[[models]]
name = "press failure"
task = "failure_risk"
class = "press"
horizon = "24 h"
needed_lead = "2 h"
windows = ["1 h", "24 h"]
stride = "1 h"
signals = ["pressure"]
baseline = "2 d"
split = "time"
train_until = 2026-01-31
target = { kind = "failure", component = "seal" }

[alerts]
on_delay = [2, 3]

[[jobs]]
name = "score"
action = "score"
every = "1 h"
models = ["press failure"]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "plant.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(PlantFileError) as caught:
        load_plant(write(folder, text))
    return caught.value.problems


def changed(old: str, new: str, text: str = VALID) -> str:
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the example"
    return text.replace(old, new)


def test_machines_are_named_by_ranges_that_keep_leading_zeros(tmp_path: Path) -> None:
    plant = load_plant(write(tmp_path, VALID))

    assert plant.machines_of("press") == ("press-08", "press-09", "01", "02", "03", "old")
    assert [machine.line for machine in plant.machines] == ["A", "A", "A", "A", "A", ""]


def test_times_without_a_zone_are_in_the_plants_zone_and_come_out_in_utc(tmp_path: Path) -> None:
    plant = load_plant(write(tmp_path, VALID))

    assert plant.events[0].time == datetime(2026, 1, 10, 11, tzinfo=UTC)
    assert plant.events[0].end == datetime(2026, 1, 10, 11, 30, tzinfo=UTC)
    assert plant.sources[1].cycle_start == datetime(2025, 5, 31, 22, tzinfo=UTC)
    assert plant.models[0].train_until == datetime(2026, 1, 30, 23, tzinfo=UTC)
    assert {moment.utcoffset() for moment in (plant.events[0].time, plant.events[0].end) if moment} == {timedelta()}


def test_the_folder_is_the_one_that_holds_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, VALID)
    monkeypatch.chdir(tmp_path)

    plant = load_plant(Path("plant.toml"))

    assert plant.folder == tmp_path.resolve()
    assert plant.data_folder == tmp_path.resolve() / "andon-data"


def test_a_value_of_where_may_stand_alone(tmp_path: Path) -> None:
    plant = load_plant(write(tmp_path, VALID))

    assert plant.sources[0].events[0].where == {"mode": ["auto"], "shift": ["1", "2"]}


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    assert load_plant(write(tmp_path, "\ufeff" + VALID)).name == "Works"


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(PlantFileError, match="no such file; propose one from your data with: andon init"):
        load_plant(tmp_path / "plant.toml")


def test_a_folder_or_a_binary_file_is_refused_in_one_line(tmp_path: Path) -> None:
    binary = tmp_path / "plant.toml"
    binary.write_bytes(b"\xff\xfe\x00PAR1")

    for path, text in ((tmp_path, "cannot be read"), (binary, "not text in UTF-8")):
        with pytest.raises(PlantFileError, match=text) as caught:
            load_plant(path)
        assert len(caught.value.problems) == 1


@pytest.mark.parametrize(
    ("text", "place"),
    [("name = ", "line 1, column 8"), ("a = 1\n[b", "line 2, column 3"), ("x = " + "[" * 5000, "not TOML")],
)
def test_what_is_not_toml_is_told_with_line_and_column(tmp_path: Path, text: str, place: str) -> None:
    found = problems(tmp_path, text)

    assert len(found) == 1
    assert found[0].startswith("plant.toml: ")
    assert place in found[0]


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ('running = "presure > 5"', "running: no signal 'presure'; did you mean 'pressure'?"),
        ('running = "__import__(1)"', "running: __import__(1) has no meaning here; use signals, numbers, state,"),
        ('settle = "10 min"', "settle: has no meaning without 'running'; add running ="),
    ],
)
def test_when_machines_run_is_an_expression_over_signals_of_the_class(tmp_path: Path, keys: str, problem: str) -> None:
    (found,) = problems(tmp_path, changed('components = ["seal", "valve"]', keys + '\ncomponents = ["seal", "valve"]'))

    assert found.startswith(f"plant.toml: classes[1].{problem}")
    assert found.endswith('(class "press")')


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ('horizons = ["1 d"]', "horizons: anomaly tells no probabilities; leave it out, or use 'failure_risk'"),
        (
            "most_false_alarms_per_machine_year = 2",
            "most_false_alarms_per_machine_year: caps what costs allow a failure_risk; of an anomaly,"
            " 'false_alarms_per_machine_year' says how many",
        ),
    ],
)
def test_what_only_a_failure_risk_has_is_refused_elsewhere(tmp_path: Path, key: str, problem: str) -> None:
    text = changed('task = "failure_risk"', f'task = "anomaly"\n{key}')

    assert f'plant.toml: models[1].{problem} (model "press failure")' in problems(tmp_path, text)


def test_a_horizon_of_nothing_is_refused(tmp_path: Path) -> None:
    text = changed('needed_lead = "2 h"', 'needed_lead = "2 h"\nhorizons = ["0 s"]')

    assert any("models[1].horizons[1]" in found for found in problems(tmp_path, text))


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    text = changed('unit = "bar"', 'unti = "bar"')
    text = changed('class = "press"\nline', 'class = "pres"\nline', text)
    text = changed('needed_lead = "2 h"', 'needed_lead = "2 d"', text)
    text = changed("on_delay = [2, 3]", "on_delay = [4, 3]", text)
    text = changed('time_zone = "Europe/Berlin"', 'time_zone = "Berlin"', text)

    assert sorted(problems(tmp_path, text)) == [
        "plant.toml: alerts.on_delay: 4 of 3 cannot be; write [n, m] with n from 1 to m, as [2, 3]",
        "plant.toml: classes[1].signals[1].unti: unknown key; did you mean 'unit'? "
        '(class "press", signal "pressure")',
        "plant.toml: machines[1].class: no class 'pres'; did you mean 'press'?",
        "plant.toml: models[1].needed_lead: 2 d is not shorter than the horizon of 24 h; "
        'no alert could ever be right (model "press failure")',
        "plant.toml: time_zone: 'Berlin' is not a time zone; write an IANA name such as 'Europe/Berlin' or 'UTC'",
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name = "Works"', "name = 3", "name: 3 is not a text in quotes"),
        ('name = "Works"', 'folder = "x"', "folder: unknown key"),
        ('name = "Works"', "machine = 3", "machine: unknown key; did you mean 'machines'?"),
        ('name = "temperature"', 'name = "pressure"', "signals[2].name: 'pressure' stands here a second time"),
        ('name = "temperature"', 'name = "time"', "signals[2].name: 'time' is taken"),
        ('name = "temperature"', 'name = "errors"', "signals[2].name: 'errors' is taken by Andon itself"),
        ('name = "temperature"', 'name = "regime_share"', "signals[2].name: 'regime_share' is taken by Andon"),
        ("range = [0, 400]", "range = [400, 0]", "signals[1].range: 400 is not below 0"),
        ("range = [0, 400]", "range = [nan, 0]", "signals[1].range: nan is not below 0"),
        ("range = [0, 400]", "range = [0]", "signals[1].range: is not two numbers such as [0, 10]"),
        ("range = [0, 400]", 'range = ["a", 1]', "signals[1].range: is not two numbers such as [0, 10]"),
        ("range = [0, 400]", "limits = [9, 9]", "signals[1].limits: 9 is not below 9; write the lowest value first"),
        ("range = [0, 400]", "limits = [-inf, inf]", "signals[1].limits: limits nothing; write a number"),
        (
            "range = [0, 400]",
            "range = [0, 400]\nlimits = [10, 500]",
            "signals[1].limits: 500 lies outside the sensor's range [0, 400]",
        ),
        (
            'name = "temperature"\n',
            'name = "temperature"\n[[classes.regimes]]\nname = "full"\nwhen = "presure > 3"\n',
            "classes[1].regimes[1].when: no signal 'presure'; did you mean 'pressure'?",
        ),
        (
            'name = "temperature"\n',
            'name = "temperature"\n[[classes.regimes]]\nwhen = "pressure > 3"\n',
            "classes[1].regimes[1].name: is missing",
        ),
        (
            'name = "temperature"\n',
            'name = "temperature"\n' + 2 * '[[classes.regimes]]\nname = "full"\nwhen = "pressure > 3"\n',
            "classes[1].regimes[2].name: 'full' stands here a second time",
        ),
        (
            'name = "temperature"\n',
            'name = "temperature"\n[[classes.regimes]]\nname = "other"\nwhen = "pressure > 3"\n',
            "classes[1].regimes[1].name: 'other' stands for all other time",
        ),
        (
            'name = "temperature"\n',
            'name = "temperature"\n[[classes.regimes]]\nname = "a__b"\nwhen = "pressure > 3"\n',
            "classes[1].regimes[1].name: 'a__b' stands in names of columns",
        ),
        (
            'name = "temperature"\n',
            'name = "temperature"\noperating = true\nrate = "100 Hz"\nevery = "1 h"\n',
            "classes[1].signals[2].operating: has no meaning with 'rate'",
        ),
        ('every = "1 min"', 'every = "1 minute"', "signals[1].every: '1 minute' is not a duration; write a number"),
        ('every = "1 min"', 'every = "0 s"', "signals[1].every: is not above zero"),
        ('every = "1 min"', 'max_age = "0 s"', "signals[1].max_age: is not above zero"),
        (
            'every = "1 min"',
            'every = "1 min"\nmax_age = "30 s"',
            "signals[1].max_age: is shorter than the time between two readings; write 1 min or longer",
        ),
        ('"seal", "valve"', '"seal", "seal"', "components[2]: 'seal' stands here a second time"),
        ('name = "old"', 'name = "02"', "machines[2].name: '02' stands here a second time"),
        ('name = "old"', 'naem = "old"', "machines[2].naem: unknown key; did you mean 'name'?"),
        ('"01..03"', '"03..01"', "machines[1].names: '03..01' is no range"),
        ('"01..03"', "5", "machines[1].names: is not a list of names"),
        ('"01..03"', '"01..03"]\nname = "x"\nsite = ["y"', "machines[1].names: stands beside 'name'"),
        ('machine = "machine"\n', "", "sources[1].machine: is missing; write the column"),
        ('machine = "machine"\n', 'machine = "m"\nmachine_is = "old"\n', "sources[1].machine: stands beside"),
        ('machine_is = "old"', 'machine_is = "odl"', "sources[2].machine_is: no machine 'odl'; did you mean 'old'?"),
        ('time = "time"\n', "", "sources[1].time: is missing; write the column of the event time"),
        ('time = "time"\n', 'time = "t"\ncycle = "c"\ncycle_length = "1 s"\n', "sources[1].time: stands beside"),
        ('cycle_length = "10 min"\n', "", "sources[2].cycle_length: is missing"),
        ('cycle = "n"\n', 'time = "n"\n', "sources[2].cycle_length: has no meaning without 'cycle'"),
        ("2025-06-01 00:00:00", "0001-01-01 00:00:00", "sources[2].cycle_start: year 1 is out of reach"),
        ("2025-06-01 00:00:00", "12", "sources[2].cycle_start: 12 is not a date and time"),
        (
            'cycle_length = "10 min"',
            'cycle_length = "10 min"\ncycle_after_newest = true',
            "sources[2].cycle_start: stands beside 'cycle_after_newest'",
        ),
        (
            'machine_is = "old"',
            'machine_is = "old"\nmachine_prefix = "x"',
            "sources[2].machine_prefix: has no meaning without 'machine'",
        ),
        ('value_column = "value"\n', "", "sources[2].value_column: is missing; the long form needs"),
        ('path = "cycles.parquet"', 'path = " "', "sources[2].path: is empty"),
        ('"%d.%m.%Y %H:%M"', '"dd.mm.yyyy"', "sources[1].time_format: 'dd.mm.yyyy' is unknown; write iso, s,"),
        (
            'time = "time"\ntime_format = "%d.%m.%Y %H:%M"',
            'time = ["day", "clock"]\ntime_format = "ms"',
            "sources[1].time_format: 'ms' counts in one column; write a pattern of all columns",
        ),
        ('time = "time"\n', "time = []\n", "sources[1].time: "),
        ('delimiter = ";"', 'delimiter = ";;"', "sources[1].delimiter: ';;' is not one character"),
        ('delimiter = ";"', 'delimiter = ","', "sources[1].delimiter: ',' is the decimal mark too"),
        ('decimal = ","', 'decimal = "comma"', "sources[1].decimal: 'comma' is none of ., ,"),
        ('pressure = "P1"', 'presure = "P1"', "signals.presure: no signal 'presure'; did you mean 'pressure'?"),
        ('name = "cycles"', 'name = "readings"', "sources[2].name: 'readings' stands here a second time"),
        ('kind = "state"', 'kind = "status"', "events[1].kind: 'status' is none of failure, "),
        ('code_is = "alarm"', 'code_is = "alarm"\ncode = "c"', "sources[1].events[1].code: stands beside 'code_is'"),
        ('code_is = "alarm"', 'end = "e"', "sources[1].events[1].end: stands beside 'flag'"),
        ('code_is = "alarm"', 'component_is = "sael"', "component_is: no component 'sael'; did you mean 'seal'?"),
        ('mode = "auto"', "mode = []", "where.mode: is empty"),
        ('machine = "01"', 'machine = "1"', "events[1].machine: no machine '1'; did you mean '01'?"),
        ('component = "seal"\n', 'component = "sela"\n', "events[1].component: no component 'sela'; did you mean"),
        ("12:30:00+01:00", "11:30:00+01:00", "events[1].end: 2026-01-10 11:30:00+01:00 is before"),
        ("missed_failure = 8000", "missed_failure = -1", "costs.missed_failure: -1 is too small; write 0 or more"),
        ("[alerts]", "[alerts]\ndead_band = 1", "alerts.dead_band: 1 is too large; write less than 1"),
        ("[alerts]", '[alerts]\nresolve_after = "0 s"', "alerts.resolve_after: is no time at all"),
        ("[alerts]", '[alerts]\nkeep_firing = "200000000 d"', "'200000000 d' is too long; write a duration such as"),
        ("missed_failure = 8000", "missed_failure = inf", "costs.missed_failure: inf is not a number"),
        ('name = "press failure"', 'name = ""', "models[1].name: is empty; write a name"),
        ('class = "press"\nhorizon', 'class = "perss"\nhorizon', "models[1].class: no class 'perss'; did you mean"),
        ('horizon = "24 h"\n', "", "models[1].horizon: is missing; write a duration such as '15 min'"),
        ('horizon = "24 h"', 'horizon = "0 s"', "models[1].horizon: is not above zero"),
        ('windows = ["1 h", "24 h"]', 'windows = ["1 h", "0 s"]', "models[1].windows[2]: is not above zero"),
        ('windows = ["1 h", "24 h"]', 'windows = "1 h"', "models[1].windows: '1 h' is not a list of durations"),
        ('stride = "1 h"', 'stride = "0 s"', "models[1].stride: is not above zero"),
        ('signals = ["pressure"]', 'signals = ["presure"]', "models[1].signals[1]: no signal 'presure'"),
        ('component = "seal" }', 'component = "sea" }', "models[1].target.component: no component 'sea'"),
        (
            'split = "time"',
            'split = "tme"',
            "models[1].split: 'tme' is none of time, machine, baseline, group, random; did you mean",
        ),
        ('every = "1 h"\n', "", "jobs[1].cron: is missing; write when"),
        ('every = "1 h"\n', 'every = "1 h"\ncron = "0 6 * * *"\n', "jobs[1].cron: stands beside 'every'"),
        ('models = ["press failure"]', 'models = ["pres failure"]', "jobs[1].models[1]: no model 'pres failure'"),
    ],
)
def test_a_mistake_is_told_with_its_key_and_what_would_be_right(tmp_path: Path, old: str, new: str, told: str) -> None:
    found = problems(tmp_path, changed(old, new))

    assert any(told in line for line in found), found
    assert all(line.startswith("plant.toml: ") for line in found)


def test_a_job_that_needs_a_model_says_so_when_there_is_none(tmp_path: Path) -> None:
    document = tomlkit.parse(changed('models = ["press failure"]\n', ""))
    del document["models"]

    assert problems(tmp_path, tomlkit.dumps(document)) == [
        "plant.toml: jobs[1].action: 'score' needs a model and the plant has none; add a [[models]] table "
        '(job "score")'
    ]


def test_a_mistake_in_an_entry_does_not_hide_the_next_one_in_it(tmp_path: Path) -> None:
    text = changed('cycle_length = "10 min"', "run_to_failur = true")
    text = changed('decimal = ","', 'decimal = ","\nmachine_is = 5', text)

    assert [line.split(": ")[1] for line in problems(tmp_path, text)] == [
        "sources[1].machine_is",
        "sources[2].run_to_failur",
        "sources[2].cycle_length",
    ]


def test_an_empty_file_says_what_is_needed(tmp_path: Path) -> None:
    assert problems(tmp_path, "") == [
        "plant.toml: classes: is missing; write a list of tables",
        "plant.toml: machines: is missing; write a list of tables",
    ]


def places(node: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every key and position of a document."""
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, value in entries:
        yield (*at, step)
        yield from places(value, (*at, step))


DOCUMENT = tomllib.loads(VALID)
PLACES = list(places(DOCUMENT))
VALUES = (
    st.sampled_from([True, 0, -1, 10**30, 1.5, float("nan"), float("inf"), "", "x", [], {}, [[]], [{}], {"a": 1}])
    | st.sampled_from([date(1, 1, 1), datetime(9999, 12, 31, 23, tzinfo=UTC).replace(tzinfo=None)])
    | st.sampled_from(["1..5", "9 d", "99999999999999999999 d", "time", "failure", "\n", "%", "\x7f"])
    | st.text(max_size=8)
)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.sampled_from(PLACES), change=st.sampled_from(["drop", "rename", "replace", "double"]), value=VALUES)
def test_any_single_change_gives_a_plant_or_lines_that_name_file_and_key(
    tmp_path: Path, place: tuple[str | int, ...], change: str, value: object
) -> None:
    document = copy.deepcopy(DOCUMENT)
    node: Any = document
    for step in place[:-1]:
        node = node[step]
    last = place[-1]
    if change == "drop":
        del node[last]
    elif change == "rename" and isinstance(node, dict):
        node[str(value) if isinstance(value, str) else "other"] = node.pop(last)
    elif change == "double" and isinstance(node, list):
        node.append(copy.deepcopy(node[int(last)]))
    else:
        node[last] = value
    path = write(tmp_path, tomlkit.dumps(document))

    found: list[str] = []
    try:
        plant = load_plant(path)
        assert isinstance(plant, Plant)
    except PlantFileError as error:
        found = error.problems or ["no problem is named"]
    for line in found:
        assert re.match(r"plant\.toml: ['\"A-Za-z0-9_-]", line)
        assert line.isprintable()
        assert "Input should be" not in line
