"""Clocks are reset by the coded event and by nothing else; only what has happened counts."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from features.extract import extract
from features.recipe import Recipe
from ingest.event import Event, EventKind
from tests.features.table_history import START, TableHistory, after, readings_frame

HOUR = timedelta(hours=1)
HOURS = 48


def _hours(*events: Event) -> dict[str, NDArray[np.float64]]:
    """Return each column at whole hours 1 … 48 for a machine that is read every half hour.

    At the moment at which a new life begins there is no row yet: NaN.
    """
    recipe = Recipe(
        machine_class="press",
        signals=("pressure",),
        windows=(3 * HOUR, 24 * HOUR),
        stride=HOUR,
        features=("hours_in_service", "hours_since_failure", "hours_since_maintenance", "errors"),
        components=("seal", "bearing"),
        error_codes=("E1",),
    )
    readings = readings_frame("m", np.arange(0, HOURS * 60 + 1, 30), pressure=np.ones(HOURS * 2 + 1))
    table = extract(recipe, TableHistory(readings, events), ["m"], START, after(hours=HOURS))
    hour = (table.time - np.datetime64(START.replace(tzinfo=None))) // np.timedelta64(1, "h")
    values = np.full((HOURS, len(table.names)), np.nan)
    values[hour - 1] = table.values
    return dict(zip(table.names, values.T, strict=True))


def _event(kind: EventKind, hour: float, **fields: Any) -> Event:
    return Event(machine="m", kind=kind, time=after(hours=hour), **fields)


def test_without_events_clocks_are_unknown_and_counts_are_zero() -> None:
    columns = _hours()

    assert np.isnan(columns["hours_since_failure"]).all()
    assert np.isnan(columns["hours_since_maintenance__seal"]).all()
    assert (columns["errors__24h"] == 0).all()
    assert (columns["errors__E1__24h"] == 0).all()
    assert columns["hours_in_service"].tolist() == list(range(1, HOURS + 1))


def test_maintenance_resets_the_clock_of_its_component_only() -> None:
    columns = _hours(_event("maintenance", 10.5, component="seal"))

    seal = columns["hours_since_maintenance__seal"]
    assert np.isnan(seal[:10]).all()
    assert seal[10:13].tolist() == [0.5, 1.5, 2.5]
    assert np.isnan(columns["hours_since_maintenance__bearing"]).all()
    assert np.isnan(columns["hours_since_failure"]).all()


def test_an_event_at_the_window_end_has_happened() -> None:
    assert _hours(_event("maintenance", 10, component="seal"))["hours_since_maintenance__seal"][9] == 0


def test_maintenance_of_the_whole_machine_resets_every_component() -> None:
    columns = _hours(_event("maintenance", 10))

    assert columns["hours_since_maintenance__seal"][19] == 10
    assert columns["hours_since_maintenance__bearing"][19] == 10


def test_a_failure_resets_the_clock_of_its_component_too() -> None:
    columns = _hours(_event("maintenance", 5, component="bearing"), _event("failure", 10, component="seal"))

    assert columns["hours_since_failure"][19] == 10
    assert columns["hours_since_maintenance__seal"][19] == 10
    assert columns["hours_since_maintenance__bearing"][19] == 15
    assert columns["hours_in_service"][8:11].tolist() == pytest.approx([9, np.nan, 1], nan_ok=True)


def test_other_events_reset_nothing() -> None:
    columns = _hours(*(_event(kind, 10, component="seal") for kind in ("inspection", "error", "stop", "state")))

    assert np.isnan(columns["hours_since_maintenance__seal"]).all()
    assert np.isnan(columns["hours_since_failure"]).all()


def test_a_failure_that_lasts_counts_from_its_end_once_it_has_come() -> None:
    columns = _hours(_event("failure", 4), _event("failure", 10, end=after(hours=14)))

    assert columns["hours_since_failure"][8:15].tolist() == pytest.approx([5, 6, 7, 8, 9, np.nan, 1], nan_ok=True)


def test_errors_are_counted_by_window_and_code() -> None:
    just_after_four = _event("error", 4.01, code="E2")
    columns = _hours(
        _event("error", 1.5, code="E1"), _event("error", 2, code="E2"), just_after_four, _event("error", 30, code="E1")
    )

    assert columns["errors__3h"][:6].tolist() == [0, 2, 2, 2, 1, 1]
    assert columns["errors__24h"][[0, 1, 24, 25, 28, 29]].tolist() == [0, 2, 3, 1, 0, 1]
    assert columns["errors__E1__24h"][[0, 1, 24, 25, 28, 29]].tolist() == [0, 1, 1, 0, 0, 1]


def test_errors_of_the_life_before_a_failure_do_not_count() -> None:
    columns = _hours(_event("error", 9, code="E1"), _event("failure", 10), _event("error", 11, code="E1"))

    assert columns["errors__24h"][8:12].tolist() == pytest.approx([1, np.nan, 1, 1], nan_ok=True)
