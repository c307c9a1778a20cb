"""Rows of CSV in which people wrote marks of inches and texts of several lines."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.decode.text_block import parse_csv

NOTES = ["ok", '"3/4 pipe', '5" hose', '"all ""well"""', '"two\nlines"', '"', "a,b"]


@given(
    notes=st.lists(
        st.sampled_from(["ok", '"3/4 pipe', '5" hose', '"all ""well"""', '"two\nlines"', '"', "a,b"]), max_size=12
    ),
    end=st.sampled_from(["", "\n", "\r\n"]),
)
def test_whatever_people_note_each_row_is_one(notes: list[str], end: str) -> None:
    lines = [f"p1,{number},{note}" for number, note in enumerate(notes)]
    whole = [number for number, note in enumerate(notes) if note != "a,b"]
    text = "\n".join(lines) + end
    part = parse_csv(text.encode() or b"\n", ("machine", "value", "note"), ("value",))

    assert part.table["value"].to_pylist() == [str(number) for number in whole]
    assert len(part.broken) == len(notes) - len(whole)
    raw = text.split("\n")
    assert [raw[part.lines.of(row) - 2].split(",")[1] for row in range(len(whole))] == [str(each) for each in whole]
