"""Who is called for an alert, when, and why not: the pipeline on a state database, with time as an argument."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from service.alerts import book
from service.alerts.alert import Verdict
from service.alerts.out_of_service import back_in_service, take_out_of_service
from service.alerts.pipeline.decide import decide, keep_calls
from service.alerts.pipeline.tables import call_table, call_token_table, stopped_line_table
from service.alerts.shelve import shelve, unshelve
from service.alerts.timers import keep_time_of
from tests.service.called_plant import DAY, HOUR, MINUTE, SECOND, Called, called, plant_of

ROUTE: dict[str, Any] = {"name": "shift", "targets": ["phone"], "budget": 100}
AT_ONCE = {**ROUTE, "group_wait": "0 s", "group_interval": "0 s"}


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Called]:
    routes, more = getattr(request, "param", ([AT_ONCE], {}))
    made = called(tmp_path, plant_of(routes, **more))
    with closing(made.state):
        yield made


def with_plant(*routes: dict[str, Any], **more: Any) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("world", [(list(routes), more)], indirect=True)


def test_the_same_life_in_either_database(tmp_path: Path, database: str) -> None:
    with closing((made := called(tmp_path, plant_of([ROUTE]), database)).state):
        first = made.alert("press-0")
        second = made.alert("press-1")
        made.after(30 * SECOND)
        made.over(first)
        made.after(5 * MINUTE)
        made.acknowledge(second)
        made.after(8 * HOUR, step=HOUR)

        assert made.messages() == [("raised", "phone", [first, second]), ("resolved", "phone", [first])]
        assert made.why(first) == [
            "waits for its group",
            "called",
            "waits for its group",
            "told that it is over",
        ]
        assert made.why(second) == ["waits for its group", "called", "acknowledged"]


@with_plant()
def test_a_plant_without_routes_calls_nobody_and_says_so(world: Called) -> None:
    number = world.alert()

    (decision,) = world.decisions(number)

    assert (decision.stage, decision.reason.value) == ("route", "no route")
    assert decision.words == "the plant file has no routes"
    assert world.messages() == []


def _raise_and_fail(world: Called) -> None:
    with world.calling.write() as connection:
        book.raise_alert(connection, world.finding(), at=world.now)
        decide(connection, world.rules, world.now)
        raise RuntimeError("killed")


def test_an_alert_and_its_call_are_written_together_or_not_at_all(world: Called) -> None:
    with pytest.raises(RuntimeError, match="killed"):
        _raise_and_fail(world)

    number = world.alert()

    assert world.messages() == [("raised", "phone", [number])]


def test_what_was_written_without_deciding_is_decided_at_the_next_look_once(world: Called) -> None:
    with world.state.write() as connection:
        number = book.raise_alert(connection, world.finding(), at=world.now)[0].number
    assert world.messages() == []

    world.after(SECOND)
    world.after(SECOND)

    assert world.messages() == [("raised", "phone", [number])]


@with_plant(ROUTE)
def test_alerts_of_a_line_come_in_one_message_and_lines_in_their_own(world: Called) -> None:
    line_a = [world.alert(f"press-{each}") for each in (0, 1, 2)]
    line_b = [world.alert("press-3")]
    assert world.messages() == []

    world.after(30 * SECOND)

    assert world.messages() == [("raised", "phone", line_a), ("raised", "phone", line_b)]


@with_plant(ROUTE)
def test_after_its_first_message_a_group_is_quiet_for_its_interval(world: Called) -> None:
    world.alert("press-0")
    world.after(30 * SECOND)
    world.after(10 * SECOND)
    later = [world.alert("press-1"), world.alert("press-2")]

    world.after(4 * MINUTE)
    assert len(world.messages()) == 1
    world.after(MINUTE)

    assert world.messages()[1:] == [("raised", "phone", later)]


@with_plant(ROUTE)
def test_a_critical_alert_waits_two_seconds_at_most(world: Called) -> None:
    calm = world.alert("press-0")
    world.after(5 * SECOND)
    critical = world.alert("press-1", level=0.9, hours=2)

    world.after(2 * SECOND)

    assert world.messages() == [("raised", "phone", [critical, calm])]


@with_plant(ROUTE)
def test_what_is_over_before_its_group_was_told_calls_nobody(world: Called) -> None:
    number = world.alert()
    world.after(10 * SECOND)
    world.over(number)
    world.after(HOUR)

    assert world.messages() == []
    assert world.why(number) == ["waits for its group", "over before anybody was called"]


@with_plant({**AT_ONCE, "repeat_every": "4 h"})
def test_it_is_told_again_until_somebody_acknowledges(world: Called) -> None:
    number = world.alert()
    world.after(8 * HOUR, step=10 * MINUTE)
    world.acknowledge(number)
    world.after(24 * HOUR, step=HOUR)

    assert [kind for kind, *_ in world.messages()] == ["raised", "repeated", "repeated"]


LADDER = [{"after": "30 min", "targets": ["foreman"]}, {"after": "2 h", "targets": ["manager", "foreman"]}]


@with_plant({**AT_ONCE, "escalate": LADDER})
def test_the_ladder_is_climbed_rung_by_rung(world: Called) -> None:
    number = world.alert()
    world.after(3 * HOUR, step=10 * MINUTE)

    assert world.messages() == [
        ("raised", "phone", [number]),
        ("escalated", "foreman", [number]),
        ("escalated", "manager", [number]),
        ("escalated", "foreman", [number]),
    ]
    world.after(HOUR, step=10 * MINUTE)
    assert {target for kind, target, _ in world.messages() if kind == "repeated"} == {"phone", "foreman", "manager"}


@with_plant({**AT_ONCE, "escalate": LADDER})
def test_the_ladder_stops_at_an_acknowledgement_and_everybody_hears_of_the_end(world: Called) -> None:
    number = world.alert()
    world.after(40 * MINUTE, step=10 * MINUTE)
    world.acknowledge(number)
    world.after(5 * HOUR, step=HOUR)
    world.over(number)

    assert [(kind, target) for kind, target, _ in world.messages()] == [
        ("raised", "phone"),
        ("escalated", "foreman"),
        ("resolved", "phone"),
        ("resolved", "foreman"),
    ]


@with_plant({**AT_ONCE, "escalate": LADDER})
def test_what_comes_back_is_told_as_such_and_climbs_anew(world: Called) -> None:
    number = world.alert()
    world.after(40 * MINUTE, step=MINUTE)
    world.over(number)
    world.after(HOUR, step=MINUTE)
    assert world.alert() == number
    world.after(20 * MINUTE, step=MINUTE)

    kinds = [(kind, target) for kind, target, _ in world.messages()]
    assert kinds[-3:] == [("resolved", "phone"), ("resolved", "foreman"), ("changed", "phone")]
    world.after(10 * MINUTE, step=MINUTE)
    assert [(kind, target) for kind, target, _ in world.messages()][-1] == ("escalated", "foreman")


def test_a_shelved_alert_calls_nobody_and_calls_when_its_time_is_up(world: Called) -> None:
    with world.calling.write() as connection:
        number = book.raise_alert(connection, world.finding(), at=world.now)[0].number
        shelve(connection, number, by="Ines", why="known", at=world.now, longest=DAY, until=world.now + 8 * HOUR)
    assert world.messages() == []
    (held,) = [each for each in world.decisions(number) if each.stage]
    assert (held.stage, held.reason.value, held.until) == ("shelve", "shelved", world.now + 8 * HOUR)
    assert held.words == "shelved by Ines: known"

    world.after(8 * HOUR, step=HOUR)

    assert world.messages() == [("raised", "phone", [number])]


def test_an_alert_that_is_unshelved_calls_at_once(world: Called) -> None:
    with world.calling.write() as connection:
        number = book.raise_alert(connection, world.finding(), at=world.now)[0].number
        shelve(connection, number, by="Ines", why="known", at=world.now, longest=DAY)
    world.now += HOUR
    with world.calling.write() as connection:
        unshelve(connection, number, by="Ben", why="louder", at=world.now)

    assert world.messages() == [("raised", "phone", [number])]


def test_a_machine_out_of_service_calls_nobody_until_it_is_back(world: Called) -> None:
    with world.calling.write() as connection:
        mute = take_out_of_service(connection, "press-0", by="Ines", why="rebuilt", at=world.now, longest=30 * DAY)
    number = world.alert()
    assert [each.stage for each in world.decisions(number)][-1] == "suppress"
    world.after(3 * DAY, step=6 * HOUR)
    assert world.messages() == []

    with world.calling.write() as connection:
        back_in_service(connection, mute.id, by="Ines", why="done", at=world.now)

    assert world.messages() == [("raised", "phone", [number])]


def test_the_end_of_a_mute_that_the_clock_brings_calls_in_the_same_transaction(world: Called) -> None:
    with world.calling.write() as connection:
        number = book.raise_alert(connection, world.finding(), at=world.now)[0].number
        shelve(connection, number, by="Ines", why="known", at=world.now, longest=DAY)
    world.now += DAY

    keep_time_of(world.calling, world.now)

    assert world.messages() == [("raised", "phone", [number])]


def stop(world: Called, line: str, hours: float) -> None:
    with world.state.write() as connection:
        row = {"line": line, "since": world.now, "until": world.now + hours * HOUR, "why": "all machines stand"}
        connection.execute(insert(stopped_line_table).values(**row))


def test_machines_of_a_stopped_line_are_quiet_but_for_what_is_critical(world: Called) -> None:
    stop(world, "A", 1)
    quiet, critical, other = world.alert("press-0"), world.alert("press-1", level=0.9, hours=2), world.alert("press-5")

    assert [each[2] for each in world.messages()] == [[critical], [other]]
    (held,) = world.decisions(quiet)
    assert (held.stage, held.reason.value) == ("inhibit", "line stopped")
    world.after(65 * MINUTE, step=5 * MINUTE)
    assert ("raised", "phone", [quiet]) in world.messages()


def test_an_alert_that_rests_on_a_bad_sensor_is_quiet_while_the_sensor_is_bad(world: Called) -> None:
    fault = world.alert(cause="vibration sensor", kind="sensor fault", level=1)
    mostly = world.alert(cause="bearing", signals={"vibration": 0.7, "pressure": 0.3})
    partly = world.alert(cause="seal", signals={"vibration": 0.3, "pressure": 0.7})
    elsewhere = world.alert("press-1", signals={"vibration": 1.0})
    critical = world.alert(cause="gear", signals={"vibration": 1.0}, level=0.9, hours=1)

    assert [each[2] for each in world.messages()] == [[fault], [partly], [elsewhere], [critical]]
    (held,) = world.decisions(mostly)
    assert held.words == f"it rests on a sensor that alert {fault} is about (vibration sensor)"
    world.over(fault)
    world.after(5 * MINUTE)
    assert world.messages()[-1] == ("raised", "phone", [mostly])


def test_of_two_alerts_about_one_sensor_the_one_that_says_what_is_at_stake_calls(world: Called) -> None:
    either = world.alert(cause="vibration sensor or bearing", kind="sensor or machine", signals={"vibration": 1.0})
    fault = world.alert(cause="vibration sensor", kind="sensor fault", level=1)
    other = world.alert(cause="pressure sensor", kind="sensor fault", level=1)
    machine = world.alert(cause="bearing", signals={"vibration": 1.0})

    assert [each[2] for each in world.messages()] == [[either], [other]]
    (held,) = world.decisions(fault)
    assert held.words == f"alert {either} asks to look at this sensor, and says what is at stake"
    (held,) = world.decisions(machine)
    assert held.words == f"it rests on a sensor that alert {fault} is about (vibration sensor)"
    world.over(either)
    world.after(5 * MINUTE)
    assert world.messages()[-1] == ("raised", "phone", [fault])


DRIVE = {"name": "drive", "when": {"causes": "drive"}, "quiet": {"kinds": ["anomaly", "limit"]}, "same": ["line"]}


@with_plant(AT_ONCE, inhibits=[DRIVE])
def test_a_rule_holds_back_what_a_worse_alert_of_the_same_line_says(world: Called) -> None:
    drive = world.alert("press-0", "drive", hours=20)
    quiet = world.alert("press-1", "odd", kind="anomaly")
    other_line = world.alert("press-4", "odd", kind="anomaly")

    assert [each[2] for each in world.messages()] == [[drive], [other_line]]
    (held,) = world.decisions(quiet)
    assert held.words == f"rule 'drive': alert {drive} (press-0, drive) says it"


@with_plant(AT_ONCE, inhibits=[DRIVE], alerts={"critical": ["limit"]})
def test_nothing_is_held_back_for_what_is_less_severe(world: Called) -> None:
    world.alert("press-0", "drive", level=0.05, hours=100)
    limit = world.alert("press-1", "too hot", kind="limit", level=1)
    odd = world.alert("press-1", "odd", kind="anomaly", hours=20)

    assert [each[2] for each in world.messages()[1:]] == [[limit], [odd]]


MUTUAL = {"name": "one a line", "when": {}, "quiet": {}, "same": ["line"]}


@with_plant(AT_ONCE, inhibits=[MUTUAL])
def test_two_alerts_never_hide_each_other(world: Called) -> None:
    numbers = [world.alert(f"press-{each}") for each in (0, 1, 2)]

    assert [each[2] for each in world.messages()] == [numbers[:1]]
    world.over(numbers[0])
    world.after(5 * MINUTE)
    assert [each[2] for each in world.messages()][-1] == [numbers[1]]


SHIFTS = [{"name": "early", "hours": "06:00-14:00", "days": ["mon"]}, {"name": "late", "hours": "14:00-22:00"}]
ON_CALL = [{"shifts": "early", "targets": "phone-e"}, {"shifts": "late", "targets": ["phone-l", "radio"]}]


@with_plant({"name": "duty", "on_call": ON_CALL, "group_wait": "0 s", "repeat_every": "100 h"}, shifts=SHIFTS)
def test_who_is_called_is_who_is_on_duty_and_at_night_the_morning_is_waited_for(world: Called) -> None:
    early = world.alert("press-0")
    world.after(8 * HOUR)
    late = world.alert("press-1")
    world.after(8 * HOUR)
    night = world.alert("press-2")

    assert world.messages() == [
        ("raised", "phone-e", [early]),
        ("raised", "phone-l", [late]),
        ("raised", "radio", [late]),
    ]
    (held,) = world.decisions(night)
    assert (held.stage, held.reason.value) == ("route", "nobody on duty")
    assert held.until == world.now + 16 * HOUR, "on Tuesday no early shift works"
    world.after(16 * HOUR)
    assert world.messages()[3:] == [("raised", "phone-l", [night]), ("raised", "radio", [night])]


BY_SEVERITY = [
    {**AT_ONCE, "name": "worst", "targets": ["manager"], "when": {"severity": "critical"}, "go_on": True},
    {**AT_ONCE, "name": "line B", "targets": ["b"], "when": {"machines": "press-[345]"}},
    {**AT_ONCE, "name": "rest", "targets": ["a"]},
]


@with_plant(*BY_SEVERITY)
def test_the_first_route_that_fits_is_taken_and_others_where_it_says_go_on(world: Called) -> None:
    world.alert("press-4")
    world.alert("press-0")
    world.alert("press-1", level=0.9, hours=2)

    assert [target for _, target, _ in world.messages()] == ["b", "a", "manager", "a"]


@with_plant(*BY_SEVERITY)
def test_an_alert_that_becomes_critical_as_time_goes_by_takes_the_route_of_those_then(world: Called) -> None:
    number = world.alert("press-0", level=0.5, hours=17)
    world.after(4 * HOUR, step=10 * MINUTE)
    assert [target for kind, target, _ in world.messages() if kind == "raised"] == ["a"]

    world.after(2 * HOUR, step=10 * MINUTE)

    assert ("raised", "manager", [number]) in world.messages()


def judge(world: Called, verdict: Verdict, times: int) -> None:
    for each in range(times):
        number = world.alert("press-5", f"part {each} {verdict}")
        with world.calling.write() as connection:
            book.close(connection, number, verdict=verdict, by="Ines", at=world.now)


def test_what_is_almost_never_right_calls_nobody_until_verdicts_bring_it_back_but_what_is_critical_calls(
    world: Called,
) -> None:
    judge(world, Verdict.WRONG, 9)
    world.after(HOUR)
    quiet, bad = world.alert("press-0"), world.alert("press-1", level=0.9, hours=2)
    assert world.why(quiet)[-1] == "almost never right"
    assert world.why(bad)[-1] == "called"
    assert "right 0 of the newest 9" in world.decisions(quiet)[-1].words

    judge(world, Verdict.RIGHT, 9)
    world.after(7 * HOUR, step=HOUR)
    assert world.why(quiet)[-1] != "almost never right"


def test_a_remark_calls_nobody_and_has_an_answer(world: Called) -> None:
    number = world.alert()
    with world.calling.write() as connection:
        book.comment(connection, number, by="Ben", at=world.now, text="hums")

    assert world.why(number) == ["called", "no news"]
    assert world.messages() == [("raised", "phone", [number])]


def test_closing_tells_those_who_were_called(world: Called) -> None:
    number = world.alert()
    world.after(HOUR)
    with world.calling.write() as connection:
        book.close(connection, number, verdict=Verdict.RIGHT, by="Ben", at=world.now)

    assert world.messages()[-1] == ("resolved", "phone", [number])


@with_plant({**ROUTE, "budget": 2})
def test_no_token_of_a_week_is_spent_twice_and_the_rest_waits(world: Called) -> None:
    numbers = [world.alert(f"press-{each}", level=0.3 + each / 10, hours=2000) for each in range(5)]
    world.after(30 * SECOND)

    told = [number for _, _, each in world.messages() for number in each]
    assert sorted(told) == numbers[3:], "the two that are worth most"
    assert [world.why(each)[-1] for each in numbers[:3]] == ["budget spent"] * 3
    world.after(4 * DAY, step=6 * HOUR)
    with world.state.read() as connection:
        assert connection.execute(select(call_token_table.c.token)).scalars().all() == [1, 2]
    world.after(9 * DAY, step=6 * HOUR)
    raised = [number for kind, _, each in world.messages() if kind == "raised" for number in each]
    assert sorted(raised) == numbers[1:], "the next week has tokens of its own"


@with_plant({**AT_ONCE, "budget": 0})
def test_a_critical_alert_is_told_without_a_token(world: Called) -> None:
    calm, critical = world.alert("press-0"), world.alert("press-1", level=0.9, hours=2)

    assert world.messages() == [("raised", "phone", [critical])]
    assert world.why(calm) == ["budget spent"]
    with world.state.read() as connection:
        assert connection.execute(select(call_token_table)).all() == []
        assert connection.scalar(select(call_table.c.critical).where(call_table.c.alert == critical))


@with_plant({**ROUTE, "group_by": ["machine"]}, machines=40)
def test_a_flood_of_groups_is_ten_messages_in_ten_minutes_at_most(world: Called) -> None:
    begun = world.now
    numbers = []
    for each in range(40):
        numbers.append(world.alert(f"press-{each}", level=0.9, hours=2))
        world.after(6 * SECOND, step=2 * SECOND)
    world.after(begun + 10 * MINUTE - world.now, step=20 * SECOND)

    told = [number for _, _, each in world.messages() for number in each]
    assert len(world.messages()) <= 10
    assert sorted(told) == numbers


def test_a_clock_that_goes_back_prolongs_no_wait(tmp_path: Path) -> None:
    with closing((world := called(tmp_path, plant_of([ROUTE]))).state):
        number = world.alert()
        world.now -= DAY
        keep_calls(world.state, world.rules, world.now)

        world.after(30 * SECOND)

        assert world.messages() == [("raised", "phone", [number])]


def test_a_look_at_which_nothing_is_due_writes_nothing(world: Called) -> None:
    world.alert()

    assert keep_calls(world.state, world.rules, world.now + MINUTE) == 0


@with_plant(ROUTE)
def test_a_route_that_left_the_plant_file_calls_nobody_and_leaves_no_timer(world: Called) -> None:
    number = world.alert()
    world.plant = plant_of([])
    world.after(MINUTE)
    world.after(MINUTE)

    assert world.messages() == []
    assert world.why(number) == ["waits for its group", "no route"]
    assert keep_calls(world.state, world.rules, world.now) == 0


def test_timers_are_rows_so_a_restart_changes_nothing(tmp_path: Path) -> None:
    plant = plant_of([{**ROUTE, "escalate": LADDER}])
    lives = []
    for restarts in (False, True):
        folder = tmp_path / str(restarts)
        world = called(folder, plant)
        number = world.alert()
        for _ in range(30):
            world.after(10 * MINUTE)
            if restarts:
                world.state.close()
                world = Called(plant, called(folder, plant).state, world.now)
        lives.append((world.messages(), [(each.at, each.reason) for each in world.decisions(number)]))
        world.state.close()

    assert lives[0] == lives[1]
    assert len(lives[0][0]) == 1 + 1 + 2 + 3


def test_a_hundred_at_once_are_one_message(world: Called) -> None:
    with world.calling.write() as connection:
        for each in range(100):
            book.raise_alert(connection, world.finding("press-0", f"cause {each}"), at=world.now)

    ((_, _, told),) = world.messages()
    assert len(told) == 50, "the others are told by their numbers"
