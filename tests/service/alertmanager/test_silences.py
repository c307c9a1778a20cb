"""A silence is a mute: bounded, told in histories, audited, seen everywhere, and over at its time whoever lives."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import IllegalTransitionError, OutOfBoundsError
from service.access.role import Right
from service.alerts import book, mutes
from service.alerts.labels import own_labels, places_of
from service.alerts.matcher import Matcher
from service.alerts.mute import Mute, MuteKind
from service.alerts.out_of_service import take_out_of_service
from service.alerts.shelve import shelve
from service.alerts.silence import MOST_LASTING, MOST_MATCHERS, MOST_PATTERNS, Wish, change, expire, silence
from service.alerts.tables import mute_table
from service.alerts.timers import keep_time, keep_time_of
from service.audit.record import ANDON
from service.delivery.alertmanager import labels_in
from service.delivery.body import body_of
from tests.ready_state import open_state
from tests.service.called_plant import DAY, HOUR, MINUTE, SECOND, Called, called, plant_of
from tests.service.guarded_works import LINE_1, OTHER, OWN, GuardedWorks, open_guarded

ROUTE = {"name": "shift", "targets": ["phone"], "group_by": ["machine"]}
TARGET = {"name": "phone", "kind": "webhook", "address": "https://phone.example/hook"}
PRESS_0 = Matcher(name="machine", value="press-0")


@pytest.fixture
def world(tmp_path: Path) -> Called:
    return called(tmp_path, plant_of([ROUTE], targets=[TARGET]))


def wish(world: Called, *matchers: Matcher, begin: timedelta = timedelta(0), last: timedelta = HOUR) -> Wish:
    since = world.now + begin
    return Wish(matchers=matchers or (PRESS_0,), since=since, until=since + last, by="Ines", why="known")


def make(world: Called, *matchers: Matcher, **more: Any) -> Mute:
    with world.calling.write() as connection:
        longest = world.plant.alerts.longest_shelving
        return silence(connection, wish(world, *matchers, **more), at=world.now, longest=longest)


def lines(world: Called, number: int) -> list[tuple[str, str]]:
    with world.state.read() as connection:
        return [(each.happening.value, each.by) for each in book.history(connection, number)]


def keep(world: Called, span: timedelta) -> None:
    world.now += span
    keep_time_of(world.calling, world.now)
    world.after(timedelta(seconds=1))


def test_nobody_is_called_while_it_lasts_and_everybody_is_when_it_is_over(world: Called) -> None:
    make(world)
    number, other = world.alert("press-0"), world.alert("press-1")
    world.after(MINUTE)
    assert [alerts for _, _, alerts in world.messages()] == [[other]]
    assert "silenced" in world.why(number)

    keep(world, HOUR)

    assert [alerts for _, _, alerts in world.messages()] == [[other], [number]]
    assert lines(world, number) == [("raised", ANDON), ("silenced", "Ines"), ("silence over", ANDON)]


def test_it_reaches_what_is_there_and_what_comes(world: Called) -> None:
    before = world.alert("press-0", "bearing")
    make(world, Matcher(name="cause", value="b.*", is_regex=True))
    after, other = world.alert("press-1", "belt"), world.alert("press-1", "seal")

    assert [world.show(each).visibility.value for each in (before, after, other)] == ["silenced", "silenced", "shown"]


def test_one_that_is_to_come_begins_by_itself_and_says_so_then(world: Called, tmp_path: Path) -> None:
    number = world.alert("press-0")
    make(world, begin=HOUR)
    assert world.show(number).visibility.value == "shown"
    world.state.close()

    again = Called(world.plant, open_state(tmp_path / "state.db"), world.now + HOUR)
    assert again.show(number).visibility.value == "silenced"
    assert len(lines(again, number)) == 1
    keep_time_of(again.calling, again.now)
    keep_time_of(again.calling, again.now + SECOND)
    assert lines(again, number)[1:] == [("silenced", "Ines")]
    again.now += HOUR
    assert again.show(number).visibility.value == "shown"


def test_one_that_is_taken_back_before_it_begins_is_told_nowhere(world: Called) -> None:
    number = world.alert("press-0")
    mute = make(world, begin=HOUR)
    with world.calling.write() as connection:
        expire(connection, mute, by="Ben", why="no", at=world.now)
    keep(world, 2 * HOUR)

    assert lines(world, number) == [("raised", ANDON)]


def test_a_clock_that_goes_back_prolongs_none_and_moves_none_that_is_to_come(world: Called) -> None:
    lasting, coming = make(world), make(world, begin=3 * HOUR)
    with world.state.write() as connection:
        keep_time(connection, world.now - 30 * MINUTE)
        moved = {each.id: each for each in mutes.lasting(connection)}

    assert moved[lasting.id].until == lasting.until - 30 * MINUTE
    assert (moved[coming.id].since, moved[coming.id].until) == (coming.since, coming.until)


def test_no_change_makes_it_longer_than_it_may_be(world: Called) -> None:
    mute, longest = make(world), world.plant.alerts.longest_shelving
    for _ in range(3):
        world.now += 50 * MINUTE
        with world.calling.write() as connection:
            mute = change(connection, mute, wish(world), at=world.now, longest=longest)
    assert mute.since + 3 * 50 * MINUTE == world.now

    with world.calling.write() as connection, pytest.raises(OutOfBoundsError, match="24 h at most"):
        change(connection, mute, wish(world, last=DAY), at=world.now, longest=longest)


def test_there_is_an_end_to_how_many(world: Called) -> None:
    first = make(world)
    with world.state.write() as connection:
        row = {name: getattr(first, name) for name in ("kind", "machine", "cause", "rule", "once", "by", "why")}
        row |= {"since": first.since, "until": first.until, "matchers": [asdict(PRESS_0)]}
        rows = [{**row, "uuid": str(each)} for each in range(MOST_LASTING - 1)]
        connection.execute(mute_table.insert(), rows)
        with pytest.raises(OutOfBoundsError, match="there are 1000 silences already"):
            silence(connection, wish(world), at=world.now, longest=DAY)


def test_what_is_muted_otherwise_is_listed_as_a_silence_and_ended_so_unless_a_rule_holds_it(works: Any) -> None:
    number = works.alert("press-1").number
    with works.room.state.write() as connection:
        shelve(connection, number, by="Ines", why="ordered", at=works.now, longest=DAY)
        take_out_of_service(connection, "press-2", by="Ben", why="rebuilt", at=works.now, longest=DAY)
        mutes.begin(
            connection, MuteKind.SUPPRESSED, machine="press-3", rule="off", by=ANDON, why="not on", at=works.now,
            until=works.now + HOUR,
        )  # fmt: skip

    listed = works.get("/api/v2/silences")

    matchers = [{m["name"]: m["value"] for m in each["matchers"]} for each in listed]
    assert matchers == [{"machine": "press-1", "cause": "bearing"}, {"machine": "press-2"}, {"machine": "press-3"}]
    assert [each["createdBy"] for each in listed] == ["Ines", "Ben", "andon"]
    (alert,) = works.get("/api/v2/alerts")
    assert alert["status"] == {"state": "suppressed", "silencedBy": [listed[0]["id"]], "inhibitedBy": []}
    statuses = [works.client.delete(f"/api/v2/silence/{each['id']}").status_code for each in listed]
    assert statuses == [200, 200, 400]
    assert works.get(f"/api/v1/alerts/{number}")["history"][-1]["happening"] == "unshelved"
    assert [each["machine"] for each in works.get("/api/v1/mutes")["items"]] == ["press-3"]
    sent = {**listed[1], "comment": "x"}
    sent = {name: sent[name] for name in ("id", "matchers", "startsAt", "endsAt", "createdBy", "comment")}
    assert works.client.post("/api/v2/silences", json={**sent, "id": listed[2]["id"]}).status_code == 400


def test_what_is_shelved_of_the_plant_as_a_whole_is_a_silence_of_what_names_no_machine(works: Any) -> None:
    works.client.post("/api/v2/alerts", json=[{"labels": {"alertname": "DiskFull"}}])
    (alert,) = works.get("/api/v1/alerts")["items"]
    shelf = {"by": "Ines", "why": "cleaned at six", "lasting": "8 h"}
    assert works.client.post(f"/api/v1/alerts/{alert['number']}/shelve", json=shelf).status_code == 200

    (listed,) = works.get("/api/v2/silences")
    (shown,) = works.get("/api/v2/alerts")
    page = works.client.get("/alerts", headers={"Accept": "text/html"}).text

    assert {each["name"]: each["value"] for each in listed["matchers"]} == {"machine": "", "cause": "DiskFull{}"}
    assert shown["status"]["silencedBy"] == [listed["id"]]
    assert "the plant" in page


def test_a_silence_is_seen_where_mutes_are(works: Any) -> None:
    number = works.alert("press-1").number
    body = {
        "matchers": [{"name": "cause", "value": "b.*", "isRegex": True, "isEqual": True}],
        "startsAt": works.now.isoformat(),
        "endsAt": (works.now + HOUR).isoformat(),
        "createdBy": "Ines",
        "comment": "belt is ordered",
    }
    name = works.client.post("/api/v2/silences", json=body).json()["silenceID"]

    (mute,) = works.get("/api/v1/mutes", kind="silenced")["items"]
    assert (mute["uuid"], mute["by"], mute["why"], mute["machine"]) == (name, "Ines", "belt is ordered", "")
    assert mute["matchers"] == [{"name": "cause", "value": "b.*", "is_regex": True, "is_equal": True}]
    assert works.get(f"/api/v1/alerts/{number}")["visibility"] == "silenced"
    for path in ("/alerts", f"/alerts/{number}", "/machines/press-1"):
        page = works.client.get(path, headers={"Accept": "text/html"})
        assert page.status_code == 200
        assert "silenced" in page.text, path
    assert works.get("/api/v1/machines/press-1")["health"] == "alert shelved"


def test_the_labels_are_those_that_messages_carry(works: Any) -> None:
    alert, plant = works.alert("press-1"), works.room.plant

    sent = labels_in(body_of(alert, plant, at=works.now))

    assert sent == own_labels(alert.kind, alert.machine, alert.cause, places_of(plant, alert.machine))
    assert {"alertname", "plant", "site", "line", "machine", "cause"} == set(sent)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[GuardedWorks]:
    yield from open_guarded(tmp_path)


def test_who_reaches_a_part_of_the_plant_silences_machines_of_it_only_and_sees_no_others(guarded: GuardedWorks) -> None:
    guarded.user("Ada")
    part = guarded.program(Right.READ, Right.ACT, reach=LINE_1)
    whole = guarded.program(Right.READ, Right.ACT)

    def post(who: Any, *matchers: dict[str, Any]) -> Any:
        body = {
            "matchers": list(matchers),
            "startsAt": guarded.now.isoformat(),
            "endsAt": (guarded.now + HOUR).isoformat(),
            "createdBy": "Mallory",
            "comment": "known",
        }
        return who.ask("POST", "/api/v2/silences", json=body).response

    of_all = {"name": "cause", "value": "belt", "isRegex": False}
    own, other = ({"name": "machine", "value": each, "isRegex": False} for each in (OWN, OTHER))
    for matchers in ([of_all], [other], [{**own, "isEqual": False}], [{**own, "isRegex": True}], [own, other]):
        assert post(part, *matchers).status_code == 400, matchers
    mine, theirs = post(part, own, of_all).json()["silenceID"], post(whole, of_all).json()["silenceID"]

    assert [each["id"] for each in part.get("/api/v2/silences").response.json()] == [mine]
    assert part.get("/api/v2/silences").response.json()[0]["createdBy"] == "gateway (key)"
    assert part.get(f"/api/v2/silence/{theirs}").status == 404
    assert part.ask("DELETE", f"/api/v2/silence/{theirs}").status == 404
    assert part.ask("DELETE", f"/api/v2/silence/{mine}").status == 200
    assert len(whole.get("/api/v2/silences").response.json()) == 2


def test_a_session_needs_its_token_and_a_viewer_silences_nothing(guarded: GuardedWorks) -> None:
    guarded.user("Ada")
    viewer = guarded.program(Right.READ)
    body = {"matchers": [{"name": "a", "value": "b", "isRegex": False}], "startsAt": "x"}

    assert viewer.ask("POST", "/api/v2/silences", json=body).status == 403
    assert viewer.ask("POST", "/api/v2/alerts", json=[]).status == 403
    assert guarded.browser().get("/api/v2/alerts").status == 401
    assert guarded.signed_in("Ines").ask("POST", "/api/v2/silences", json=body).status == 403


def test_an_expired_one_stays_and_a_mute_of_a_rule_is_not_changed(world: Called) -> None:
    mute = make(world)
    with world.calling.write() as connection:
        over = expire(connection, mute, by="Ben", why="done", at=world.now + MINUTE)
        assert expire(connection, over, by="Eve", why="x", at=world.now + HOUR) == over
        now = world.now + HOUR
        rule = mutes.begin(
            connection, MuteKind.SUPPRESSED, machine="press-1", rule="off", by=ANDON, why="not on", at=now,
            until=now + HOUR,
        )  # fmt: skip
        with pytest.raises(IllegalTransitionError, match="suppressed by the rule 'off'"):
            expire(connection, rule, by="Eve", why="x", at=now)


def test_no_change_moves_a_silence_farther_ahead_than_it_may_be_announced(world: Called) -> None:
    made = make(world, begin=HOUR)

    with world.calling.write() as connection, pytest.raises(OutOfBoundsError, match="within 366 days"):
        change(connection, made, wish(world, begin=400 * DAY), at=world.now, longest=DAY)


def test_all_silences_together_have_so_many_patterns(world: Called) -> None:
    patterns = [Matcher(name="line", value=f"A{each}|B", is_regex=True) for each in range(MOST_MATCHERS)]
    for _ in range(MOST_PATTERNS // MOST_MATCHERS):
        make(world, *patterns)

    make(world, PRESS_0)
    with pytest.raises(OutOfBoundsError, match="end some that nobody needs"):
        make(world, *patterns)
