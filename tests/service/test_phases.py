"""How far a condition is from an alert, or an alert from its end: remembered as in a backtest, and shown."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.plant import AlertSettings
from models.assessment import Assessments
from models.persistence import Condition, Phase, episodes
from service.phases import phases_of_alerts
from service.watch import Watch, _condition, keep_watch, turned

HOUR = np.timedelta64(1, "h")
ZERO = np.datetime64("2026-01-01", "us")
NEVER = np.empty(0, dtype="datetime64[us]")


def assessed(levels: list[float], first: int) -> Assessments:
    time = ZERO + np.arange(first, first + len(levels)) * HOUR
    level, reason = np.array(levels, dtype=np.float64), np.full(len(levels), "ok", dtype=object)
    return Assessments("model", "1", np.full(len(levels), "m1", dtype=object), time, level, reason, 0.5)


@settings(deadline=None)
@given(
    batches=st.lists(
        st.lists(st.sampled_from([0.0, 0.42, 0.46, 0.9, float("nan")]), min_size=1, max_size=6), min_size=1, max_size=8
    ),
    on_delay=st.sampled_from([(1, 1), (2, 3), (3, 4)]),
    off_delay=st.integers(1, 3),
    dead_band=st.sampled_from([0.0, 0.1, 0.2]),
    kept=st.sampled_from([0, 3, 7]),
)
def test_rounds_of_any_size_say_what_a_backtest_says(
    batches: list[list[float]], on_delay: tuple[int, int], off_delay: int, dead_band: float, kept: int
) -> None:
    rules = AlertSettings(
        on_delay=on_delay, off_delay=off_delay, dead_band=dead_band, keep_firing=timedelta(hours=kept)
    )
    watch: Watch | None = None
    spans: list[list[Any]] = []
    place = 0
    for levels in batches:
        for level in levels:
            turn = turned(watch, assessed([level], place), NEVER, rules)
            if turn.ended is not None:
                spans[-1][1] = turn.ended
            if turn.watch.begin is not None and (watch is None or watch.begin != turn.watch.begin):
                spans.append([turn.watch.begin, None])
            # As it lies in the database between two rounds.
            kept_so = _condition(json.loads(json.dumps(asdict(turn.watch.condition))))
            watch = Watch(turn.watch.until, kept_so, turn.watch.begin)
            place += 1
    whole = assessed([level for levels in batches for level in levels], 0)
    wanted = [
        [None if each is None else each.astype(datetime).replace(tzinfo=UTC) for each in (found.begin, found.end)]
        for found in episodes(whole, rules)
    ]
    assert spans == wanted


def test_what_was_remembered_before_dead_bands_is_read() -> None:
    assert _condition({"active": True, "flags": [True], "clean": 1}) == Condition(True, (True,), 1, None)


def test_pending_and_recovering_are_on_the_pages_and_in_the_interface(works: Any) -> None:
    works.send()
    number = works.alert("press-1").number
    with works.room.state.write() as connection:
        for model, condition, alert in (
            ("press failure", Condition(True, (True, True, False), 1), number),
            ("signal limits", Condition(False, (False, True), 0), None),
        ):
            keep_watch(connection, model, "press-1", Watch(works.now, condition, works.now, alert))
    recovering = "1 window in a row below; over after 3"
    pending = "1 of the last 3 windows is over the threshold; 2 raise an alert"

    machine = works.get("/api/v1/machines/press-1")
    (listed,) = works.get("/api/v1/alerts")["items"]

    assert machine["conditions"] == [
        {"model": "press failure", "phase": "recovering", "words": recovering, "alert": number},
        {"model": "signal limits", "phase": "pending", "words": pending, "alert": None},
    ]
    assert (listed["phase"], listed["phase_words"]) == ("recovering", recovering)
    html = {"Accept": "text/html"}
    page = works.client.get("/machines/press-1", headers=html).text
    assert recovering in page
    assert pending in page
    assert recovering in works.client.get(f"/alerts/{number}", headers=html).text
    works.client.post(f"/api/v1/alerts/{number}/close", json={"by": "Ines", "verdict": "right"})
    assert works.get(f"/api/v1/alerts/{number}")["phase"] is None


def test_of_several_conditions_behind_an_alert_the_one_that_lasts_decides(works: Any) -> None:
    number = works.alert("press-1").number
    with works.room.state.write() as connection:
        for model, clean in (("a", 2), ("b", 0), ("c", 1)):
            condition = Condition(True, (True, True, False), clean)
            keep_watch(connection, model, "press-1", Watch(works.now, condition, works.now, number))
        found = phases_of_alerts(connection, works.room.plant.alerts)

    assert (found[number].phase, found[number].model) == (Phase.ACTIVE, "b")
