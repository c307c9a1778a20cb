from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.store import Store
from models.judging.cut import cut
from tests.features.table_history import START, TableHistory, after, readings_frame

DAYS = 10


def cut_of(hours: dict[str, "np.ndarray[tuple[int], np.dtype[np.float64]]"]) -> datetime:
    history = TableHistory(
        pd.concat(readings_frame(name, 60 * each, vibration=np.ones(len(each))) for name, each in hours.items())
    )
    spans = history.spans("pump").values()
    return cut(history, "pump", tuple(hours), min(each[0] for each in spans), max(each[1] for each in spans))


def read_every(step: float, days: float = DAYS) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return np.arange(0, days * 24, step, dtype=np.float64)


def test_even_readings_are_cut_at_their_share() -> None:
    assert cut_of({"m1": read_every(0.5)}) == after(days=6)


@settings(deadline=None, max_examples=10)
@given(lone=st.integers(-40 * 365 * 24, -1), machine=st.sampled_from(["m1", "m2"]))
def test_one_reading_long_before_leaves_the_cut_where_it_was(lone: int, machine: str) -> None:
    hours = {"m1": read_every(1), "m2": read_every(1)}
    usual = cut_of(hours)

    assert abs(cut_of({**hours, machine: np.r_[lone, hours[machine]]}) - usual) <= timedelta(hours=1)


@settings(deadline=None, max_examples=10)
@given(at=st.floats(0, DAYS), hole=st.integers(1, 5 * 365))
def test_a_hole_leaves_the_same_readings_on_both_sides(at: float, hole: int) -> None:
    hours = read_every(1)
    torn = np.where(hours > at * 24, hours + hole * 24, hours)
    shares = []
    for each in (hours, torn):
        found = (cut_of({"m1": each}) - START) / timedelta(hours=1)
        shares.append(np.mean(each <= found))

    assert shares[1] == pytest.approx(shares[0], abs=1.5 / len(hours))


def test_a_machine_that_is_read_more_often_has_no_more_say() -> None:
    often = cut_of({"m1": read_every(0.1, 4), "m2": read_every(1)})

    assert often == cut_of({"m1": read_every(1, 4), "m2": read_every(1)})


def test_the_store_says_the_same_from_times_alone(tmp_path: Path) -> None:
    hours = read_every(1)
    history = TableHistory(readings_frame("m1", 60 * hours, vibration=np.ones(len(hours))))
    store = Store(tmp_path)
    store.append(history.read("pump"), source="file", position="1")
    first, newest = history.spans("pump")["m1"]

    assert first == START
    assert cut(store, "pump", ("m1",), first, newest) == cut(history, "pump", ("m1",), first, newest)
    store.seal()
    assert cut(store, "pump", ("m1",), first, newest) == cut(history, "pump", ("m1",), first, newest)
    store.close()
