"""Cells that were turned away are counted for the machine, the signal and the day that they belong to."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from ingest.catalogue import to_microseconds
from ingest.decode.csv import decode_csv
from ingest.decode.json import decode_json
from ingest.decode.opcua import Point, PointDecoder
from ingest.delivery import Delivery
from ingest.plant import Machine, MachineClass, Plant, Signal
from ingest.plant_file import load_plant
from ingest.plant_opcua import Opcua, OpcuaNodes
from ingest.quality.counts import Counts, counted
from ingest.reading import Readings
from ingest.sources.files import ingest_files
from ingest.store import Store
from ingest.turned_away import Cell, TurnedAway
from tests.ingest.conftest import DATABASES, START

KEPT = DATABASES

DAY = START.toordinal() - 719_163
PLANT = Plant(
    classes=[
        MachineClass(name="press", signals=[Signal(name="a", range=(0, 10)), Signal(name="b")]),
        MachineClass(name="oven", signals=[Signal(name="b", range=(0, 100))]),
    ],
    machines=[
        Machine(name="m1", machine_class="press"),
        Machine(name="m2", machine_class="press"),
        Machine(name="o1", machine_class="oven"),
    ],
)


def counts(body: str, decode: Callable[..., object] = decode_csv) -> dict[Cell, int]:
    return dict(decode(body.encode(), PLANT, now=START + timedelta(days=9)).turned_away)  # type: ignore[attr-defined]


def test_wide_cells_are_counted_where_they_belong() -> None:
    found = counts(
        "machine,time,a,b\n"
        "m1,2026-01-01T00:00:00Z,11,x\n"
        "m1,2026-01-01T00:01:00Z,-1,2\n"
        "m1,2026-01-02T00:00:00Z,x,2\n"
        "m2,2026-01-01T00:00:00Z,1,x\n"
        "o1,2026-01-01T00:00:00Z,,101\n"
    )

    assert found == {
        Cell("m1", "a", DAY, "out of range"): 2,
        Cell("m1", "a", DAY + 1, "no number"): 1,
        Cell("m1", "b", DAY, "no number"): 1,
        Cell("m2", "b", DAY, "no number"): 1,
        Cell("o1", "b", DAY, "out of range"): 1,
    }


def test_long_cells_are_counted_where_they_belong() -> None:
    found = counts(
        "machine,time,signal,value\n"
        "m1,2026-01-01T00:00:00Z,a,11\n"
        "m1,2026-01-01T00:00:00Z,b,x\n"
        "o1,2026-01-01T00:01:00Z,b,-5\n"
    )

    assert found == {
        Cell("m1", "a", DAY, "out of range"): 1,
        Cell("m1", "b", DAY, "no number"): 1,
        Cell("o1", "b", DAY, "out of range"): 1,
    }


def test_what_has_no_machine_time_or_signal_is_counted_nowhere() -> None:
    assert counts("machine,time,a\nm9,2026-01-01T00:00:00Z,x\nm1,yesterday,x\n") == {}
    assert counts("machine,time,signal,value\nm1,2026-01-01T00:00:00Z,,x\nm1,2026-01-01T00:00:00Z,z,x\n") == {}


def test_json_is_counted_like_any_other_format() -> None:
    body = '[{"machine": "m1", "time": "2026-01-01T00:00:00Z", "a": 99, "b": "x"}]'

    assert counts(body, decode_json) == {
        Cell("m1", "a", DAY, "out of range"): 1,
        Cell("m1", "b", DAY, "no number"): 1,
    }


def test_values_of_bad_quality_are_counted_for_the_node_that_sent_them() -> None:
    stream = Opcua(name="plc", url="opc.tcp://plc:4840", nodes=[OpcuaNodes(node="ns=2;s={machine}.{signal}")])
    plant = PLANT.model_copy(update={"opcua": [stream]})
    time = to_microseconds(START)
    points = [
        Point("ns=2;s=m1.a", time, 5.0, 0x80000000),
        Point("ns=2;s=m1.a", time + 1, 5.0, 0),
        Point("ns=2;s=m1.a", time + 2, 50.0, 0),
        Point("ns=2;s=m2.b", time, None, 0),
        Point("ns=2;s=gone", time, 1.0, 0),
    ]

    assert dict(PointDecoder(stream, plant).decode(points, START + timedelta(days=1)).turned_away) == {
        Cell("m1", "a", DAY, "no number"): 1,
        Cell("m1", "a", DAY, "out of range"): 1,
        Cell("m2", "b", DAY, "no number"): 1,
    }


def test_a_delivery_counts_and_one_that_is_known_does_not_count_again(store: Store) -> None:
    away = TurnedAway({Cell("m1", "a", DAY, "no number"): 3, Cell("m1", "a", DAY, "out of range"): 2})
    for position in ("1", "1", "2"):
        store.deliver([Delivery(source="s", position=position, turned_away=away)])

    assert dict(store.turned_away(["m1"], START, START)) == {each: 2 * count for each, count in away.items()}
    assert not store.turned_away(["m2"], START, START)
    assert not store.turned_away(["m1"], START + timedelta(days=1), START + timedelta(days=2))


def test_a_file_that_is_read_anew_is_not_counted_twice(tmp_path: Path) -> None:
    def ingested(first: str) -> TurnedAway:
        rows = [f"m,2026-01-01T00:0{minute}:00Z,{value}" for minute, value in enumerate([first, "x", "5"])]
        (tmp_path / "data.csv").write_text("machine,time,a\n" + "\n".join(rows))
        (tmp_path / "plant.toml").write_text(
            '[[classes]]\nname = "press"\nsignals = [{ name = "a", range = [0, 10] }]\n'
            '[[machines]]\nname = "m"\nclass = "press"\n'
            '[[sources]]\nname = "file"\npath = "data.csv"\nmachine = "machine"\ntime = "time"\n'
        )
        plant = load_plant(tmp_path / "plant.toml")
        store = Store(plant.data_folder)
        ingest_files(plant, store, now=START + timedelta(days=9))
        found = store.turned_away(["m"], START, START)
        store.close()
        return found

    expected = {Cell("m", "a", DAY, "no number"): 1, Cell("m", "a", DAY, "out of range"): 1}
    assert ingested("11") == expected
    assert ingested("12") == expected
    assert ingested("7") == {Cell("m", "a", DAY, "no number"): 1}


@pytest.fixture
def counting(store: Store, make_readings: Callable[..., Readings]) -> Store:
    for number, value in enumerate((1, 2, 2)):
        rows = [(machine, minute, {"a": value}) for machine in ("m1", "m2") for minute in (0, 1, 2)]
        store.append(make_readings(rows), source="s", position=f"{number}")
        store.seal()
    away = TurnedAway({Cell("m1", "b", DAY, "no number"): 3, Cell("m1", "b", DAY + 2, "no number"): 4})
    store.deliver([Delivery(source="s", turned_away=away)])
    return store


def test_counts_of_a_span_hold_what_was_replaced_and_what_was_turned_away(counting: Store) -> None:
    found = counted(
        counting, "press", {"m1": (START, START + timedelta(days=1)), "m2": (START + timedelta(minutes=2), START)}
    )

    assert dict(found) == {
        ("m1", "a"): Counts(replaced=3),
        ("m1", "b"): Counts(no_number=3),
        ("m2", "a"): Counts(replaced=1),
    }


def test_rows_that_came_again_are_counted_for_each_machine(counting: Store) -> None:
    assert counting.repeated(START, START) == {"m1": 3, "m2": 3}
    assert counting.repeated(START + timedelta(days=1), START + timedelta(days=1)) == {}
