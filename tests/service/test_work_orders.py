"""Work orders: few, worth it, the most urgent first; approved by a person, handed over once, answered."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.database import Database
from ingest.errors import IllegalTransitionError
from ingest.plant import Costs
from ingest.plant_work_orders import WorkOrderSettings
from models.finding import Finding, FindingKind
from service.alerts import book, work_orders
from service.alerts.alert import Alert
from service.alerts.mutes import muted
from service.alerts.rank import Ranked, where_to_look_first
from service.alerts.shelve import shelve
from service.alerts.work_order import DEEDS, Deed, WorkOrder, WorkOrderState
from service.alerts.work_orders import decide, draft, list_orders, report
from service.audit.record import Subject
from service.audit.trail import Asked, list_records
from service.work_order_drop import draft_work_orders, hand_over, read_answers
from tests.ready_state import open_state

NOW = datetime(2026, 3, 1, 6, tzinfo=UTC)
DAY = timedelta(days=1)
COSTS = Costs(missed_failure=10_000, planned_stop=2_000, false_alarm=500)


@pytest.fixture
def state(tmp_path: Path, database: str) -> Iterator[Database]:
    opened = open_state(tmp_path / "state.db", database)
    yield opened
    opened.close()


def raised(connection: Any, number: int, level: float = 0.9, *, kind: FindingKind = "failure ahead") -> Alert:
    finding = Finding(
        machine=f"m{number}",
        kind=kind,
        cause="wear",
        model="risk",
        version="1",
        begin=NOW,
        end=None,
        level=level,
        act_before=NOW + timedelta(hours=1 + number),
        sentence=f"m{number} wears",
    )
    return book.raise_alert(connection, finding, at=NOW)[0]


def ranked(connection: Any, at: datetime = NOW) -> Sequence[Ranked]:
    live = muted(connection, book.list_alerts(connection), at)
    return where_to_look_first(live, COSTS, at, lambda model, version: {})


def drafted(connection: Any, *, most: int = 5, at: datetime = NOW) -> list[str]:
    return [each.machine for each in draft(connection, ranked(connection, at), COSTS, most_a_week=most, at=at)]


def test_two_hundred_detections_at_once_are_no_more_drafts_than_the_cap_the_first_to_look_at_first(
    state: Database,
) -> None:
    with state.write() as connection:
        for number in range(200):
            raised(connection, number)
        wanted = [each.alert.machine for each in ranked(connection)[:5]]
        assert drafted(connection) == wanted
        assert drafted(connection) == []
        assert len(list_orders(connection)) == 5


def test_an_alert_is_worth_what_it_saves_on_average(state: Database) -> None:
    with state.write() as connection:
        for number, level in enumerate((0.5, 500 / 8500, 500 / 8500 + 0.01, 0.01)):
            raised(connection, number, level)
        assert set(drafted(connection)) - {"m1"} == {"m0", "m2"}
        worth = {each.machine: each.worth for each in list_orders(connection)}
        assert worth["m0"] == 0.5 * 8000 - 0.5 * 500


def test_what_nobody_measured_and_what_nobody_is_called_for_gets_no_draft(state: Database) -> None:
    with state.write() as connection:
        raised(connection, 1, kind="sensor fault")
        quiet = raised(connection, 2)
        shelve(connection, quiet.number, by="Ines", why="known", at=NOW, longest=DAY)
        assert drafted(connection) == []


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3)), max_size=12), st.integers(0, 4))
def test_no_seven_days_have_more_drafts_than_the_cap(
    lasting_state: Database, rounds: list[tuple[int, int]], most: int
) -> None:
    with lasting_state.write() as connection:
        inner = connection.begin_nested()
        number = 0
        for hours, count in sorted(rounds):
            for _ in range(count * 3):
                number += 1
                raised(connection, number)
            drafted(connection, most=most, at=NOW + 8 * hours * timedelta(hours=1))
        times = sorted(each.drafted_at for each in list_orders(connection))
        inner.rollback()
    assert all(later - first >= timedelta(days=7) for first, later in zip(times, times[most:], strict=False))
    assert not (most == 0 and times)


@pytest.fixture(scope="module")
def lasting_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = open_state(tmp_path_factory.mktemp("orders") / "state.db")
    yield opened
    opened.close()


def test_a_machine_and_cause_has_one_open_order(state: Database) -> None:
    with state.write() as connection:
        first = raised(connection, 1)
        assert drafted(connection) == ["m1"]
        book.acknowledge(connection, first.number, by="Ines", at=NOW)
        book.condition_over(connection, first.number, at=NOW)
        raised(connection, 1)
        assert drafted(connection) == []
        decide(connection, 1, Deed.APPROVE, by="Ines", at=NOW)
        assert drafted(connection) == []
        report(connection, 1, status="closed", at=NOW, done=True, by="Ben")
        assert drafted(connection) == ["m1"]


def test_what_was_refused_is_not_drafted_again(state: Database) -> None:
    with state.write() as connection:
        raised(connection, 1)
        drafted(connection)
        decide(connection, 1, Deed.REFUSE, by="Ines", at=NOW, why="scrapped on Monday")
        assert drafted(connection, at=NOW + 8 * DAY) == []


@pytest.mark.parametrize("start", WorkOrderState)
@pytest.mark.parametrize("deed", Deed)
def test_what_is_not_drawn_is_a_conflict_that_says_what_is_possible(start: WorkOrderState, deed: Deed) -> None:
    order = WorkOrder(
        number=1,
        alert=1,
        machine="m",
        cause="c",
        state=start,
        title="",
        worth=1,
        act_before=NOW,
        drafted_at=NOW,
    )
    if (start, deed) in DEEDS:
        assert order.after(deed) is DEEDS[start, deed]
    else:
        with pytest.raises(IllegalTransitionError) as caught:
            order.after(deed)
        assert set(caught.value.possible) == {each.value for state, each in DEEDS if state is start}


def test_each_step_is_a_record(state: Database) -> None:
    with state.write() as connection:
        raised(connection, 1)
        drafted(connection)
        decide(connection, 1, Deed.APPROVE, by="Ines", at=NOW, title="Replace it")
        work_orders.handed(connection, 1, at=NOW)
        report(connection, 1, status="in progress", reference="WO-1", at=NOW, by="Ben")
        report(connection, 1, status="in progress", reference="WO-1", at=NOW, by="Ben")
        report(connection, 1, status="closed", at=NOW, done=True, by="Ben")
        found = list_records(connection, Asked(subject=Subject.WORK_ORDER))[::-1]
    assert [(each.what, each.by) for each in found] == [
        ("drafted", "andon"),
        ("approve", "Ines"),
        ("handed over", "andon"),
        ("status", "Ben"),
        ("done", "Ben"),
    ]
    assert (found[-1].detail["title"], found[-1].detail["reference"]) == ("Replace it", "WO-1")


@pytest.fixture
def room(works: Any, tmp_path: Path) -> Any:
    """The plant of the application with a folder between it and a maintenance system."""
    plant = works.room.plant.model_copy(update={"work_orders": WorkOrderSettings(folder=tmp_path / "cmms")})
    real = works.room
    return SimpleNamespace(plant=plant, state=real.state, registry=real.registry)


def test_what_was_approved_is_handed_over_once_and_again_after_a_kill(works: Any, room: Any, tmp_path: Path) -> None:
    works.alert(level=0.9)
    (order,) = draft_work_orders(room, at=works.now)
    assert hand_over(room, at=works.now) == []
    with room.state.write() as connection:
        decide(connection, order.number, Deed.APPROVE, by="Ines", at=works.now)
    (path,) = hand_over(room, at=works.now)
    said = path.read_bytes()
    assert json.loads(said)["approved_by"] == "Ines"
    path.unlink()
    assert hand_over(room, at=works.now) == []
    with room.state.write() as connection:
        # As it is after a kill between the file and the row.
        work_orders._change(connection, order.number, {"handed_at": None})
    assert [each.read_bytes() for each in hand_over(room, at=works.now)] == [said]
    assert [each.name for each in (tmp_path / "cmms" / "out").iterdir()] == [path.name]


def test_answers_are_taken_over_and_what_cannot_be_read_is_put_aside(works: Any, room: Any, tmp_path: Path) -> None:
    works.alert(level=0.9)
    (order,) = draft_work_orders(room, at=works.now)
    answers = tmp_path / "cmms" / "in"
    answers.mkdir(parents=True)
    told = {
        "a.json": {"number": order.number, "status": "too early"},
        "b.json": [1],
        "c.json": {"number": 77, "status": "closed"},
        "d.json": {"number": order.number, "status": 3},
    }
    for name, body in told.items():
        (answers / name).write_text(json.dumps(body))
    (answers / "e.json").write_bytes(b"\xff{")
    taken, problems = read_answers(room, at=works.now)
    assert (taken, len(problems)) == (0, 5)
    assert "work order 1 is draft; 'done' is not possible" in problems[0]
    refused = tmp_path / "cmms" / "refused"
    assert "no work order 77" in (refused / "c.json.why").read_text()
    with room.state.write() as connection:
        decide(connection, order.number, Deed.APPROVE, by="Ines", at=works.now)
    (answers / "f.json").write_text(json.dumps({"number": order.number, "status": "closed", "done": True}))
    assert read_answers(room, at=works.now) == (1, [])
    with room.state.read() as connection:
        done = work_orders.show(connection, order.number)
    assert (done.state, done.status, list(answers.iterdir())) == ("done", "closed", [])


def test_a_plant_file_without_the_table_drafts_nothing(works: Any) -> None:
    works.alert(level=0.9)
    assert draft_work_orders(works.room, at=works.now) == []
    assert works.get("/api/v1/work-orders") == {"next": None, "items": []}


def test_over_http_an_order_is_approved_answered_and_refused_no_more(works: Any, room: Any) -> None:
    works.alert(level=0.9)
    draft_work_orders(room, at=works.now)
    early = works.client.post("/api/v1/work-orders/1/status", json={"status": "closed"})
    assert early.status_code == 409
    approved = works.client.post("/api/v1/work-orders/1/approve", json={"by": "Ines", "title": "Replace it"})
    assert (approved.json()["state"], approved.json()["title"]) == ("approved", "Replace it")
    for _ in range(2):
        answer = works.client.post("/api/v1/work-orders/1/status", json={"status": "closed", "done": True})
        assert answer.json()["state"] == "done"
    late = works.client.post("/api/v1/work-orders/1/refuse", json={"by": "Ines", "why": "no"})
    assert (late.status_code, late.json().get("possible", [])) == (409, [])
