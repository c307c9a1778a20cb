"""What another system posts: one occurrence while it lasts, over when it says so or falls silent, and no spam."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from starlette.testclient import TestClient

from ingest.errors import PostedAlertError
from service.access.role import Right
from service.alerts import book
from service.alerts.alert import AlertState, Verdict
from service.alerts.external.posted import Posted, posted
from service.alerts.external.take import end_overdue, end_overdue_of, take
from service.alerts.labels import fingerprint
from service.cli.main import main
from service.delivery.alertmanager import alertmanager_body
from service.delivery.outbox import NoticeKind
from service.delivery.tables import notice_table
from service.upkeep import keep_up
from tests.ready_state import open_state
from tests.service.called_plant import HOUR, MINUTE, MONDAY, SECOND, Called, called, plant_of
from tests.service.guarded_works import LINE_1, OTHER, OWN, GuardedWorks, open_guarded

ROUTE = {"name": "shift", "targets": ["phone"], "group_by": ["machine"]}
TARGET = {"name": "phone", "kind": "webhook", "address": "https://phone.example/hook"}


@pytest.fixture
def world(tmp_path: Path) -> Called:
    return called(tmp_path, plant_of([ROUTE], targets=[TARGET]))


def say(
    world: Called, *, begin: timedelta | None = None, end: timedelta | None = None, summary: str = "", **labels: str
) -> Posted:
    return posted(
        labels,
        {"summary": summary} if summary else {},
        starts_at=None if begin is None else world.now + begin,
        ends_at=None if end is None else world.now + end,
        generator_url="",
        plant=world.plant,
        now=world.now,
    )


def post(world: Called, **more: Any) -> None:
    with world.calling.write() as connection:
        take(connection, [say(world, **more)], by="prometheus", at=world.now)


def lines(world: Called, number: int = 1) -> list[str]:
    with world.state.read() as connection:
        return [each.happening.value for each in book.history(connection, number)]


def states(world: Called) -> list[str]:
    with world.state.read() as connection:
        return [each.state.value for each in book.list_alerts(connection, states=tuple(AlertState))][::-1]


def test_an_hour_of_posts_every_minute_is_one_line_of_history(world: Called) -> None:
    for minute in range(60):
        world.now = MONDAY + minute * MINUTE
        post(world, alertname="Hot", machine="press-0", end=4 * MINUTE, summary=f"{60 + minute} °C")

    assert lines(world) == ["raised"]
    assert world.show(1).sentence == "press-0: 119 °C"
    assert states(world) == ["unacknowledged"]


def test_without_an_end_it_is_over_five_minutes_after_it_was_last_posted_whoever_lived_meanwhile(
    tmp_path: Path, world: Called
) -> None:
    post(world, alertname="Hot", machine="press-0")
    world.now += 4 * MINUTE
    post(world, alertname="Hot", machine="press-0")
    world.state.close()

    again = Called(world.plant, open_state(tmp_path / "state.db"), world.now + 5 * MINUTE - SECOND)
    assert end_overdue_of(again.calling, again.now) == 0
    again.now += SECOND
    assert end_overdue_of(again.calling, again.now) == 1
    assert end_overdue_of(again.calling, again.now) == 0

    alert = again.show(1)
    assert (alert.state, alert.condition_end) == (AlertState.RETURNED, MONDAY + 9 * MINUTE)
    assert lines(again) == ["raised", "condition over"]


def test_what_is_posted_calls_people_and_tells_them_that_it_is_over(world: Called) -> None:
    post(world, alertname="Hot", machine="press-0", end=HOUR)
    world.after(MINUTE)
    post(world, alertname="Hot", machine="press-0", begin=-MINUTE, end=-SECOND)
    world.after(10 * MINUTE)

    assert [(kind, target) for kind, target, _ in world.messages()] == [("raised", "phone"), ("resolved", "phone")]


def test_the_severity_that_it_says_decides_and_critical_ones_need_no_token(tmp_path: Path) -> None:
    world = called(tmp_path, plant_of([{**ROUTE, "budget": 0}], targets=[TARGET]))
    post(world, alertname="Hot", machine="press-0", severity="page", end=HOUR)
    post(world, alertname="Warm", machine="press-3", severity="warning", end=HOUR)
    world.after(MINUTE)

    assert [alerts for _, _, alerts in world.messages()] == [[1]]
    assert "budget spent" in world.why(2)


def test_a_person_who_closed_it_is_left_alone_while_it_goes_on(world: Called) -> None:
    post(world, alertname="Hot", machine="press-0", end=4 * MINUTE)
    with world.calling.write() as connection:
        book.close(connection, 1, verdict=Verdict.WRONG, by="Ines", at=world.now)
    for _ in range(5):
        world.now += MINUTE
        post(world, alertname="Hot", machine="press-0", end=4 * MINUTE)
    assert states(world) == ["normal"]

    post(world, alertname="Hot", machine="press-0", begin=-MINUTE, end=timedelta(0))
    world.now += MINUTE
    post(world, alertname="Hot", machine="press-0", end=4 * MINUTE)

    assert states(world) == ["normal", "unacknowledged"]


def test_an_alert_that_is_over_and_back_is_the_same_until_somebody_has_seen_it(world: Called) -> None:
    for begin, end in ((0, 60), (0, 0), (0, 60)):
        post(world, alertname="Hot", machine="press-0", begin=begin * MINUTE, end=end * MINUTE)
    assert lines(world) == ["raised", "condition over", "condition back"]

    world.acknowledge(1)
    post(world, alertname="Hot", machine="press-0", begin=timedelta(0), end=timedelta(0))
    post(world, alertname="Hot", machine="press-0", begin=timedelta(0), end=HOUR)

    assert states(world) == ["normal", "unacknowledged"]


def test_the_end_of_an_earlier_time_does_not_end_what_lasts(world: Called) -> None:
    post(world, alertname="Hot", machine="press-0", begin=-MINUTE, end=HOUR)
    post(world, alertname="Hot", machine="press-0", begin=-HOUR, end=-2 * MINUTE)
    assert states(world) == ["unacknowledged"]

    post(world, alertname="Hot", machine="press-0", begin=-MINUTE, end=-SECOND)
    assert states(world) == ["returned-unacknowledged"]


def test_alerts_that_differ_in_any_label_are_different_and_ours_are_none_of_them(world: Called) -> None:
    ours = world.alert("press-0", "Hot")
    several: list[dict[str, str]] = [{}, {"device": "a"}, {"device": "b"}, {"device": 'a", machine="press-1'}]
    for more in (*several, {"machine": "press-1"}):
        labels: dict[str, Any] = {"alertname": "Hot", "machine": "press-0", **more}
        post(world, end=HOUR, **labels)

    assert len(states(world)) == 6
    assert world.show(ours).kind == "failure ahead"
    assert world.show(ours).model == "risk"


def test_long_labels_make_a_short_cause_of_their_own(world: Called) -> None:
    first, second = (say(world, alertname="Hot", path="x" * 900 + each) for each in "ab")

    assert first.cause != second.cause
    assert max(len(first.cause), len(second.cause)) < 300


def test_an_alert_of_no_machine_is_of_the_plant(world: Called) -> None:
    post(world, alertname="DiskFull", end=HOUR, summary="Disk of the gateway is full")

    alert = world.show(1)
    assert (alert.machine, alert.sentence) == ("", "Disk of the gateway is full")


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({}, "at least one label"),
        ({"alertname": "x", "machine": "press-9"}, r"no machine 'press-9'; did you mean 'press-\d'"),
        ({"bad-name": "x"}, "invalid name 'bad-name'"),
        ({"alertname": "x" * 1001}, "more than 1000 characters"),
        ({"alertname": "x\x00y"}, "cannot be kept|NUL|character"),
        ({f"l{each}": "x" for each in range(65)}, "64 are taken at most"),
    ],
)
def test_what_cannot_be_taken_says_why(world: Called, labels: dict[str, str], said: str) -> None:
    with pytest.raises(PostedAlertError, match=said):
        say(world, **cast("dict[str, Any]", labels))


def test_an_end_before_its_begin_is_refused(world: Called) -> None:
    with pytest.raises(PostedAlertError, match="start time must be before end time"):
        say(world, alertname="x", begin=HOUR, end=MINUTE)
    with pytest.raises(PostedAlertError, match="is not between the years"):
        say(world, alertname="x", begin=timedelta(days=-400 * 365))


def test_it_leaves_again_with_the_labels_that_it_came_with(world: Called) -> None:
    post(world, alertname="Hot", machine="press-0", severity="page", end=HOUR)
    world.after(MINUTE)
    with world.state.read() as connection:
        row = connection.execute(select(notice_table)).one()

    class Around:
        public_address = ""

        def link(self, notice: object, alert: int | None = None) -> str:
            return ""

    class Notice:
        target, at, body, kind = "phone", world.now, row.body, NoticeKind(row.kind)

    (told,) = alertmanager_body(Notice, Around())["alerts"]  # type: ignore[arg-type]
    labels = {"alertname": "Hot", "machine": "press-0", "severity": "page"}
    assert (told["labels"], told["fingerprint"]) == (labels, fingerprint(labels))


def test_a_thousand_alerts_that_are_posted_again_take_less_than_a_minute_of_a_minute(world: Called) -> None:
    several = [say(world, alertname="Hot", device=str(each), end=HOUR) for each in range(1000)]
    with world.calling.write() as connection:
        assert take(connection, several, by="prometheus", at=world.now) == 1000
    began = time.process_time()
    with world.calling.write() as connection:
        assert take(connection, several, by="prometheus", at=world.now + MINUTE) == 0
    assert time.process_time() - began < 20
    assert lines(world, 500) == ["raised"]


@dataclass
class Oracle:
    """What has to be: when the condition began and is over by itself, and how often it came and went."""

    until: datetime | None = None
    began: datetime = MONDAY
    turns: int = 0

    def look(self, now: datetime) -> None:
        if self.until is not None and self.until <= now:
            self.until, self.turns = None, self.turns + 1

    def post(self, begin: datetime, end: datetime, now: datetime) -> None:
        self.look(now)
        if end > now:
            if self.until is None:
                self.turns += 1
                self.began = begin
            self.began, self.until = min(self.began, begin), end
        elif self.until is not None and end >= self.began:
            self.until, self.turns = None, self.turns + 1


@dataclass
class Bench:
    """A database for many tries: each has a plant of labels of its own."""

    world: Called
    tries: Iterator[int] = field(default_factory=count)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(called(tmp_path_factory.mktemp("bench"), plant_of([])))


minutes = st.integers(-6, 6)
moves = st.one_of(
    st.tuples(st.just("post"), st.sampled_from("ab"), minutes, st.one_of(st.none(), minutes)),
    st.tuples(st.just("wait"), st.integers(1, 8)),
    st.tuples(st.just("look")),
    st.tuples(st.just("restart")),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(moves, max_size=25))
def test_any_order_of_posts_silences_and_looks_is_as_the_oracle_says(bench: Bench, steps: list[Any]) -> None:
    world, own = bench.world, str(next(bench.tries))
    oracles = {name: Oracle() for name in "ab"}
    for step in steps:
        if step[0] == "wait":
            world.now += step[1] * MINUTE
        elif step[0] == "look":
            with world.calling.write() as connection:
                end_overdue(connection, world.now)
        elif step[0] == "post":
            _, name, begin, end = step
            try:
                each = say(
                    world, begin=begin * MINUTE, end=None if end is None else end * MINUTE, alertname=name, own=own
                )
            except PostedAlertError:
                continue
            with world.calling.write() as connection:
                take(connection, [each], by="x", at=world.now)
            oracles[name].post(each.starts_at, each.ends_at, world.now)
    with world.calling.write() as connection:
        end_overdue(connection, world.now)
        alerts = [each for each in book.list_alerts(connection) if each.labels["own"] == own]
        turns = {each.labels["alertname"]: len(book.history(connection, each.number)) for each in alerts}
    for oracle in oracles.values():
        oracle.look(world.now)
    assert turns == {name: each.turns for name, each in oracles.items() if each.turns}
    firing = {each.labels["alertname"] for each in alerts if each.state is AlertState.UNACKNOWLEDGED}
    assert firing == {name for name, each in oracles.items() if each.until is not None}


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[GuardedWorks]:
    yield from open_guarded(tmp_path)


def test_who_reaches_a_part_of_the_plant_posts_about_its_machines_only(guarded: GuardedWorks) -> None:
    guarded.user("Ada")
    program = guarded.program(Right.TELL, Right.READ, reach=LINE_1)

    def say(**labels: str) -> tuple[int, str]:
        answer = program.ask("POST", "/api/v2/alerts", json=[{"labels": {"alertname": "Hot", **labels}}])
        return answer.status, answer.text

    assert say(machine=OWN) == (200, "")
    assert say(machine=OTHER)[0] == 400
    assert say(machine=OTHER)[1].replace(OTHER, "X") == say(machine="hidden-99")[1].replace("hidden-99", "X")
    assert "beyond your part" in say()[1]
    whole = guarded.program(Right.TELL, Right.READ)
    assert whole.ask("POST", "/api/v2/alerts", json=[{"labels": {"alertname": "Hot", "machine": OTHER}}]).status == 200
    assert [each["labels"]["machine"] for each in program.get("/api/v2/alerts").response.json()] == [OWN]
    assert len(whole.get("/api/v2/alerts").response.json()) == 2


def test_it_is_on_the_pages_in_the_list_and_over_at_its_time(
    works: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    client: TestClient = works.client
    sent = [
        {"labels": {"alertname": "Hot", "machine": "press-1"}, "annotations": {"summary": "Oil at 90 °C"}},
        {"labels": {"alertname": "DiskFull"}, "annotations": {"summary": "Disk <b>full</b>"}},
    ]
    assert client.post("/api/v2/alerts", json=sent).status_code == 200
    html = {"Accept": "text/html"}
    for path in ("/", "/alerts"):
        page = client.get(path, headers=html).text
        assert "press-1: Oil at 90 °C" in page
        assert "Disk &lt;b&gt;full&lt;/b&gt;" in page
    for number in (1, 2):
        answer = client.get(f"/alerts/{number}", headers=html)
        assert answer.status_code == 200
        assert 'href="/machines/"' not in answer.text
    assert "Oil at 90 °C" in client.get("/machines/press-1", headers=html).text
    listed = works.get("/api/v1/alerts")["items"]
    assert {(each["machine"], each["kind"], each["severity"]) for each in listed} == {
        ("press-1", "external", "medium"),
        ("", "external", "medium"),
    }

    works.now += timedelta(minutes=5)
    assert client.get("/api/v2/alerts").json() == []
    keep_up(works.room, works.now, worker="test")
    assert {each["state"] for each in works.get("/api/v1/alerts")["items"]} == {"returned-unacknowledged"}


def test_the_command_line_lists_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plant.toml").write_text(
        'classes = [{name = "press", signals = [{name = "v"}]}]\nmachines = [{name = "press-1", class = "press"}]\n',
        encoding="utf-8",
    )
    from service.app import create_app
    from service.settings import Settings

    app = create_app(Settings(jobs=False, deliver=False, hosts=("testserver",)), clock=lambda: datetime.now(UTC))
    with TestClient(app) as client:
        sent = [{"labels": {"alertname": "Hot", "machine": "press-1"}, "annotations": {"summary": "Oil at 90 °C"}}]
        assert client.post("/api/v2/alerts", json=sent).status_code == 200

    with pytest.raises(SystemExit):
        main(["alerts"])

    assert "press-1: Oil at 90 °C" in capsys.readouterr().out
