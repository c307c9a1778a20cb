"""A body that holds no reading is refused in the words of whoever sends it."""

from datetime import UTC, datetime

import pytest

from ingest.decode.csv import decode_csv
from ingest.decode.json import decode_json
from ingest.errors import SourceError
from ingest.plant import Machine, MachineClass, Plant, Signal

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PLANT = Plant(
    classes=[MachineClass(name="press", signals=[Signal(name="temperature"), Signal(name="force")])],
    machines=[Machine(name="m1", machine_class="press")],
)
KEYS = ("source", "signals =", "time_format", "machine_is", "plant file", "'batch'")
"""What stands in a plant file, which a client cannot change."""


@pytest.mark.parametrize(
    ("head", "says"),
    [
        ("time,force", "has no column 'machine' but: time, force; send rows of machine, time and one value"),
        ("machines,time,force", "has no column 'machine' but: machines, time, force; is 'machines' meant?"),
        ("machine,force", "has no column 'time' but: machine, force"),
        ("machine;time;force", "are its columns parted by commas?"),
        (
            "machine,time,forse",
            "has no column of a signal but: machine, time, forse; the signals are: temperature, force",
        ),
        ("machine,time,forse", "; is 'force' meant?"),
    ],
)
def test_a_body_without_a_column_is_refused(head: str, says: str) -> None:
    with pytest.raises(SourceError) as caught:
        decode_csv(f"{head}\n1,2,3\n".encode(), PLANT, now=NOW)

    assert says in str(caught.value)
    assert not [key for key in KEYS if key in str(caught.value)]


@pytest.mark.parametrize(
    ("time", "looks"),
    [
        ("1767225600", "seconds since 1970"),
        ("1767225600000", "milliseconds since 1970"),
        ("31.01.2026 06:00", "%d.%m.%Y"),
    ],
)
def test_a_time_of_another_kind_is_named_without_a_key_of_the_plant_file(time: str, looks: str) -> None:
    (rejection,) = decode_csv(f"machine,time,force\nm1,{time},1\n".encode(), PLANT, now=NOW).rejections

    assert looks in rejection.reason
    assert "send an ISO time" in rejection.reason
    assert not [key for key in KEYS if key in rejection.reason]


def test_a_comma_in_a_number_is_named_without_a_key_of_the_plant_file() -> None:
    (rejection,) = decode_csv(b'machine,time,force\nm1,2026-05-31T06:00:00Z,"1,5"\n', PLANT, now=NOW).rejections

    assert rejection.reason == "a comma in a number; send numbers with a point"


def test_a_column_that_stands_twice_is_named() -> None:
    with pytest.raises(SourceError, match="names a column twice: 'force'"):
        decode_csv(b"machine,time,force,force\n", PLANT, now=NOW)


def test_a_value_that_stands_beside_a_long_row_is_turned_away_and_what_is_no_signal_passed_over() -> None:
    body = (
        b'[{"machine": "m1", "time": "2026-05-31T06:00:00Z", "signal": "force", "value": 5, "temperature": 3,'
        b' "note": "x"},'
        b' {"machine": "m1", "time": "2026-05-31T07:00:00Z", "signal": "temperature", "value": 6}]'
    )
    decoded = decode_json(body, PLANT, now=NOW)

    (rejection,) = decoded.rejections
    assert (rejection.column, rejection.value, decoded.rejected, decoded.used) == ("temperature", "3", 1, 2)
    assert rejection.reason == "it stands beside a signal and its value; send it in a row of its own"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_the_encoding_of_a_table_is_seen(encoding: str) -> None:
    decoded = decode_csv("machine,time,force\nm1,2026-05-31T06:00:00Z,1\nm1,now,°\n".encode(encoding), PLANT, now=NOW)

    assert decoded.used == 1
    assert [(each.column, each.value) for each in decoded.rejections] == [("time", "now"), ("force", "°")]


def test_json_in_the_place_of_a_number_is_called_so() -> None:
    (rejection,) = decode_csv(
        b'machine,time,force\nm1,2026-05-31T06:00:00Z,"{""value"": 3}"\n', PLANT, now=NOW
    ).rejections

    assert rejection.reason == "text where a number should be (it looks like JSON)"
