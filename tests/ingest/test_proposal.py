import os
import string
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ingest.errors import SourceError
from ingest.plant import Plant
from ingest.plant_file import load_plant
from ingest.proposal import Proposal, propose
from ingest.simulation.kind import MachineKind
from ingest.simulation.kinds.catalogue import KINDS
from ingest.simulation.scenario import Scenario
from ingest.simulation.write import write_simulation

SHARED = Path(__file__).parents[3] / "shared" / "data"
STEPS = pd.date_range("2026-03-01", periods=300, freq="5min")


def proposed(folder: Path, *files: Path) -> tuple[Plant, Proposal]:
    """The proposal for some files, read back as a plant."""
    proposal = propose(files, beside=folder)
    path = folder / "plant.toml"
    path.write_text(proposal.toml, encoding="utf-8")
    return load_plant(path), proposal


def public(*names: str) -> list[Path]:
    """Files of public data sets; skips where they are not there, except in continuous integration."""
    paths = [SHARED / name for name in names]
    for path in paths:
        if not path.exists():
            told = f"{path} is missing; these are public data sets that are not part of the repository"
            if os.environ.get("CI") == "true":
                pytest.fail(told)
            pytest.skip(told)
    return paths


def machines(count: int = 3, **columns: object) -> pd.DataFrame:
    """Readings of some machines every 5 minutes."""
    noise = np.random.default_rng(0)
    parts = [
        pd.DataFrame(
            {
                "time": STEPS,
                "machine": f"m{number}",
                "pressure": noise.normal(5, 1, len(STEPS)).round(3),
                "flow": noise.normal(50, 1, len(STEPS)).round(3),
                **columns,
            }
        )
        for number in range(1, count + 1)
    ]
    return pd.concat(parts, ignore_index=True)


def confidence(proposal: Proposal, key: str) -> float:
    return next(guess.confidence for guess in proposal.guesses if guess.key == key)


def signals(plant: Plant) -> list[str]:
    return [signal.name for signal in plant.classes[0].signals]


def test_azure_telemetry_and_its_events_are_understood(tmp_path: Path) -> None:
    names = ("telemetry_machines1to20_jan_mar", "errors", "maint", "failures", "machines")
    plant, proposal = proposed(tmp_path, *public(*(f"azure_pdm/PdM_{name}.parquet" for name in names)))

    assert plant.machines_of("machine") == tuple(map(str, range(1, 21)))
    assert signals(plant) == ["volt", "rotate", "pressure", "vibration"]
    assert {signal.every for signal in plant.classes[0].signals} == {timedelta(hours=1)}
    assert plant.classes[0].components == ["comp1", "comp2", "comp3", "comp4"]
    assert [source.time for source in plant.sources] == [["datetime"]] * 4
    assert [[event.kind for event in source.events] for source in plant.sources] == [
        [], ["error"], ["maintenance"], ["failure"]
    ]  # fmt: skip
    assert plant.sources[3].events[0].component == "failure"
    assert plant.sources[3].other_machines == "ignore"
    assert plant.models[0].task == "failure_risk"
    assert plant.models[0].horizon == timedelta(hours=24)
    assert "Left out: " in proposal.toml
    assert "no column tells the time" in proposal.toml


def test_nab_is_one_machine_with_one_signal(tmp_path: Path) -> None:
    plant, _ = proposed(tmp_path, *public("nab/realKnownCause/machine_temperature_system_failure.parquet"))

    assert plant.sources[0].machine_is == "machine_temperature_system_failure"
    assert plant.sources[0].time == ["timestamp"]
    assert signals(plant) == ["value"]
    assert plant.classes[0].signals[0].every == timedelta(minutes=5)
    assert plant.models[0].task == "anomaly"


def test_cmapss_counts_cycles_and_runs_to_failure(tmp_path: Path) -> None:
    plant, _ = proposed(tmp_path, *public("cmapss/train_FD001.parquet"))

    assert plant.sources[0].machine == ["unit"]
    assert plant.sources[0].cycle == "cycle"
    assert plant.sources[0].run_to_failure
    assert len(plant.machines) == 100
    assert "sensor_2" in signals(plant)
    assert "sensor_1" not in signals(plant), "it never changes"
    assert (plant.models[0].task, plant.models[0].split) == ("failure_risk", "machine")


def test_skab_machines_are_named_by_two_columns(tmp_path: Path) -> None:
    plant, _ = proposed(tmp_path, *public("skab/skab.parquet"))

    assert plant.sources[0].machine == ["group", "experiment"]
    assert len(plant.machines) == 35
    assert len(signals(plant)) == 8
    assert plant.sources[0].events[0].flag == "anomaly"
    assert (plant.models[0].target.kind, plant.models[0].target.code) == ("state", "anomaly")


def test_semicolons_decimal_commas_and_german_dates_are_read(tmp_path: Path) -> None:
    table = machines().rename(
        columns={"time": "Zeit", "machine": "Maschinennr", "pressure": "Druck (bar)", "flow": "Menge"}
    )
    table["Störung"] = (np.arange(len(table)) % 300 > 290).astype(int)
    path = tmp_path / "export.csv"
    table.to_csv(path, sep=";", decimal=",", date_format="%d.%m.%Y %H:%M", index=False, encoding="cp1252")

    plant, _ = proposed(tmp_path, path)

    source = plant.sources[0]
    assert (source.delimiter, source.decimal, source.time_format) == (";", ",", "%d.%m.%Y %H:%M")
    assert source.machine == ["Maschinennr"]
    assert source.signals == {"Druck": "Druck (bar)", "Menge": "Menge"}
    assert plant.classes[0].signals[0].unit == "bar"
    assert (source.events[0].kind, source.events[0].flag) == ("error", "Störung")


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_seconds_since_1970_are_told_by_their_magnitude(tmp_path: Path, unit: str) -> None:
    table = machines()
    table["time"] = table["time"].to_numpy().astype(f"datetime64[{unit}]").astype("int64")
    path = tmp_path / "epoch.csv"
    table.sort_values("time", kind="stable").to_csv(path, index=False)

    plant, proposal = proposed(tmp_path, path)

    assert (plant.sources[0].time, plant.sources[0].time_format) == (["time"], unit)
    assert confidence(proposal, "time_zone") == 0.5


def test_the_machine_is_the_file_where_no_column_names_one(tmp_path: Path) -> None:
    for name in ("pump 1", "pump 2"):
        machines(1).drop(columns="machine").to_csv(tmp_path / f"{name}.csv", index=False)

    plant, _ = proposed(tmp_path, tmp_path)

    assert [source.machine_is for source in plant.sources] == ["pump 1", "pump 2"]
    assert plant.machines_of("machine") == ("pump 1", "pump 2")


def test_the_long_form_is_told_by_the_names_of_signals(tmp_path: Path) -> None:
    table = machines().melt(["time", "machine"], var_name="sensor", value_name="reading")
    path = tmp_path / "long.csv"
    table.to_csv(path, index=False)

    plant, _ = proposed(tmp_path, path)

    assert (plant.sources[0].signal_column, plant.sources[0].value_column) == ("sensor", "reading")
    assert signals(plant) == ["flow", "pressure"]
    assert len(plant.machines) == 3
    assert plant.classes[0].signals[0].every == timedelta(minutes=5)


@pytest.mark.parametrize(
    ("written", "first", "expected", "sure"),
    [
        ("%d/%m/%Y %H:%M", "2026-03-13", "%d/%m/%Y %H:%M", 0.95),
        ("%m/%d/%Y %H:%M", "2026-03-13", "%m/%d/%Y %H:%M", 0.95),
        ("%m/%d/%Y %H:%M", "2026-03-01", "%m/%d/%Y %H:%M", 0.85),
        ("%d/%m/%y %H:%M:%S", "2026-03-01", "%d/%m/%y %H:%M:%S", 0.85),
        ("%m/%d/%Y %I:%M %p", "2026-03-13", "%m/%d/%Y %I:%M %p", 0.95),
        ("%Y/%m/%d %H:%M", "2026-03-01", "%Y/%m/%d %H:%M", 0.95),
        ("%Y-%m-%dT%H:%M:%S", "2026-03-01", "iso", 0.97),
    ],
)
def test_day_and_month_are_told_apart_by_evidence(
    tmp_path: Path, written: str, first: str, expected: str, sure: float
) -> None:
    times = pd.date_range(first, periods=300, freq="15min")
    path = tmp_path / "dates.csv"
    pd.DataFrame({"when": times.strftime(written), "x": np.random.default_rng(0).normal(size=300)}).to_csv(path)

    plant, proposal = proposed(tmp_path, path)

    assert plant.sources[0].time == ["when"]
    assert plant.sources[0].time_format == expected
    assert confidence(proposal, "sources[1].time") == sure


def test_where_nothing_tells_day_from_month_the_guess_is_unsure(tmp_path: Path) -> None:
    times = pd.date_range("2026-03-01", periods=12, freq="h").strftime("%d/%m/%Y %H:%M")
    path = tmp_path / "dates.csv"
    pd.DataFrame({"when": times, "x": np.random.default_rng(0).normal(size=12)}).to_csv(path, index=False)

    _, proposal = proposed(tmp_path, path)

    assert confidence(proposal, "sources[1].time_format") == 0.5


def test_times_that_name_no_zone_make_the_zone_unsure(tmp_path: Path) -> None:
    machines().to_csv(tmp_path / "a.csv", index=False)

    plant, proposal = proposed(tmp_path, tmp_path / "a.csv")

    assert plant.time_zone == "UTC"
    assert confidence(proposal, "time_zone") == 0.3
    assert "# 30 % sure: no time names a zone" in proposal.toml


def test_what_is_no_signal_is_left_out_with_the_reason(tmp_path: Path) -> None:
    table = machines(1, constant=7, note="text", empty="", RUL=np.arange(300)[::-1]).reset_index(names="row")
    table["strokes"] = np.cumsum(np.random.default_rng(0).integers(0, 5, 300))
    table.to_csv(tmp_path / "a.csv", index=False)

    plant, proposal = proposed(tmp_path, tmp_path / "a.csv")

    assert signals(plant) == ["pressure", "flow", "strokes"]
    for line in ('"constant": always 7', '"note": text with 1', '"empty": empty', '"RUL": it tells', '"row": it numb'):
        assert f"# Left out: column {line}" in proposal.toml
    assert "that only rise: a counter?" in proposal.toml


def test_a_column_with_a_name_that_no_signal_may_have_is_named_otherwise(tmp_path: Path) -> None:
    table = machines(1)
    table.assign(errors=table["pressure"] + 1).to_csv(tmp_path / "a.csv", index=False)

    plant, _ = proposed(tmp_path, tmp_path / "a.csv")

    assert signals(plant) == ["pressure", "flow", "errors signal"]


def test_failures_on_enough_machines_give_a_model_that_learns_from_them(tmp_path: Path) -> None:
    table = machines(6)
    table["broken"] = (np.arange(len(table)) % 100 > 90).astype(int)
    table.to_parquet(tmp_path / "a.parquet")
    few = table[table["machine"] < "m4"]
    few.to_parquet(tmp_path / "few.parquet")

    learnt, proposal = proposed(tmp_path, tmp_path / "a.parquet")
    strange, _ = proposed(tmp_path, tmp_path / "few.parquet")

    assert (learnt.sources[0].events[0].kind, learnt.sources[0].events[0].flag) == ("failure", "broken")
    assert learnt.models[0].task == "failure_risk"
    assert timedelta() < learnt.models[0].needed_lead < learnt.models[0].horizon
    assert "18 failures on 6 machines" in proposal.toml
    assert strange.models[0].task == "anomaly"


def test_alike_files_of_one_folder_become_one_source(tmp_path: Path) -> None:
    folder = tmp_path / "readings"
    folder.mkdir()
    for number in range(3):
        machines().assign(time=STEPS.repeat(3) + timedelta(days=number)).to_csv(folder / f"{number}.csv", index=False)

    plant, _ = proposed(tmp_path, folder)
    alone, _ = proposed(tmp_path, folder / "1.csv", folder / "2.csv")

    assert [source.path for source in plant.sources] == ["readings/*.csv"]
    assert [source.path for source in alone.sources] == ["readings/1.csv", "readings/2.csv"]


def test_files_of_different_machines_and_signals_become_classes(tmp_path: Path) -> None:
    machines().to_csv(tmp_path / "presses.csv", index=False)
    other = machines().rename(columns={"pressure": "current", "flow": "speed"})
    other["machine"] = "s" + other["machine"]
    other.to_csv(tmp_path / "spindles.csv", index=False)

    plant, _ = proposed(tmp_path, tmp_path / "presses.csv", tmp_path / "spindles.csv")

    assert {each.name: [signal.name for signal in each.signals] for each in plant.classes} == {
        "presses": ["pressure", "flow"],
        "spindles": ["current", "speed"],
    }
    assert plant.machines_of("spindles") == ("sm1", "sm2", "sm3")
    assert [model.machine_class for model in plant.models] == ["presses", "spindles"]


def test_an_arrow_file_is_known_by_its_content_and_not_by_its_ending(tmp_path: Path) -> None:
    pyarrow.feather.write_feather(pa.Table.from_pandas(machines()), tmp_path / "a.bin", compression="uncompressed")

    plant, _ = proposed(tmp_path, tmp_path / "a.bin")

    assert plant.sources[0].format == "arrow"
    assert len(plant.machines) == 3


def test_all_machines_of_a_file_too_large_to_read_whole_are_found(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    start = datetime(2026, 1, 1, tzinfo=UTC)
    with path.open("w") as file:
        file.write("time,machine,x,failure\n")
        for machine in range(30):
            for row in range(8_000):
                moment = (start + timedelta(minutes=row)).isoformat()
                file.write(f"{moment},m{machine:02},{row % 97 / 7:.3f},{int(row == 5_000)}\n")
    assert path.stat().st_size > 8_000_000

    plant, proposal = proposed(tmp_path, path)

    assert plant.machines_of("machine") == tuple(f"m{number:02}" for number in range(30))
    assert "30 failures on 30 machines" in proposal.toml


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("empty.csv", b"", "the file is empty"),
        ("blank.csv", b" \n\n", "the file is empty"),
        ("one.csv", b"a\n1\n2\n", "there is only one column"),
        ("headless.csv", b"1,2,3\n4,5,6\n", "the first line holds numbers or times"),
        ("dated.csv", b"2026-01-01,m1,5\n2026-01-02,m1,6\n", "the first line holds numbers or times"),
        ("wide.csv", "t,x\n2026-01-01,1\n".encode("utf-16"), "text in UTF-16; save it as CSV in UTF-8"),
        (
            "above.csv",
            b"# export\ntime,x\n2026-01-01,1\n2026-01-02,2\n" + b"2026-01-03,2\n" * 9,
            "nothing may stand above",
        ),
        ("more.csv", b"time,x\n" + b"2026-01-01,1,\n" * 9, "the first line has 2 field(s) and most others have 3"),
        ("header2.csv", b'time,"x\ny"\n2026-01-01,1\n', "the first line ends inside quotes"),
        ("old.csv", b"time,x\r2026-01-01,1\r", "end with a carriage return alone"),
        ("trimmed.csv", b"time,x, x \n2020-01-01,1,2\n", "two columns are named 'x'"),
        ("header.csv", b"time,a,b\n", "there is a header but no row"),
        ("binary.csv", bytes(range(256)) * 10, "a binary file that is neither Parquet nor Arrow"),
        ("ragged.csv", b"a,b\n1\n2,3,4\n1,2,3\n4\n", "the rows differ in their number of columns"),
        ("twice.csv", b"t,a,a\n2020-01-01,1,2\n", "two columns are named 'a'"),
        ("cut.parquet", b"PAR1" + b"x" * 100, "cannot be read"),
        ("cut.arrow", b"ARROW1\0\0" + b"x" * 100, "cannot be read"),
        ("timeless.csv", b"a,b\nx,y\nx,z\n", "no column tells the time or counts cycles"),
        ("events.csv", b"time,machine,failure\n2020-01-01,1,x\n2020-01-02,1,x\n", "only events"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_in_one_line(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(SourceError) as caught:
        propose([path])

    assert str(caught.value).startswith(f"{path}: ")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_each_broken_file_gets_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"")
    machines().to_csv(tmp_path / "b.csv", index=False)

    with pytest.raises(SourceError) as caught:
        propose([tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "c.csv"])

    assert str(caught.value).splitlines() == [
        f"{tmp_path / 'a.csv'}: the file is empty; give one with a header and rows",
        f"{tmp_path / 'c.csv'}: no such file; check the spelling",
    ]


def test_every_guess_says_how_sure_it_is_and_why(tmp_path: Path) -> None:
    machines().to_csv(tmp_path / "a.csv", index=False)

    _, proposal = proposed(tmp_path, tmp_path / "a.csv")

    assert {"sources[1].time", "sources[1].machine", "classes[1].signals[1].name", "models[1].horizon"} <= {
        guess.key for guess in proposal.guesses
    }
    for guess in proposal.guesses:
        assert 0 <= guess.confidence <= 1
        assert guess.why
        assert guess.comment in proposal.toml


CELLS = st.sampled_from(
    [
        *("", "1", "0", "2.5", "-1e9", "x", "NaN", "true", "inf", "1..9", "m1", "m2", "ünï", '"', "9" * 25),
        *("2026-01-01", "2026-01-01 00:00:00+01:00", "01.02.2026", "1767225600", "1767225600000", "2026-13-45"),
    ]
)
HEADS = st.text(string.printable, max_size=6) | st.sampled_from(
    [
        *("time", "machine", "sensor", "value", "failure", "label", "cycle", "unit", "state", "RUL", "arrived", "id"),
        *("x", "a b", 'q"', "T [°C]", "", "1..3", "\\", "#", "[x]"),
    ]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), heads=st.lists(HEADS, min_size=2, max_size=6, unique=True), count=st.integers(1, 30))
def test_any_table_gives_a_valid_plant_file_or_lines_that_name_the_file(
    tmp_path: Path, data: st.DataObject, heads: list[str], count: int
) -> None:
    steps = pd.date_range("2026-01-01", periods=count, freq="min").strftime("%Y-%m-%d %H:%M:%S")
    columns = {}
    for head in heads:
        kind = data.draw(st.sampled_from(["time", "noise", "number", "same"]))
        noise = data.draw(st.lists(CELLS, min_size=count, max_size=count)) if kind == "noise" else []
        columns[head] = {
            "time": list(steps),
            "noise": noise,
            "number": [f"{row * 0.37 % 1:.3f}" for row in range(count)],
            "same": [data.draw(CELLS)] * count,
        }[kind]
    path = tmp_path / "table.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    told = ""
    try:
        plant, _ = proposed(tmp_path, path)
        assert plant.sources[0].path == "table.csv"
    except SourceError as error:
        told = str(error)
    assert all(line.startswith(f"{path}: ") for line in told.splitlines())


@pytest.mark.parametrize(
    ("day", "clock", "time_format"),
    [
        ("%d.%m.%Y", "%H:%M:%S", "%d.%m.%Y %H:%M:%S"),
        ("%m/%d/%Y", "%I:%M %p", "%m/%d/%Y %I:%M %p"),
        ("%Y-%m-%d", "%H:%M", "iso"),
    ],
)
def test_a_date_and_a_clock_are_one_time_and_no_machines(
    tmp_path: Path, day: str, clock: str, time_format: str
) -> None:
    table = machines(failure=[int(row % 100 > 95) for row in range(300)])
    table.insert(0, "Datum", table["time"].dt.strftime(day))
    table.insert(1, "Uhrzeit", table["time"].dt.strftime(clock))
    table.drop(columns="time").to_csv(tmp_path / "a.csv", sep=";", index=False)

    plant, _ = proposed(tmp_path, tmp_path / "a.csv")

    assert (plant.sources[0].time, plant.sources[0].time_format) == (["Datum", "Uhrzeit"], time_format)
    assert plant.sources[0].machine == ["machine"]
    assert [event.flag for event in plant.sources[0].events] == ["failure"]


def test_a_second_date_names_no_machine(tmp_path: Path) -> None:
    table = machines(1).drop(columns="machine").assign(shift_day=STEPS.strftime("%d.%m.%Y"))
    table.to_csv(tmp_path / "a.csv", index=False)

    plant, proposal = proposed(tmp_path, tmp_path / "a.csv")

    assert plant.sources[0].machine_is == "a"
    assert '"shift_day": times, but not those of the rows' in proposal.toml


def test_begin_and_end_of_a_fault_are_told_and_its_kind_is_unsure(tmp_path: Path) -> None:
    machines().to_csv(tmp_path / "readings.csv", index=False)
    rows = [f"m{row % 3 + 1};01.03.2026 0{row % 9}:00;01.03.2026 0{row % 9}:30;Lager" for row in range(20)]
    (tmp_path / "liste.csv").write_text("Maschine;Störbeginn;Störende;Ursache\n" + "\n".join(rows) + "\n")

    plant, proposal = proposed(tmp_path, tmp_path / "readings.csv", tmp_path / "liste.csv")

    event = next(source for source in plant.sources if source.name == "liste").events[0]
    assert (event.kind, event.end, event.code) == ("error", ["Störende"], "Ursache")
    assert min(guess.confidence for guess in proposal.guesses if guess.key.endswith("events[1].kind")) == 0.4


def test_quoted_line_breaks_are_read(tmp_path: Path) -> None:
    machines(note='two\nlines, "q"').to_csv(tmp_path / "a.csv", index=False)

    plant, _ = proposed(tmp_path, tmp_path / "a.csv")

    assert len(plant.machines) == 3
    assert signals(plant) == ["pressure", "flow"]


def test_columns_without_name_and_content_are_no_columns(tmp_path: Path) -> None:
    text = machines(1).to_csv(index=False).replace("\n", ",,\n")
    (tmp_path / "a.csv").write_text("\n" + text)

    plant, _ = proposed(tmp_path, tmp_path / "a.csv")

    assert signals(plant) == ["pressure", "flow"]


def test_machines_side_by_side_make_the_machine_unsure(tmp_path: Path) -> None:
    noise = np.random.default_rng(0)
    names = [f"press{number}_{signal}" for number in (1, 2, 3) for signal in ("temp", "flow")]
    table = pd.DataFrame({"time": STEPS, **{name: noise.normal(size=len(STEPS)) for name in names}})
    table.to_csv(tmp_path / "a.csv", index=False)

    _, proposal = proposed(tmp_path, tmp_path / "a.csv")

    assert confidence(proposal, "sources[1].machine_is") == 0.3
    assert "may be of two machines; if so, write a source for each" in proposal.toml


def test_names_that_differ_in_capitals_only_make_the_machine_unsure(tmp_path: Path) -> None:
    table = machines()
    table.loc[::2, "machine"] = table["machine"].str.upper()
    table.to_csv(tmp_path / "a.csv", index=False)

    _, proposal = proposed(tmp_path, tmp_path / "a.csv")

    assert confidence(proposal, "sources[1].machine") == 0.4


def test_a_mark_that_may_stand_between_thousands_makes_the_signal_unsure(tmp_path: Path) -> None:
    table = machines().assign(weight=[f"{900 + row:,}".replace(",", ".") for row in range(300)] * 3)
    table["sum"] = [f"{900.5 + row:,.2f}" for row in range(900)]
    table.to_csv(tmp_path / "a.csv", sep=";", index=False)

    plant, proposal = proposed(tmp_path, tmp_path / "a.csv")

    assert "unless the mark stands between thousands" in proposal.toml
    assert "numbers with marks that are not read, such as '900.50'" in proposal.toml
    assert "sum" not in signals(plant)


def test_thousands_of_columns_are_signals_and_no_machines(tmp_path: Path) -> None:
    table = machines(2).iloc[::6]
    wide = np.random.default_rng(0).integers(0, 5, (len(table), 2_000))
    more = pd.DataFrame(wide, index=table.index).add_prefix("s")
    pd.concat([table, more], axis=1).to_csv(tmp_path / "a.csv", index=False)

    plant, _ = proposed(tmp_path, tmp_path / "a.csv")

    assert plant.sources[0].machine == ["machine"]
    assert len(signals(plant)) == 2_002


def test_a_row_ahead_of_every_clock_does_not_lengthen_the_history(tmp_path: Path) -> None:
    readings = machines(1)
    ahead = readings.tail(1).assign(time=pd.Timestamp("2190-01-01"))
    pd.concat([readings, ahead]).to_csv(tmp_path / "values.csv", index=False)

    _, proposal = proposed(tmp_path, tmp_path / "values.csv")

    assert "about 1 d of history a machine" in proposal.toml


def test_an_anomaly_gets_a_horizon_of_days_since_wear_shows_early(tmp_path: Path) -> None:
    hours = pd.date_range("2026-01-01", periods=24 * 90, freq="h")
    noise = np.random.default_rng(1)
    frame = pd.DataFrame({"time": hours, "pressure": noise.normal(5, 1, len(hours)).round(3)})
    frame.to_csv(tmp_path / "pump.csv", index=False)

    plant, proposal = proposed(tmp_path, tmp_path / "pump.csv")

    assert (plant.models[0].task, plant.models[0].horizon) == ("anomaly", timedelta(days=7))
    assert "first sign" in proposal.toml


def driven(**columns: object) -> pd.DataFrame:
    """Readings of machines that stand still for two hours in every twelve."""
    noise = np.random.default_rng(1)
    table = machines(4)
    power = np.where(np.arange(len(table)) % 144 < 24, 0.0, noise.normal(26, 3, len(table))).round(2)
    return table.assign(**({"power": power} | {name: make(power) for name, make in columns.items()}))  # type: ignore[operator]


def test_a_drive_that_stands_still_says_when_machines_run(tmp_path: Path) -> None:
    path = tmp_path / "readings.csv"
    driven().sort_values("time", kind="stable").to_csv(path, index=False)

    plant, proposal = proposed(tmp_path, path)

    assert plant.classes[0].running == "power > 6"
    assert 0.3 < confidence(proposal, "classes[1].running") < 0.9


@pytest.mark.parametrize(
    "power",
    [
        lambda power: np.where(power == 0, 24.0, power),
        lambda power: np.where(np.arange(len(power)) % 40 == 0, 0.0, np.where(power == 0, 24.0, power)),
        lambda power: power * np.where(np.arange(len(power)) % 50 < 25, 1, -1),
        lambda power: -1 - power,
        lambda power: np.where(power == 0, np.arange(len(power)) % 24, power),
        lambda power: np.where(np.arange(len(power)) % 100 < 85, 0.0, 24.0),
    ],
    ids=[
        "never stops",
        "single readings of nothing",
        "turns both ways",
        "below nothing",
        "comes down slowly",
        "stands still mostly",
    ],
)
def test_what_does_not_plainly_stand_still_says_nothing_of_running(
    tmp_path: Path, power: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> None:
    path = tmp_path / "readings.csv"
    driven(power=power).to_csv(path, index=False)

    assert proposed(tmp_path, path)[0].classes[0].running is None


def test_a_drive_says_when_machines_run_in_the_long_form_and_by_a_name_with_blanks_too(tmp_path: Path) -> None:
    table = driven().rename(columns={"power": "motor power"})
    table.melt(["time", "machine"], var_name="sensor", value_name="reading").to_csv(tmp_path / "long.csv", index=False)
    (tmp_path / "wide").mkdir()
    table.to_csv(tmp_path / "wide" / "wide.csv", index=False)

    for path in (tmp_path / "long.csv", tmp_path / "wide" / "wide.csv"):
        assert proposed(tmp_path, path)[0].classes[0].running == "signal['motor power'] > 6"


def test_a_machine_that_is_driven_less_than_the_others_is_not_taken_for_one_that_stands_still(tmp_path: Path) -> None:
    path = tmp_path / "readings.csv"
    table = driven()
    small = table["machine"] == "m1"
    table.loc[small, "power"] /= 100
    table.to_csv(path, index=False)
    assert proposed(tmp_path, path)[0].classes[0].running == "power > 0.06"

    table.loc[~small, "power"] += 24
    table.loc[small, "power"] = 0.24
    table.to_csv(path, index=False)
    assert proposed(tmp_path, path)[0].classes[0].running is None


def test_what_counts_as_running_is_what_the_expression_says(tmp_path: Path) -> None:
    path = tmp_path / "readings.csv"
    low = np.random.default_rng(3).uniform(1.6, 2.0, 1200).round(2)
    driven(power=lambda power: np.where(power == 0, 0.0, np.where(np.arange(1200) % 60 < 20, low, 6.2))).to_csv(path)

    assert proposed(tmp_path, path)[0].classes[0].running == "power > 1"


def test_power_of_any_size_is_looked_at_without_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "readings.csv"
    driven(power=lambda power: power * 4e306).to_csv(path, index=False)

    assert proposed(tmp_path, path)[0].classes[0].running is not None


def test_a_machine_of_one_shift_on_five_days_is_seen_to_run(tmp_path: Path) -> None:
    time = pd.date_range("2026-03-02", periods=4 * 7 * 48, freq="30min")
    runs = (time.hour >= 6) & (time.hour < 14) & (time.day_of_week < 5)
    noise = np.random.default_rng(2).normal(0, 1, len(time)).round(2)
    table = pd.DataFrame({"time": time, "current": np.where(runs, 45 + noise, 0.0), "temperature": 30 + noise})
    table.to_csv(tmp_path / "press.csv", index=False)

    assert proposed(tmp_path, tmp_path / "press.csv")[0].classes[0].running == "current > 10"


def test_only_a_signal_that_drives_a_machine_says_when_it_runs(tmp_path: Path) -> None:
    path = tmp_path / "readings.csv"
    driven().rename(columns={"power": "rain"}).to_csv(path, index=False)

    assert proposed(tmp_path, path)[0].classes[0].running is None


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_when_simulated_machines_run_is_seen_in_their_readings(tmp_path: Path, kind: MachineKind) -> None:
    write_simulation(Scenario(machines={kind.name: 2}, days=70, every=timedelta(minutes=30), seed=3), tmp_path, "csv")

    plant, _ = proposed(tmp_path, *sorted((tmp_path / "readings" / kind.name).iterdir()))

    assert plant.classes[0].running is not None
    signal, least = plant.classes[0].running.split(" > ")
    assert 0.1 < float(least) / next(each.base for each in kind.signals if each.name == signal) < 0.4
