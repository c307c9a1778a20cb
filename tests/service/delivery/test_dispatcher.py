"""The dispatcher brings each message to its target, and no target holds up another."""

from collections import Counter
from itertools import count
from threading import Event, Thread

from service.delivery.notice import Notice
from service.delivery.outbox import NoticeState
from service.delivery.outcome import Later, Never, Outcome, Sent
from tests.service.delivery.conftest import Outbox, SaidChannel


def test_everything_that_is_due_is_sent_in_the_order_of_each_alert(outbox: Outbox) -> None:
    for _ in range(5):
        for alert in range(20):
            outbox.put(alert)
    channel = SaidChannel()
    dispatcher = outbox.dispatcher({"mes": channel})
    assert dispatcher.drain() == {"sent": 100}
    dispatcher.close()
    for alert in range(20):
        ids = [each.id for each in channel.given if each.alert == alert]
        assert (len(ids), ids) == (5, sorted(ids))
    assert Counter(each.state for each in outbox.all()) == {NoticeState.SENT: 100}


def test_a_target_that_hangs_holds_up_no_other(outbox: Outbox) -> None:
    for alert in range(30):
        outbox.put(alert, target="hangs")
        outbox.put(alert, target="quick")
    released, quick = Event(), SaidChannel()

    def hang(_: Notice) -> Outcome:
        released.wait(30)
        return Later("no answer in time")

    stop, all_sent = Event(), Event()

    def quickly(notice: Notice) -> Outcome:
        if len(quick.given) == 30:
            all_sent.set()
        return Sent()

    quick.say = quickly
    dispatcher = outbox.dispatcher({"hangs": SaidChannel(hang), "quick": quick})
    thread = Thread(target=dispatcher.run, args=(stop,))
    thread.start()
    try:
        assert all_sent.wait(20)
    finally:
        released.set()
        stop.set()
        dispatcher.wake()
        thread.join()
    states = Counter((each.target, each.state) for each in outbox.all())
    assert states["quick", NoticeState.SENT] == 30
    assert states["hangs", NoticeState.WAITING] == 30


def test_what_waits_when_it_stops_is_given_back_and_what_is_under_way_is_written_down(outbox: Outbox) -> None:
    for alert in range(20):
        outbox.put(alert)
    stop, begun, released = Event(), Event(), Event()

    def hold(_: Notice) -> Outcome:
        begun.set()
        released.wait(30)
        return Sent()

    channel = SaidChannel(hold)
    dispatcher = outbox.dispatcher({"mes": channel}, at_once=2)
    thread = Thread(target=dispatcher.run, args=(stop,))
    thread.start()
    assert begun.wait(20)
    stop.set()
    dispatcher.wake()
    released.set()
    thread.join()
    after = outbox.all()
    assert {each.id for each in after if each.state is NoticeState.SENT} == {each.id for each in channel.given}
    assert all(each.lease_until is None and each.tries == 0 for each in after if each.state is NoticeState.WAITING)


def test_a_mistake_of_ours_in_one_message_ends_nothing_and_is_tried_again(outbox: Outbox) -> None:
    outbox.put(1)
    outbox.put(2)
    tries = count()

    def fail_once(_: Notice) -> Outcome:
        if next(tries) == 0:
            raise RuntimeError("a mistake")
        return Sent()

    dispatcher = outbox.dispatcher({"mes": SaidChannel(fail_once)}, at_once=1)
    assert dispatcher.drain() == {"sent": 1, "failed": 1}
    outbox.wait(minutes=1)
    assert dispatcher.drain() == {"sent": 1}
    dispatcher.close()


def test_two_processes_send_each_message_once(outbox: Outbox) -> None:
    for alert in range(200):
        outbox.put(alert)
    channels = [SaidChannel(), SaidChannel()]
    dispatchers = [outbox.dispatcher({"mes": each}) for each in channels]
    threads = [Thread(target=each.drain) for each in dispatchers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in dispatchers:
        each.close()
    sent = Counter(notice.message for each in channels for notice in each.given)
    assert (len(sent), set(sent.values())) == (200, {1})


def test_an_answer_decides_what_becomes_of_a_message(outbox: Outbox) -> None:
    answers: list[Outcome] = [Sent(), Later("busy"), Never("answers 410 Gone")]
    for alert in range(3):
        outbox.put(alert)
    dispatcher = outbox.dispatcher({"mes": SaidChannel(lambda notice: answers[notice.alert or 0])})
    assert dispatcher.drain() == {"sent": 1, "failed": 1, "dead": 1}
    dispatcher.close()
    assert [(each.state, each.why) for each in outbox.all()] == [
        (NoticeState.SENT, ""),
        (NoticeState.WAITING, "busy"),
        (NoticeState.DEAD, "answers 410 Gone"),
    ]
