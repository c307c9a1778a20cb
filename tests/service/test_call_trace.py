"""Everything that happens to an alert has an answer, and what-if agrees with what then happens."""

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from ingest.errors import AndonError, UnknownNameError
from service.alerts import book
from service.alerts.alert import Alert, AlertState, Verdict
from service.alerts.out_of_service import take_out_of_service
from service.alerts.pipeline.tables import call_mark_table, stopped_line_table
from service.alerts.pipeline.trace import BEFORE, SOON, trace_of
from service.alerts.pipeline.what_if import NUMBER, what_if
from service.alerts.shelve import shelve, unshelve
from service.alerts.tables import alert_event_table
from tests.service.called_plant import DAY, HOUR, MINUTE, SECOND, Called, called, plant_of

ROUTES: list[dict[str, Any]] = [
    {"name": "worst", "targets": "manager", "when": {"severity": "critical"}, "go_on": True, "group_wait": "0 s"},
    {"name": "duty", "when": {"machines": "press-[0-3]"}, "on_call": [{"shifts": "early", "targets": "phone"}]},
    {
        "name": "few",
        "targets": "mail",
        "when": {"kinds": ["anomaly", "failure ahead"]},
        "budget": 2,
        "group_wait": "0 s",
    },
]
MORE: dict[str, Any] = {
    "shifts": [{"name": "early", "hours": "06:00-14:00"}],
    "inhibits": [{"name": "drive", "when": {"causes": "drive"}, "quiet": {}, "same": ["line"]}],
}
MACHINES = [f"press-{each}" for each in range(6)]
KINDS = ["failure ahead", "anomaly", "limit", "sensor fault"]
FINDINGS = st.tuples(
    st.sampled_from(MACHINES),
    st.sampled_from(["bearing", "drive", "vibration sensor"]),
    st.sampled_from(KINDS),
    st.sampled_from([0.05, 0.5, 0.95]),
    st.sampled_from([1, 24, 400]),
)
DEEDS = ["raise", "over", "acknowledge", "close", "comment", "shelve", "unshelve", "out", "wait", "wait long"]
LIVES = st.lists(st.tuples(st.sampled_from(DEEDS), FINDINGS), min_size=1, max_size=12)


def do(world: Called, deed: str, about: tuple[str, str, Any, float, float]) -> None:
    """Do something to a plant; what is not possible is left."""
    machine, cause, kind, level, hours = about
    if deed.startswith("wait"):
        world.after(30 * SECOND if deed == "wait" else 5 * HOUR)
        return
    with world.state.read() as connection:
        live = book.list_alerts(connection, machine=machine)
    number = live[0].number if live else 1
    at = world.now
    try:
        with world.calling.write() as connection:
            match deed:
                case "raise":
                    finding = world.finding(machine, cause, kind=kind, level=level, hours=hours)
                    book.raise_alert(connection, finding, at=at)
                case "over":
                    book.condition_over(connection, number, at=at)
                case "acknowledge":
                    book.acknowledge(connection, number, by="eva", at=at)
                case "close":
                    book.close(connection, number, verdict=Verdict.WRONG, by="eva", at=at)
                case "comment":
                    book.comment(connection, number, by="eva", at=at, text="hums")
                case "shelve":
                    shelve(connection, number, by="eva", why="known", at=at, longest=DAY)
                case "unshelve":
                    unshelve(connection, number, by="eva", why="louder", at=at)
                case "out":
                    take_out_of_service(connection, machine, by="eva", why="rebuilt", at=at, longest=DAY)
    except AndonError:
        return


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(LIVES)
def test_everything_that_happens_has_an_answer_and_every_message_a_decision(life: Any) -> None:
    with TemporaryDirectory() as folder, closing((world := called(Path(folder), plant_of(ROUTES, **MORE))).state):
        for deed, about in life:
            do(world, deed, about)
        with world.state.read() as connection:
            numbers = [each.number for each in book.list_alerts(connection, states=tuple(AlertState))]
            traces = {number: trace_of(connection, number) for number in numbers}
            lines = {number: len(book.history(connection, number)) for number in numbers}
        decided = []
        for number, trace in traces.items():
            happened = [each for each in trace.steps if each.happening is not None]
            assert len(happened) == lines[number]
            assert all(each.decisions and not each.words for each in happened)
            assert all(each.words for step in happened for each in step.decisions if each.stage)
            decided += [each for step in trace.steps for each in step.decisions]
        called_for = {number for each in decided if each.messages for number in [each.alert]}
        assert called_for == {number for _, _, told in world.messages() for number in told}
        assert all(len(each.messages) == len(each.targets) for each in decided)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(LIVES, FINDINGS, st.booleans())
def test_what_if_says_what_then_happens(life: Any, about: Any, stopped: bool) -> None:
    routes = [each | {"group_wait": "0 s", "group_interval": "0 s"} for each in ROUTES]
    with TemporaryDirectory() as folder, closing((world := called(Path(folder), plant_of(routes, **MORE))).state):
        for deed, each in life:
            do(world, deed, each)
        if stopped:
            with world.state.write() as connection:
                row = {"line": "A", "since": world.now, "until": world.now + HOUR, "why": "all stand"}
                connection.execute(insert(stopped_line_table).values(**row))
        machine, cause, kind, level, hours = about
        finding = world.finding(machine, f"new {cause}", kind=kind, level=level, hours=hours)
        alert = Alert(
            number=NUMBER,
            machine=machine,
            cause=finding.cause,
            kind=kind,
            model=finding.model,
            version=finding.version,
            state=AlertState.UNACKNOWLEDGED,
            raised_at=world.now,
            condition_begin=world.now,
            act_before=finding.act_before,
            level=level,
        )
        with world.state.read() as connection:
            would = what_if(connection, world.rules, alert, world.now)
        with world.calling.write() as connection:
            number = book.raise_alert(connection, finding, at=world.now)[0].number

        decided = [each for each in world.decisions(number) if each.reason.value != "no news" or each.route]
        said = [(each.route, each.stage, each.reason, each.targets, each.until) for each in would]
        done = [
            (each.route, each.stage, "" if each.messages else each.reason.value, each.targets, each.until)
            for each in sorted(decided, key=lambda each: [route["name"] for route in routes].index(each.route or "few"))
            if each.route
        ]
        assert said == done
        assert bool(said) != any(each.reason.value == "no route" for each in decided)


def test_what_was_not_decided_yet_and_what_came_before_has_an_answer_too(tmp_path: Path) -> None:
    with closing((world := called(tmp_path, plant_of(ROUTES, **MORE))).state):
        number = world.alert()
        with world.state.write() as connection:
            book.comment(connection, number, by="eva", at=world.now, text="hums")
            (step,) = [each for each in trace_of(connection, number).steps if each.happening == "comment"]
            assert (step.decisions, step.words) == ((), SOON)
            newest = connection.execute(alert_event_table.select().order_by(alert_event_table.c.id.desc())).first()
            assert newest is not None
            connection.execute(call_mark_table.update().values(line=newest.id))
            (step,) = [each for each in trace_of(connection, number).steps if each.happening == "comment"]
            assert step.words == BEFORE


def test_a_trace_says_how_its_calls_stand_and_when_they_are_looked_at_next(tmp_path: Path) -> None:
    with closing((world := called(tmp_path, plant_of([{"name": "a", "targets": "phone"}]))).state):
        number = world.alert()
        with world.state.read() as connection:
            (waits,) = trace_of(connection, number).calls
        assert (waits.state, waits.next_look, waits.told) == ("grouping", world.now + 30 * SECOND, ())
        world.after(MINUTE)
        with world.state.read() as connection:
            trace = trace_of(connection, number)
        (stands,) = trace.calls
        assert (stands.state, stands.next_look, stands.told) == ("called", world.now + 4 * HOUR, ("phone",))
        assert [each.happening for each in trace.steps] == ["raised", None]


def test_there_is_no_trace_of_an_alert_that_is_not_there(tmp_path: Path) -> None:
    world = called(tmp_path, plant_of([]))
    with closing(world.state), world.state.read() as connection, pytest.raises(UnknownNameError, match="no alert 7"):
        trace_of(connection, 7)
