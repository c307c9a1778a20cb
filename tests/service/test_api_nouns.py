"""Plant, machines, alerts, models, jobs and runs over HTTP."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from models.assessment import Reason
from models.judging.interval import wilson
from models.registry.live_history import Change
from models.registry.slug import slug
from service.alerts import book
from service.jobs import ledger
from service.jobs.ledger import Origin, Outcome
from service.jobs.report import write_report

TEXT = st.text(max_size=20)


def test_the_plant_says_what_exists_but_not_where_data_comes_from(works: Any) -> None:
    plant = works.get("/api/v1/plant")

    assert plant["time_zone"] == "Europe/Berlin"
    place = {"site": "Ulm", "area": "", "line": "Line 1"}
    assert plant["machines"][0] == {"name": "press-1", "class": "press", **place, "hold_out": False}
    assert plant["models"][0]["horizon"] == "24 h"
    assert "sources" not in plant
    assert str(works.room.plant.folder) not in str(plant)


def health(works: Any, machine: str = "press-1") -> str:
    return str(works.get(f"/api/v1/machines/{machine}")["health"])


def test_a_machine_without_readings_says_so(works: Any) -> None:
    assert health(works) == "no readings yet"


def test_a_machine_with_readings_that_nobody_assessed_is_not_called_normal(works: Any) -> None:
    works.send()

    assert health(works) == "not assessed"


def test_a_machine_below_its_threshold_is_normal_and_above_it_is_not(works: Any) -> None:
    works.send()
    works.assess(level=0.1, age=timedelta(minutes=5))
    assert health(works) == "normal"

    works.assess(level=0.7)
    assert health(works) == "above threshold"


def test_a_silent_machine_is_never_normal(works: Any) -> None:
    works.send(until=works.now - timedelta(hours=3))
    works.assess(level=0.1)

    machine = works.get("/api/v1/machines/press-1")

    assert (machine["health"], machine["stale"]) == ("no recent readings", True)


@pytest.mark.parametrize("reason", [each for each in Reason if each is not Reason.OK])
def test_a_prediction_is_a_level_or_a_reason(works: Any, reason: Reason) -> None:
    works.send()
    works.assess(level=0.1, age=timedelta(minutes=5))
    works.assess(level=None, reason=reason.value)

    machine = works.get("/api/v1/machines/press-1")

    assert machine["health"] == ("off" if reason is Reason.OFF else "not assessed")
    assert machine["level"] is None
    assert [(each["model"], each["level"], each["reason"]) for each in machine["said"]] == [
        ("press failure", None, reason.value)
    ]


def test_a_silent_signal_is_told_beside_those_that_speak_with_since_when(works: Any) -> None:
    then = works.now - timedelta(days=3)
    works.send(until=then)
    works.send(vibration=np.nan)
    works.assess(level=0.1)

    machine = works.get("/api/v1/machines/press-1")

    assert (machine["health"], machine["stale"]) == ("normal", False)
    assert {each["name"]: (each["stale"], datetime.fromisoformat(each["time"])) for each in machine["signals"]} == {
        "temperature": (False, works.now),
        "vibration": (True, then),
    }


def test_a_signal_that_never_came_is_silent(works: Any) -> None:
    works.send(vibration=np.nan)

    signals = works.get("/api/v1/machines/press-1")["signals"]

    assert [(each["name"], each["stale"], each["time"]) for each in signals][1] == ("vibration", True, None)


def test_an_old_assessment_says_nothing_of_the_present(works: Any) -> None:
    works.send()
    works.assess(level=0.1, age=timedelta(days=2))

    assert health(works) == "not assessed"


@pytest.mark.parametrize(
    ("stride", "lasts"),
    [
        (timedelta(minutes=1), timedelta(days=1)),
        (timedelta(hours=1), timedelta(days=1)),
        (timedelta(days=1), timedelta(days=2, hours=2)),
        (timedelta(days=7), timedelta(days=14, hours=2)),
    ],
    ids=str,
)
def test_a_level_speaks_for_two_strides_of_its_version_and_for_a_day_at_least(
    works: Any, stride: timedelta, lasts: timedelta
) -> None:
    version = works.learn(stride=stride)
    works.send()
    works.assess(level=0.1, age=lasts + timedelta(minutes=1), version=version)
    assert health(works) == "not assessed"

    works.assess(level=0.1, age=lasts, version=version)
    assert health(works) == "normal"


def test_a_reason_in_place_of_a_level_is_no_health(works: Any) -> None:
    works.send()
    works.assess(level=None)

    assert health(works) == "not assessed"


def test_an_open_alert_decides_until_it_is_closed(works: Any) -> None:
    works.send()
    works.assess(level=0.1)
    number = works.alert().number
    assert health(works) == "needs attention"

    works.client.post(f"/api/v1/alerts/{number}/acknowledge", json={"by": "Ines"})
    assert health(works) == "being looked into"

    works.client.post(f"/api/v1/alerts/{number}/close", json={"by": "Ines", "verdict": "right"})
    assert health(works) == "normal"


def test_machines_are_listed_in_pages_and_by_state(works: Any) -> None:
    works.alert("press-2")

    first = works.get("/api/v1/machines", limit=3)
    second = works.get(first["next"])

    assert [each["name"] for each in first["items"]] == ["press-1", "press-2", "press-3"]
    assert len(second["items"]) == 1
    assert second["next"] is None
    assert [each["name"] for each in works.get("/api/v1/machines", health="needs attention")["items"]] == ["press-2"]


def test_a_machine_shows_its_newest_values_and_levels(works: Any) -> None:
    works.send(minutes=3, temperature=60.0)
    works.assess(level=0.2, age=timedelta(hours=1))
    works.assess(level=0.3)

    machine = works.get("/api/v1/machines/press-1")

    assert machine["signals"][0] == {
        "name": "temperature",
        "unit": "°C",
        "range": [-40, 200],
        "time": "2026-05-03T04:00:00Z",
        "value": 62.0,
        "stale": False,
        "grade": None,
    }
    assert machine["levels"][0]["level"] == [0.2, 0.3]
    assert machine["level"]["level"] == 0.3


def test_a_level_says_how_much_of_the_expected_readings_it_was_built_from(works: Any) -> None:
    works.assess(level=0.3, age=timedelta(hours=1))
    assert works.get("/api/v1/machines/press-1")["level"]["filled"] is None

    works.assess(level=0.3, filled=0.83, thin={"vibration": 0.41})
    assert works.get("/api/v1/machines/press-1")["level"]["filled"] == {
        "share": 0.83,
        "thin": {"vibration": 0.41},
        "says": "83 % of the expected readings; vibration 41 %",
    }


def test_a_machine_whose_name_holds_signs_can_be_addressed(works: Any) -> None:
    assert works.get("/api/v1/machines/%3Cscript%3Ealert(1)%3C%2Fscript%3E")["name"] == "<script>alert(1)</script>"


def test_alerts_are_ranked_by_the_money_at_stake_for_each_hour_left(works: Any) -> None:
    slow, urgent, seen = (
        works.alert("press-1", hours=48),
        works.alert("press-2", hours=5),
        works.alert("press-3", hours=2),
    )
    works.client.post(f"/api/v1/alerts/{seen.number}/acknowledge", json={"by": "Ines"})

    items = works.get("/api/v1/alerts")["items"]

    assert [each["number"] for each in items] == [urgent.number, slow.number, seen.number]
    assert items[0]["stake_per_hour"] == 0.6 * 10_000 / 5
    assert "5 h left" in items[0]["why_here"]


def test_an_anomaly_is_ranked_by_its_backtest_and_says_when_there_is_none(works: Any) -> None:
    likely = works.alert("press-1", level=0.3, hours=5)
    odd = works.alert("press-2", level=0.999, hours=5, kind="anomaly", version=works.learn(right=(1, 9)))
    unknown = works.alert("press-3", level=0.999, hours=5, kind="anomaly")

    first, second, third = works.get("/api/v1/alerts")["items"]

    assert [each["number"] for each in (first, second, third)] == [likely.number, odd.number, unknown.number]
    assert (first["chance"], second["chance"], third["chance"]) == (0.3, wilson(1, 9).low, None)
    assert third["stake_per_hour"] is None
    assert "at least that share of its alerts was right in the backtest" in second["why_here"]
    assert third["why_here"].startswith("money at stake not known")
    front = works.client.get("/", headers={"Accept": "text/html"}).text
    assert front.index(second["why_here"]) < front.index(third["why_here"])
    assert third["why_here"] in works.client.get(f"/alerts/{unknown.number}", headers={"Accept": "text/html"}).text


def test_an_alert_says_how_often_such_ones_were_right(works: Any) -> None:
    version = works.learn(right=(7, 9))
    first, second, third, other = (
        works.alert(cause=each, version=version, kind=kind)
        for each, kind in (("a", "anomaly"), ("b", "anomaly"), ("c", "anomaly"), ("d", "failure ahead"))
    )
    for alert, verdict in ((first, "right"), (second, "not inspected"), (other, "wrong")):
        works.client.post(f"/api/v1/alerts/{alert.number}/close", json={"by": "Ines", "verdict": verdict})

    record = works.get(f"/api/v1/alerts/{third.number}")["track_record"]

    assert (record["right"], record["judged"], record["tested_right"], record["tested"]) == (1, 1, 7, 9)
    assert (record["low"], record["high"]) == (wilson(1, 1).low, wilson(1, 1).high)
    assert record["sentence"] == "right 1 of 1 by verdict, 100 % [21–100 %]; 7 of 9 in its backtest, 78 % [45–94 %]"
    page = works.client.get(f"/alerts/{third.number}", headers={"Accept": "text/html"}).text
    assert record["sentence"] in page
    unknown = works.alert("press-2", cause="e", kind="condition", version="nobody has it")
    assert works.get(f"/api/v1/alerts/{unknown.number}")["track_record"] is None


def test_alerts_are_filtered_and_paged(works: Any) -> None:
    numbers = [works.alert("press-1", cause=f"cause {each}").number for each in range(5)]
    works.client.post(f"/api/v1/alerts/{numbers[0]}/close", json={"by": "Ines", "verdict": "wrong"})

    assert [each["number"] for each in works.get("/api/v1/alerts", state="normal")["items"]] == [numbers[0]]
    assert len(works.get("/api/v1/alerts", state="all")["items"]) == 5
    assert works.get("/api/v1/alerts", machine="press-2")["items"] == []
    found, link = [], "/api/v1/alerts?state=all&order=newest&limit=2"
    while link:
        page = works.get(link)
        found += [each["number"] for each in page["items"]]
        link = page["next"]
    assert found == numbers[::-1]


@pytest.mark.parametrize("order", ["newest", "look first"])
def test_pages_of_alerts_in_any_order_are_the_whole_list_cut(works: Any, order: str) -> None:
    numbers = [works.alert(cause=f"cause {each}", hours=90 - each).number for each in range(7)]
    for number in numbers[::3]:
        works.client.post(f"/api/v1/alerts/{number}/close", json={"by": "Ines", "verdict": "wrong"})
    whole = [each["number"] for each in works.get("/api/v1/alerts", state="all", order=order)["items"]]

    found, link = [], f"/api/v1/alerts?state=all&order={order}&limit=3"
    while link:
        page = works.get(link)
        found += [each["number"] for each in page["items"]]
        link = page["next"]

    assert found == whole
    assert whole == (numbers[::-1] if order == "newest" else [6, 5, 3, 2, 7, 4, 1])


def rows_read(works: Any, database: Any, path: str) -> list[str]:
    """Return the statements that a GET sends to a database, with the values that limit them."""
    with database.read() as connection:
        engine = connection.engine
    asked: list[str] = []

    def ask(*told: Any) -> None:
        asked.append(f"{' '.join(told[2].split())} {told[3]}")

    event.listen(engine, "before_cursor_execute", ask)
    works.get(path)
    event.remove(engine, "before_cursor_execute", ask)
    return asked


@pytest.mark.parametrize(
    ("table", "path"),
    [
        ("alert", "/api/v1/alerts?state=all&order=newest&limit=2"),
        ("alert", "/api/v1/alerts?state=normal&limit=2"),
        ("alert_event", "/api/v1/alerts/1/history?limit=2"),
        ("alert_event", "/api/v1/alerts/1"),
    ],
)
def test_a_page_of_the_state_asks_the_database_for_no_more_than_it_shows(works: Any, table: str, path: str) -> None:
    works.alert()

    asked = [each for each in rows_read(works, works.room.state, path) if f" FROM {table} " in each]

    assert asked
    assert all("LIMIT" in each or "IN (NULL)" in each or "number = " in each for each in asked), asked


def test_a_long_history_comes_in_pages_and_an_alert_shows_its_newest_lines(works: Any) -> None:
    number = works.alert().number
    with works.room.state.write() as connection:
        for each in range(150):
            book.comment(connection, number, by="Ines", at=works.now, text=f"remark {each}")

    shown = [each["why"] for each in works.get(f"/api/v1/alerts/{number}")["history"]]
    found, link = [], f"/api/v1/alerts/{number}/history?limit=60"
    while link:
        page = works.get(link)
        found += [each["why"] for each in page["items"]]
        link = page["next"]

    assert found == ["", *(f"remark {each}" for each in range(150))]
    assert shown == found[-100:]
    assert works.client.get("/api/v1/alerts/77/history").status_code == 404


def test_an_alert_shows_its_evidence_and_its_history(works: Any) -> None:
    number = works.alert().number
    works.client.post(f"/api/v1/alerts/{number}/comment", json={"by": "Ines", "text": "looked"})

    alert = works.get(f"/api/v1/alerts/{number}")

    assert alert["evidence"][0]["signal"] == "vibration"
    assert [(each["happening"], each["by"]) for each in alert["history"]] == [("raised", "andon"), ("comment", "Ines")]


def test_an_alert_is_acknowledged_once(works: Any) -> None:
    path = f"/api/v1/alerts/{works.alert().number}/acknowledge"

    first = works.client.post(path, json={"by": "Ines", "note": "on my way"})
    second = works.client.post(path, json={"by": "Jan"})

    assert (first.status_code, second.status_code) == (200, 409)
    assert first.json()["acknowledged_by"] == "Ines"
    assert second.json()["type"] == "urn:andon:illegal-transition"


def test_an_alert_is_closed_with_a_verdict_once(works: Any) -> None:
    path = f"/api/v1/alerts/{works.alert().number}/close"
    body = {"by": "Ines", "verdict": "prevented", "note": "bearing replaced"}

    first, second = works.client.post(path, json=body), works.client.post(path, json=body)

    assert (first.status_code, second.status_code) == (200, 409)
    assert first.json()["verdict"] == "prevented"
    assert first.json()["stake_per_hour"] is None


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/v1/alerts/77/close", {"by": "Ines", "verdict": "right"}, 404),
        ("/api/v1/alerts/77/acknowledge", {}, 422),
        ("/api/v1/alerts/77/close", {"by": "Ines", "verdict": "perhaps"}, 422),
        ("/api/v1/alerts/77/close", {"by": "", "verdict": "right"}, 422),
        ("/api/v1/alerts/0/acknowledge", {"by": "Ines"}, 422),
        ("/api/v1/alerts/99999999999999999999/acknowledge", {"by": "Ines"}, 422),
        ("/api/v1/models/nothing/promote", {"by": "Ines", "version": "ab"}, 404),
        ("/api/v1/models/press failure/promote", {"by": "Ines", "version": "../../etc"}, 404),
        ("/api/v1/models/press failure/rollback", {"by": "Ines"}, 409),
        ("/api/v1/jobs/nothing/run", None, 404),
    ],
)
def test_a_wish_that_cannot_be_met_is_a_problem(works: Any, path: str, body: object, status: int) -> None:
    response = works.client.post(path, json=body)

    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"]


def test_a_model_that_was_never_trained_is_listed_without_versions(works: Any) -> None:
    items = works.get("/api/v1/models")["items"]

    assert items == [works.get("/api/v1/models/press failure")]
    assert (items[0]["name"], items[0]["live"], items[0]["versions"]) == ("press failure", None, [])
    assert works.client.get("/api/v1/models/press failure/versions/live").status_code == 404


def test_a_version_that_cannot_be_read_is_shown_as_such_and_breaks_no_page(works: Any) -> None:
    folder = works.room.registry.folder / slug("press failure") / "0123456789abcdef"
    folder.mkdir(parents=True)
    (folder / "card.json").write_text("{")
    item = works.get("/api/v1/models")["items"][0]

    assert (item["name"], item["versions"]) == ("press failure", [])
    assert (item["unreadable"][0]["version"], item["unreadable"][0]["live"]) == (folder.name, False)
    assert "card.sig is missing" in item["unreadable"][0]["why"]
    assert works.client.get(f"/api/v1/models/press failure/versions/{folder.name}").status_code == 409
    change = Change("promote", "press failure", folder.name, works.now, "me", "")
    works.room.registry.history.append(change)
    assert "No model" in write_report(works.room, works.room.plant.jobs[0], works.now).read_text()
    for page in ("/", "/models", "/machines/press-1"):
        assert works.client.get(page, headers={"Accept": "text/html"}).status_code == 200
    assert f"{folder.name[:12]}</code>, the live one, cannot be read" in works.client.get("/models").text


def test_the_report_says_why_a_machine_has_no_level(works: Any) -> None:
    works.assess("press-1", level=0.1)
    assert "Not assessed" not in write_report(works.room, works.room.plant.jobs[0], works.now).read_text()

    works.assess("press-2", level=None, reason="sensor fault")

    told = write_report(works.room, works.room.plant.jobs[0], works.now).read_text()
    assert "## Not assessed\n\n- press-2: sensor fault (press failure, 2026-05-03 06:00)\n" in told


def test_jobs_say_when_they_run_next(works: Any) -> None:
    score, by_hand = works.get("/api/v1/jobs")["items"]

    assert (score["every"], score["next_slot"]) == ("10 min", "2026-05-03T04:10:00Z")
    assert by_hand["next_slot"] is None


def test_a_job_is_run_now_by_entering_it_into_the_ledger(works: Any) -> None:
    response = works.client.post("/api/v1/jobs/by hand/run")

    assert response.status_code == 202
    run = works.get(f"/api/v1/runs/{response.json()['id']}")
    assert (run["job"], run["state"], run["origin"]) == ("by hand", "waiting", "by hand")
    assert works.client.post("/api/v1/jobs/by hand/run").json()["id"] == run["id"]


def test_the_last_run_of_a_job_is_found_behind_any_number_of_waiting_ones(works: Any) -> None:
    with works.room.state.write() as connection:
        ledger.plan(connection, "score", [works.now], origin=Origin.SCHEDULE)
        run = ledger.claim(connection, jobs=["score"], worker="w", at=works.now, lease=timedelta(minutes=1))
        slots = [works.now + timedelta(minutes=each) for each in range(1, 30)]
        ledger.plan(connection, "score", slots, origin=Origin.BACK_FILL)

    assert works.get("/api/v1/jobs")["items"][0]["last_run"]["id"] == run.id


def test_entering_a_run_reads_no_other_runs(works: Any) -> None:
    slots = [works.now - timedelta(minutes=each) for each in range(1, 50)]
    with works.room.state.write() as connection:
        ledger.plan(connection, "score", slots, origin=Origin.SCHEDULE)
        engine = connection.engine
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *told: asked.append(" ".join(told[2].split())))

    works.client.post("/api/v1/jobs/score/run")

    (read,) = [statement for statement in asked if statement.startswith("SELECT") and "FROM run" in statement]
    assert "run.slot = " in read


def test_runs_are_filtered_and_paged(works: Any) -> None:
    slots = [works.now - timedelta(minutes=each) for each in range(5)]
    with works.room.state.write() as connection:
        ledger.plan(connection, "score", slots, origin=Origin.SCHEDULE)
        run = ledger.claim(connection, jobs=["score"], worker="w", at=works.now, lease=timedelta(minutes=1))
        assert run is not None
        ledger.finish(connection, run, Outcome(summary="fine"), at=works.now + timedelta(seconds=3))

    found, link = [], "/api/v1/runs?job=score&limit=2"
    while link:
        page = works.get(link)
        found += [each["id"] for each in page["items"]]
        link = page["next"]

    assert len(found) == 5
    assert found == sorted(found, reverse=True)
    assert [each["outcome"] for each in works.get("/api/v1/runs", state="done")["items"]] == ["fine"]
    assert works.get("/api/v1/jobs")["items"][0]["last_run"]["state"] == "done"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(by=TEXT, note=TEXT, verdict=st.sampled_from(["right", "wrong"]) | TEXT)
def test_no_words_about_an_alert_are_an_error_of_ours(lasting_works: Any, by: str, note: str, verdict: str) -> None:
    number = lasting_works.alert(cause="anything").number
    body = {"by": by, "note": note, "verdict": verdict}

    assert lasting_works.client.post(f"/api/v1/alerts/{number}/close", json=body).status_code in (200, 422)
    assert lasting_works.client.get(f"/api/v1/alerts/{number}").status_code == 200
