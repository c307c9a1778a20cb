"""InfluxDB line protocol to the letter, line by line."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decode.arrow import decode_arrow
from ingest.decode.line_protocol import decode_line_protocol
from ingest.decode.rows import Decoded
from ingest.errors import SourceError
from ingest.plant import Machine, MachineClass, Plant, Signal

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PLANT = Plant(
    classes=[MachineClass(name="press", signals=[Signal(name="force"), Signal(name="heat, upper")])],
    machines=[Machine(name="p1", machine_class="press"), Machine(name="p 2", machine_class="press")],
)


def decode(text: str, precision: str = "s") -> Decoded:
    return decode_line_protocol(text.encode(), PLANT, now=NOW, precision=precision)


@pytest.mark.parametrize(
    ("field", "value"),
    [("1.5", 1.5), ("-2e3", -2000.0), (".5", 0.5), ("1.", 1.0), ("7i", 7.0), ("7u", 7.0), ("t", 1.0), ("False", 0.0)],
)
def test_each_kind_of_field_is_a_number(field: str, value: float) -> None:
    assert decode(f"m,machine=p1 force={field} 1767225600").readings[0].table["force"].to_pylist() == [value]


@pytest.mark.parametrize(("precision", "factor"), [("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)])
def test_a_timestamp_counts_what_the_precision_says(precision: str, factor: int) -> None:
    decoded = decode(f"m,machine=p1 force=1 {1767225600 * factor}", precision)

    assert decoded.readings[0].table["time"].to_pylist() == [datetime(2026, 1, 1, tzinfo=UTC)]


def test_a_line_without_a_timestamp_is_of_the_moment_it_came() -> None:
    assert decode("m,machine=p1 force=1").readings[0].table["time"].to_pylist() == [NOW]


def test_escapes_in_tags_and_fields_are_read() -> None:
    table = decode("m\\,n,a=b,machine=p\\ 2 heat\\,\\ upper=3 1767225600").readings[0].table

    assert (table["machine"].to_pylist(), table["heat, upper"].to_pylist()) == (["p 2"], [3.0])


def test_a_field_that_stands_twice_in_a_line_gives_no_other_line_its_value() -> None:
    decoded = decode(
        "m,machine=p1 force=1,force=2 1767225600\nm,machine=p\\ 2 heat\\,\\ upper=5 1767225600\n"
        "m,machine=p1 force=3 1767225601\n"
    )

    rows = decoded.readings[0].table.to_pylist()
    assert [(row["machine"], row["force"]) for row in rows] == [("p 2", None), ("p1", 3)]
    assert [(each.line, each.reason) for each in decoded.rejections] == [
        (1, "field 'force' stands there twice; which value is meant?")
    ]


def test_quotes_in_tags_are_letters_and_join_no_lines() -> None:
    decoded = decode('m,size=12",machine=p1 force=1 1767225600\nm,size=12",machine=p1 force=2 1767225601\n')

    assert decoded.readings[0].table["force"].to_pylist() == [1, 2]
    assert decoded.rejections == []


def test_wrong_lines_are_named_by_their_number_and_the_others_kept() -> None:
    decoded = decode(
        "# a comment\n\nm,machine=p1 force=1 1767225600\nm force=1 1\nm,machine=p1 force=1_0 1\n"
        "m,machine=p1 force=1 never\nm,machine=p9 force=1 1767225600\n"
        'm,machine=p1 force="high\nest" 1767225600\nm,machine=p1\n'
    )

    assert [(each.line, each.column) for each in decoded.rejections] == [
        (4, ""), (5, ""), (6, ""), (7, "machine"), (8, "force"), (10, ""),
    ]  # fmt: skip
    assert decoded.readings[0].table["force"].to_pylist() == [1.0]


PIECES = st.sampled_from(
    ["m", ",", "machine=p1", " ", "force=", "1", '"', "\\", "\n", "1i", "#", "=", "\x00", "é", "-"]
)


@given(st.binary(max_size=300) | st.lists(PIECES, max_size=40).map("".join).map(str.encode))
def test_no_body_raises_anything_but_our_error(body: bytes) -> None:
    for decoder in (decode_line_protocol, decode_arrow):
        try:
            decoder(body, PLANT, now=NOW)
        except SourceError as error:
            assert "\n" not in str(error)  # noqa: PT017 - both outcomes are right
