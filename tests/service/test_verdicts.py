"""Who an alert is assigned to, what was found at it, and what models learn from that."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.database import Database
from ingest.errors import IllegalTransitionError, UnknownNameError
from ingest.event import Event, events_table
from ingest.plant import Machine, MachineClass, Plant, Signal, Target
from ingest.store import Store
from models.finding import Finding, FindingKind
from models.labels.label import target_events
from service.alerts import book
from service.alerts.alert import AlertState, Verdict
from service.alerts.assign import assign, unassign
from service.alerts.found import SENSOR, Found, refuse_unknown
from service.alerts.learnt import SAME, learnt_history
from tests.ready_state import open_state

NOW = datetime(2026, 3, 1, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
FORM = {"Sec-Fetch-Site": "same-origin"}
PLANT = Plant(
    name="Ulm",
    time_zone="UTC",
    classes=[MachineClass(name="press", components=["bearing", "seal"], signals=[Signal(name="vibration")])],
    machines=[Machine(name=f"press-{each}", machine_class="press") for each in (1, 2)],
)


@pytest.fixture
def state(tmp_path: Path, database: str) -> Iterator[Database]:
    opened = open_state(tmp_path / "state.db", database)
    yield opened
    opened.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "data")) as opened:
        yield opened


def raised(
    state: Database,
    machine: str = "press-1",
    cause: str = "bearing",
    *,
    kind: FindingKind = "failure ahead",
    at: datetime = NOW,
) -> int:
    finding = Finding(
        machine=machine,
        kind=kind,
        cause=cause,
        model="risk",
        version="v1",
        begin=at - HOUR,
        end=None,
        level=0.6,
        act_before=at + 23 * HOUR,
    )
    with state.write() as connection:
        return book.raise_alert(connection, finding, at=at)[0].number


def closed(state: Database, number: int, verdict: Verdict, found: Found, *, at: datetime = NOW) -> None:
    with state.write() as connection:
        book.close(connection, number, verdict=verdict, by="Ines", at=at, found=found)


def failures(state: Database, store: Store) -> pd.DataFrame:
    return learnt_history(state, PLANT, store).events(kinds=["failure"])


def test_an_alert_is_given_to_a_person_and_on_to_another_and_to_nobody(state: Database) -> None:
    number = raised(state)
    with state.write() as connection:
        assert assign(connection, number, to="Ben", by="Ines", at=NOW).assignee == "Ben"
        assign(connection, number, to="Eva", by="Ines", at=NOW, note="Ben is ill")
        assert [each.number for each in book.list_alerts(connection, assignee="Eva")] == [number]
        assert book.list_alerts(connection, assignee="Ben") == []
        unassign(connection, number, by="Eva", at=NOW)
        assert [each.number for each in book.list_alerts(connection, assignee="")] == [number]
        lines = [(each.happening.value, each.by, each.why) for each in book.history(connection, number)[1:]]
    assert lines == [
        ("assigned", "Ines", "to Ben"),
        ("assigned", "Ines", "to Eva, was Ben: Ben is ill"),
        ("unassigned", "Eva", "was Eva"),
    ]


def test_an_alert_changes_its_state_by_no_assignment(state: Database) -> None:
    number = raised(state)
    with state.write() as connection:
        assert assign(connection, number, to="Ben", by="Ines", at=NOW).state is AlertState.UNACKNOWLEDGED
        book.acknowledge(connection, number, by="Ben", at=NOW)
        book.condition_over(connection, number, at=NOW)
        assert assign(connection, number, to="Eva", by="Ines", at=NOW).state is AlertState.NORMAL


def test_what_cannot_be_assigned_says_what_can_be_done(state: Database) -> None:
    number = raised(state)
    with state.write() as connection:
        with pytest.raises(IllegalTransitionError, match="is assigned to nobody"):
            unassign(connection, number, by="Ines", at=NOW)
        assign(connection, number, to="Ben", by="Ines", at=NOW)
        with pytest.raises(IllegalTransitionError, match="is assigned to Ben already"):
            assign(connection, number, to="Ben", by="Ines", at=NOW)
        book.close(connection, number, verdict=Verdict.WRONG, by="Ben", at=NOW)
        with pytest.raises(IllegalTransitionError, match="was closed as 'wrong' by Ben") as caught:
            assign(connection, number, to="Eva", by="Ines", at=NOW)
        assert caught.value.possible == ("comment",)


def test_what_was_found_is_kept_and_told_in_the_history(state: Database) -> None:
    number = raised(state)
    found = Found(mode="bearing", mechanism="wear", root_cause="misalignment", action="replaced")
    with state.write() as connection:
        alert = book.close(connection, number, verdict=Verdict.RIGHT, by="Ines", at=NOW, note="in time", found=found)
        why = book.history(connection, number)[-1].why
    assert (alert.mode, alert.mechanism, alert.root_cause, alert.action) == (
        "bearing",
        "wear",
        "misalignment",
        "replaced",
    )
    assert why == "right, mode bearing, mechanism wear, cause misalignment, action replaced: in time"


def test_an_unknown_mode_names_the_nearest() -> None:
    refuse_unknown("", ["bearing"])
    refuse_unknown("bearing", ["bearing"])
    with pytest.raises(UnknownNameError, match="did you mean 'bearing'"):
        refuse_unknown("baering", ["bearing", "seal"])
    with pytest.raises(UnknownNameError, match="there are: bearing, seal"):
        refuse_unknown("xyz", ["bearing", "seal"])


@pytest.mark.parametrize(
    ("verdict", "mode", "kind", "labels"),
    [
        (Verdict.RIGHT, "bearing", "failure ahead", [("press-1", "bearing", "")]),
        (Verdict.PREVENTED, "bearing", "anomaly", [("press-1", "bearing", "")]),
        (Verdict.PREVENTED, "spalling", "failure ahead", [("press-1", "bearing", "spalling")]),
        (Verdict.PREVENTED, "", "failure ahead", []),
        (Verdict.WRONG, "bearing", "failure ahead", []),
        (Verdict.NOT_INSPECTED, "bearing", "failure ahead", []),
        (Verdict.RIGHT, "bearing", "sensor fault", []),
        (Verdict.RIGHT, "bearing", "energy loss", []),
        (Verdict.RIGHT, "bearing", "sensor or machine", [("press-1", "bearing", "")]),
        (Verdict.RIGHT, SENSOR, "sensor or machine", []),
        (Verdict.RIGHT, SENSOR, "anomaly", []),
    ],
)
def test_only_what_was_found_right_or_prevented_with_a_mode_becomes_a_failure(
    state: Database, store: Store, verdict: Verdict, mode: str, kind: FindingKind, labels: list[tuple[str, str, str]]
) -> None:
    closed(state, raised(state, kind=kind), verdict, Found(mode=mode))
    told = failures(state, store)
    assert list(told[["machine", "component", "code"]].itertuples(index=False, name=None)) == labels


def test_a_component_that_is_called_sensor_fails_as_any_other(state: Database, store: Store) -> None:
    named = PLANT.model_copy(
        update={"classes": [PLANT.classes[0].model_copy(update={"components": ["bearing", SENSOR]})]}
    )
    closed(state, raised(state), Verdict.RIGHT, Found(mode=SENSOR))
    told = learnt_history(state, named, store).events(kinds=["failure"])
    assert told["component"].to_list() == [SENSOR]


def test_a_prevented_failure_is_foretold_by_what_a_model_learns(state: Database, store: Store) -> None:
    closed(state, raised(state), Verdict.PREVENTED, Found(mode="bearing"), at=NOW + 5 * HOUR)
    events = learnt_history(state, PLANT, store).events()
    targets = target_events(events, Target(kind="failure", component="bearing"))
    assert targets["begin"].to_list() == [pd.Timestamp(NOW + 5 * HOUR)]
    assert target_events(events, Target(kind="failure", component="seal")).empty


def test_a_failure_whose_condition_was_over_before_it_was_closed_is_of_then(state: Database, store: Store) -> None:
    number = raised(state)
    with state.write() as connection:
        book.condition_over(connection, number, at=NOW + HOUR, end=NOW + HOUR)
    closed(state, number, Verdict.PREVENTED, Found(mode="bearing"), at=NOW + timedelta(days=20))
    assert failures(state, store)["time"].to_list() == [pd.Timestamp(NOW + HOUR)]


@pytest.mark.parametrize(("after", "counted"), [(-2 * HOUR, 2), (timedelta(0), 1), (SAME, 1), (SAME + HOUR, 2)])
def test_a_failure_that_is_recorded_as_well_is_one(
    state: Database, store: Store, after: timedelta, counted: int
) -> None:
    store.add_events(
        events_table([Event(machine="press-1", kind="failure", time=NOW + after, component="bearing")]), source="t"
    )
    closed(state, raised(state), Verdict.RIGHT, Found(mode="bearing"))
    assert len(failures(state, store)) == counted


def test_two_alerts_about_one_fault_are_one_failure(state: Database, store: Store) -> None:
    for cause in ("bearing", "odd"):
        closed(state, raised(state, cause=cause), Verdict.RIGHT, Found(mode="bearing"))
    closed(state, raised(state, "press-2"), Verdict.RIGHT, Found(mode="bearing"))
    assert failures(state, store)["machine"].to_list() == ["press-1", "press-2"]


def test_without_a_verdict_the_history_is_the_same(state: Database, store: Store) -> None:
    raised(state)
    assert learnt_history(state, PLANT, store) is store


@settings(max_examples=40, deadline=None)
@given(
    start=st.integers(-5, 60),
    length=st.integers(0, 80),
    machines=st.sampled_from([None, ["press-1"], ["press-2"], []]),
    kinds=st.sampled_from([None, ["failure"], ["error"], []]),
)
def test_a_span_of_events_is_the_whole_cut(
    learnt: Any, start: int, length: int, machines: list[str] | None, kinds: list[str] | None
) -> None:
    begin, end = NOW + start * HOUR, NOW + (start + length) * HOUR
    whole = learnt.events()
    wanted = whole[(whole["time"] > begin) & (whole["time"] <= end)]
    for column, names in (("machine", machines), ("kind", kinds)):
        wanted = wanted if names is None else wanted[wanted[column].isin(names)]
    got = learnt.events(machines=machines, kinds=kinds, start=begin, end=end)
    pd.testing.assert_frame_equal(got, wanted.reset_index(drop=True))


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("learnt")
    with closing(open_state(folder / "state.db")) as state, closing(Store(folder / "data")) as store:
        recorded = [Event(machine="press-1", kind="error", time=NOW + each * HOUR, code=f"E{each}") for each in (3, 30)]
        store.add_events(events_table(recorded), source="t")
        for number, machine in enumerate(["press-1", "press-2", "press-1", "press-2"]):
            at = NOW + number * 20 * HOUR
            closed(state, raised(state, machine, f"c{number}", at=at), Verdict.RIGHT, Found(mode="seal"), at=at)
        yield learnt_history(state, PLANT, store)


def test_over_http_an_alert_is_assigned_filtered_and_closed_with_what_was_found(works: Any) -> None:
    works.alert()
    given_to = works.client.post("/api/v1/alerts/1/assign", json={"to": "Ben", "by": "Ines"})
    assert given_to.json()["assignee"] == "Ben"
    again = works.client.post("/api/v1/alerts/1/assign", json={"to": "Ben", "by": "Ines"})
    assert (again.status_code, again.json()["title"]) == (409, "Not possible in the present state")
    assert [each["number"] for each in works.get("/api/v1/alerts", assignee="Ben")["items"]] == [1]
    assert works.get("/api/v1/alerts", assignee="")["items"] == []
    told = {"verdict": "right", "by": "Ben", "mode": "baering", "action": "replaced"}
    unknown = works.client.post("/api/v1/alerts/1/close", json=told)
    assert (unknown.status_code, "did you mean 'bearing'" in unknown.json()["detail"]) == (404, True)
    new = works.client.post("/api/v1/alerts/1/close", json={**told, "new_mode": True})
    assert (new.json()["mode"], new.json()["action"]) == ("baering", "replaced")
    assert works.get("/api/v1/alerts/1")["history"][-1]["why"] == "right, mode baering, action replaced"


def test_the_page_assigns_and_closes_with_what_was_found(works: Any) -> None:
    works.alert()
    answer = works.client.post("/alerts/1/assign", data={"by": "Ines", "to": "Ben"}, headers=FORM)
    assert 'href="/alerts?assignee=Ben"' in answer.text
    assert "bearing" in works.client.get("/alerts?assignee=Ben").text
    assert "likely to fail" not in works.client.get("/alerts?assignee=Eva").text
    assert '<option value="bearing">' in answer.text
    form = {"by": "Ben", "verdict": "right", "mode": "bearing", "mechanism": "wear"}
    answer = works.client.post("/alerts/1/close", data=form, headers=FORM)
    assert answer.status_code == 200
    assert "<dt>Mechanism</dt><dd>wear</dd>" in answer.text
