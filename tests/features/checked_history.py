"""A random history whose ledger is compared with a slow one, moment by moment."""

from datetime import datetime, timedelta

import pandas as pd
import pytest

from features.microsecond import microseconds, moment
from features.production.bucket import NAMES
from features.production.ledger import PIECES, Ledger, ledger_of
from features.production.told import told_of
from ingest.event import Event, events_table
from ingest.plant import Plant
from models.efficiency.oee import oee_of
from tests.features.made_history import AUTUMN, ORDINARY, SPRING, Integer, made_events, made_plant
from tests.features.slow_ledger import slow_ledger

HOUR = timedelta(hours=1)


def ledger(plant: Plant, events: list[Event], start: datetime, stop: datetime, machine: str = "m") -> Ledger:
    table = events_table([each for each in events if each.machine == machine])
    told = told_of(plant, machine, table, moment(stop + plant.production.minor_stop))
    return ledger_of(plant, machine, told, moment(start), moment(stop))


def checked_history(integer: Integer) -> pd.DataFrame:
    """Make a history up, and return the table of its ledger when it is what it must be.

    Raises
    ------
    AssertionError
        When the buckets do not add up to calendar time, or a row is not that of the slow ledger, or OEE is not what
        its factors make.
    """
    plant = made_plant(integer)
    start = (
        (SPRING, AUTUMN, ORDINARY)[integer(0, 2)] + integer(-3, 3) * HOUR + integer(0, 1) * timedelta(microseconds=7)
    )
    stop = start + timedelta(microseconds=integer(1, 54 * 3_600_000_000))
    known = stop + plant.production.minor_stop
    events = [each for each in made_events(integer, start, stop) if each.time <= known]

    found = ledger(plant, events, start, stop).table
    spent, pieces, off = slow_ledger(plant, "m", events, start, stop)

    assert int(found[list(NAMES)].to_numpy().sum()) == microseconds(stop - start)
    running = found[["unrated", "speed_loss", "rework", "scrap", "good"]].sum(axis=1)
    for row, ran in zip(found.to_dict("records"), running, strict=True):
        key = (row["day"].date(), row["shift"], row["shift_day"].date(), row["product"])
        assert ran == spent.pop((key, "running"), 0), key
        for name in NAMES[:10]:
            assert row[name] == spent.pop((key, name), 0), (key, name)
        for name in PIECES:
            assert row[name] == pytest.approx(pieces.pop((key, name.removesuffix("_pieces")), 0.0)), (key, name)
        if row["ideal_cycle"] and pieces is not None and found[list(PIECES)].to_numpy().sum():
            assert row["good"] == round(row["good_pieces"] * row["ideal_cycle"])
    assert not any(spent.values()), spent
    assert not any(pieces.values()), pieces
    assert found["off_plan_pieces"].sum() == pytest.approx(off)
    _check_oee(found)
    return found


def _check_oee(table: pd.DataFrame) -> None:
    figures = oee_of(table)
    if figures.oee is None:
        assert "oee" in figures.reasons()
        return
    ideal_good = sum(
        round(pieces * ideal) for pieces, ideal in zip(table["good_pieces"], table["ideal_cycle"], strict=True)
    )
    assert figures.oee == ideal_good / figures.busy
    factors = (figures.availability, figures.effectiveness, figures.quality_ratio)
    if None not in factors:
        assert figures.oee == pytest.approx(float(factors[0] or 0) * float(factors[1] or 0) * float(factors[2] or 0))
