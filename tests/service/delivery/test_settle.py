"""What came of a try is written down once, and tells when the next one is."""

from datetime import timedelta
from random import Random

from service.delivery.backoff import GIVE_UP_AFTER, LONGEST, LONGEST_WAIT, pause
from service.delivery.notice import figures
from service.delivery.outbox import NoticeState
from service.delivery.outcome import Later, Never, Sent
from service.delivery.pace import paces
from service.delivery.replay import replay
from service.delivery.tend import forget, tend
from tests.service.delivery.conftest import NOW, Outbox


def test_pauses_double_up_to_a_quarter_of_an_hour_and_differ_by_chance() -> None:
    for failures in range(1, 40):
        whole = min(timedelta(seconds=2.0 ** (failures - 1)), LONGEST)
        drawn = [pause(failures, Random(seed)) for seed in range(50)]  # noqa: S311 - nothing secret
        assert all(whole / 2 <= each <= whole for each in drawn)
        assert len(set(drawn)) > 40


def test_a_message_is_tried_for_three_days_and_then_dead_with_the_reason(outbox: Outbox) -> None:
    outbox.put()
    outbox.wait(days=2)  # nobody was there to send: that does not count
    begun = outbox.now
    for seed in range(14):
        outbox.settle(outbox.claim()[0], Later("nobody answers"), seed)
        (waiting,) = outbox.all()
        assert outbox.now < waiting.due <= outbox.now + LONGEST
        outbox.now = max(waiting.due, outbox.now + LONGEST)  # a target that fails again and again is asked less often
    outbox.now = begun + GIVE_UP_AFTER - timedelta(microseconds=1)
    outbox.settle(outbox.claim()[0], Later("nobody answers"))
    assert outbox.all()[0].state is NoticeState.WAITING
    outbox.wait(minutes=15)
    outbox.settle(outbox.claim()[0], Later("nobody answers"))
    (dead,) = outbox.all()
    assert (dead.state, dead.why) == (NoticeState.DEAD, "given up after 3 d: nobody answers")
    assert (dead.tries, dead.ended) == (16, outbox.now)


def test_a_clear_no_is_dead_at_once_and_says_which(outbox: Outbox) -> None:
    outbox.put()
    outbox.settle(outbox.claim()[0], Never("answers 404 Not Found"))
    (dead,) = outbox.all()
    assert (dead.state, dead.why, dead.tries, dead.ended) == (NoticeState.DEAD, "answers 404 Not Found", 1, NOW)


def test_a_target_says_since_when_it_fails_and_why_until_it_does_not(outbox: Outbox) -> None:
    outbox.put()
    outbox.settle(outbox.claim()[0], Later("answers 503"))
    outbox.wait(minutes=1)
    outbox.settle(outbox.claim()[0], Later("answers 502"))
    with outbox.state.read() as connection:
        pace = paces(connection)["mes"]
    assert (pace.failing_since, pace.failures, pace.why) == (NOW, 2, "answers 502")
    outbox.wait(minutes=1)
    outbox.settle(outbox.claim()[0], Sent())
    with outbox.state.read() as connection:
        pace = paces(connection)["mes"]
    assert (pace.failing_since, pace.failures, pace.why) == (None, 0, "")


def test_a_dead_message_that_is_replayed_has_its_old_id_and_three_days_more(outbox: Outbox) -> None:
    message = outbox.put()
    outbox.settle(outbox.claim()[0], Never("answers 404"))
    outbox.wait(days=30)
    with outbox.state.write() as connection:
        assert replay(connection, at=outbox.now, target="mes") == [1]
    (again,) = outbox.claim()
    assert (again.message, again.since, again.tries) == (message, outbox.now, 0)
    outbox.settle(again, Later("busy"))
    assert outbox.all()[0].state is NoticeState.WAITING


def test_a_message_that_waits_is_due_at_once_when_it_is_replayed(outbox: Outbox) -> None:
    outbox.put()
    for seed in range(9):
        outbox.wait(hours=1)
        outbox.settle(outbox.claim()[0], Later("busy"), seed)
    assert outbox.claim() == []
    with outbox.state.write() as connection:
        replay(connection, at=outbox.now, numbers=[1])
    assert outbox.all()[0].due == outbox.now


def test_a_message_to_nobody_says_so_and_is_dead_after_three_days(outbox: Outbox) -> None:
    outbox.put(target="nobody")
    for expected in (NoticeState.WAITING, NoticeState.DEAD):
        with outbox.state.write() as connection:
            tend(connection, ["mes"], at=outbox.now)
        assert (outbox.all()[0].state, outbox.all()[0].why) == (expected, "the plant file has no target of this name")
        outbox.now += GIVE_UP_AFTER


def test_a_clock_that_was_a_year_ahead_holds_nothing_up(outbox: Outbox) -> None:
    outbox.wait(days=365)
    outbox.put(1)
    outbox.put(2)
    first, _ = outbox.claim()
    outbox.settle(first, Later("busy", timedelta(days=1)))
    outbox.now = NOW
    assert outbox.claim() == []
    with outbox.state.write() as connection:
        tend(connection, ["mes"], at=outbox.now)
    assert len(outbox.claim()) == 2
    assert timedelta(days=365) > LONGEST_WAIT


def test_what_was_sent_long_ago_is_forgotten_and_what_is_dead_stays(outbox: Outbox) -> None:
    outbox.put(1)
    outbox.put(2)
    sent, dead = outbox.claim()
    outbox.settle(sent, Sent())
    outbox.settle(dead, Never("no"))
    outbox.wait(days=91)
    with outbox.state.write() as connection:
        assert forget(connection, before=outbox.now - timedelta(days=90)) == 1
        assert figures(connection)["mes"].dead == 1
