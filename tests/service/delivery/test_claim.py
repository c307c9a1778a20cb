"""Claims: each message has one sender at a time, and each target hears of an alert in order."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.database import Database
from ingest.plant_target import MessageTarget
from service.delivery.claim import lease_of, places, with_something_ready
from service.delivery.notice import Notice
from service.delivery.outbox import NoticeState
from service.delivery.outcome import GivenBack, Later, Never, Outcome, Sent
from service.delivery.pace import PATIENCE
from tests.ready_state import open_state
from tests.service.delivery.conftest import MES, Outbox

BROKER = MessageTarget(name="mes", kind="mqtt", address="mqtt://127.0.0.1")


def test_a_message_is_claimed_by_one_while_its_lease_lasts_and_by_the_next_one_after_it(outbox: Outbox) -> None:
    outbox.put()
    first = outbox.claim()
    assert [each.token for each in first] == [1]
    outbox.now += lease_of(MES) - timedelta(microseconds=1)
    assert outbox.claim() == []
    outbox.now += timedelta(microseconds=1)
    assert [each.token for each in outbox.claim()] == [2]


def test_whoever_lost_its_claim_can_say_nothing_any_more(outbox: Outbox) -> None:
    outbox.put()
    (slow,) = outbox.claim()
    outbox.now += lease_of(MES)
    (quick,) = outbox.claim()
    outbox.settle(slow, Never("too late"))
    assert outbox.all()[0].state is NoticeState.WAITING
    outbox.settle(quick, Sent())
    outbox.settle(slow, Later("too late"))
    assert (outbox.all()[0].state, outbox.all()[0].why) == (NoticeState.SENT, "")


def test_what_was_written_earlier_about_an_alert_comes_first_however_often_it_fails(outbox: Outbox) -> None:
    outbox.put(1)
    outbox.put(1)
    outbox.put(2)
    first, other = outbox.claim()
    assert (first.alert, other.alert) == (1, 2)
    assert outbox.claim() == []
    outbox.settle(first, Later("busy"))
    outbox.wait(hours=1)
    outbox.settle(other, Sent())
    again = outbox.claim()
    assert [each.id for each in again] == [first.id]
    outbox.settle(again[0], Sent())
    assert [each.alert for each in outbox.claim()] == [1]


def test_a_dead_message_does_not_hold_up_what_comes_after_it(outbox: Outbox) -> None:
    outbox.put(1)
    outbox.put(1)
    (first,) = outbox.claim()
    outbox.settle(first, Never("answers 404"))
    assert [each.id for each in outbox.claim()] == [first.id + 1]


def test_targets_and_messages_about_no_alert_do_not_wait_for_one_another(outbox: Outbox) -> None:
    outbox.put(1)
    outbox.put(1, target="other")
    outbox.put(None)
    outbox.put(None)
    assert [each.alert for each in outbox.claim()] == [1, None, None]
    assert [each.target for each in outbox.claim(MES.model_copy(update={"name": "other"}))] == ["other"]


def test_a_broker_gets_the_messages_of_one_machine_one_at_a_time(outbox: Outbox) -> None:
    outbox.put(1, machine="press-1")
    outbox.put(2, machine="press-1")
    outbox.put(3, machine="press-2")
    assert [each.alert for each in outbox.claim(BROKER)] == [1, 3]
    assert places(BROKER) == 1


def test_a_message_that_is_given_back_is_ready_at_once_and_counts_no_try(outbox: Outbox) -> None:
    outbox.put()
    (held,) = outbox.claim()
    outbox.settle(held, GivenBack())
    (again,) = outbox.claim()
    assert (again.id, again.tries, again.token) == (held.id, 0, 2)


def test_a_rate_holds_for_all_who_send_and_lets_a_second_s_worth_through_at_once(outbox: Outbox) -> None:
    limited = MES.model_copy(update={"per_minute": 120})
    for alert in range(10):
        outbox.put(alert)
    assert len(outbox.claim(limited)) == 2
    assert outbox.claim(limited) == []
    with outbox.state.read() as connection:
        assert with_something_ready(connection, [limited], outbox.now) == []
    outbox.wait(seconds=0.5)
    assert len(outbox.claim(limited)) == 1
    outbox.wait(seconds=60)
    assert len(outbox.claim(limited)) == 2


def test_a_target_that_fails_again_and_again_gets_one_message_at_a_time_and_all_when_it_is_back(outbox: Outbox) -> None:
    for alert in range(40):
        outbox.put(alert)
    for each in outbox.claim(room=PATIENCE):
        outbox.settle(each, Later("nobody answers"))
    assert outbox.claim() == []
    outbox.wait(seconds=1)
    (probe,) = outbox.claim()
    assert outbox.claim() == []
    outbox.settle(probe, Later("nobody answers"))
    assert outbox.claim() == []
    outbox.wait(seconds=2)
    (probe,) = outbox.claim()
    outbox.settle(probe, Sent())
    assert len(outbox.claim()) == 39


@pytest.mark.parametrize("seconds", [1, 3600])
def test_a_target_that_asks_to_be_left_alone_is(outbox: Outbox, seconds: int) -> None:
    outbox.put(1)
    outbox.put(2)
    first, second = outbox.claim()
    outbox.settle(first, Later("answers 429", timedelta(seconds=seconds)))
    outbox.settle(second, GivenBack())
    outbox.wait(seconds=seconds - 0.001)
    assert outbox.claim() == []
    outbox.wait(seconds=1)
    assert len(outbox.claim()) == 2


def test_what_is_said_to_be_ready_is_what_can_be_claimed(outbox: Outbox) -> None:
    def ready() -> list[str]:
        with outbox.state.read() as connection:
            return with_something_ready(connection, [MES], outbox.now)

    assert ready() == []
    outbox.put(1)
    outbox.put(1)
    assert ready() == ["mes"]
    (first,) = outbox.claim()
    assert ready() == []
    outbox.settle(first, Later("busy"))
    assert ready() == []
    outbox.wait(seconds=1)
    assert ready() == ["mes"]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(1, 3)),
        st.tuples(st.just("claim"), st.integers(1, 4)),
        st.tuples(
            st.just("settle"), st.integers(0, 3), st.sampled_from([Sent(), Never("no"), Later("?"), GivenBack()])
        ),
        st.tuples(st.just("forget"), st.integers(0, 3)),
        st.tuples(st.just("wait"), st.sampled_from([1, 10, 40, 4000])),
    ),
    max_size=60,
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One database for all examples: each has a target of its own."""
    state = open_state(tmp_path_factory.mktemp("shared") / "state.db")
    yield state
    state.close()


@given(steps=STEPS)
@settings(max_examples=60, deadline=None)
def test_whatever_happens_no_message_overtakes_an_earlier_one_of_its_alert_and_none_has_two_senders(
    shared: Database, steps: list[tuple[str, int] | tuple[str, int, Outcome]]
) -> None:
    outbox, target = Outbox(shared), MES.model_copy(update={"name": uuid4().hex})
    held: list[tuple[Notice, datetime]] = []
    told: list[tuple[int | None, int]] = []
    for name, number, *outcome in steps:
        if name == "put":
            outbox.put(number, target=target.name)
        elif name == "wait":
            outbox.wait(seconds=number)
        elif name == "claim":
            claimed = outbox.claim(target, room=number)
            assert not {each.id for each in claimed} & {each.id for each, until in held if until > outbox.now}
            held += [(each, outbox.now + lease_of(MES)) for each in claimed]
        elif held and name == "forget":
            held.pop(number % len(held))
        elif held and name == "settle":
            notice, until = held.pop(number % len(held))
            outbox.settle(notice, outcome[0])
            if until > outbox.now and isinstance(outcome[0], Sent):
                told.append((notice.alert, notice.id))
    for alert in (1, 2, 3):
        ids = [number for about, number in told if about == alert]
        assert ids == sorted(ids)
