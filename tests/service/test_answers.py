"""Answers that take long: kept, worked out one at a time, and in nobody's way who asks for another."""

from threading import Event, Thread
from time import sleep

from service.answers import Answers


def test_what_is_known_is_told_while_something_else_is_worked_out() -> None:
    answers, begun, go_on = Answers(), Event(), Event()
    answers.to("known", lambda: 1)

    def work() -> int:
        begun.set()
        assert go_on.wait(10)
        return 2

    worker = Thread(target=answers.to, args=("long", work))
    worker.start()
    assert begun.wait(10)

    assert answers.known("known")
    assert answers.to("known", lambda: 3) == 1
    assert not answers.known("long")
    go_on.set()
    worker.join(10)
    assert answers.to("long", lambda: 3) == 2


def test_the_same_question_is_worked_out_once_however_many_ask_at_once() -> None:
    answers, asked, go_on = Answers(), [], Event()

    def work() -> int:
        asked.append(None)
        assert go_on.wait(10)
        return 7

    askers = [Thread(target=answers.to, args=("question", work)) for _ in range(8)]
    for each in askers:
        each.start()
    # Time for the others to begin as well, if they may.
    sleep(0.1)
    go_on.set()
    for each in askers:
        each.join(10)

    assert len(asked) == 1


def test_the_oldest_answers_make_room_and_nothing_is_an_answer_too() -> None:
    answers = Answers(most=2)
    for each in ("a", "b", "c"):
        assert answers.to(each, lambda: None) is None

    assert [answers.known(each) for each in ("a", "b", "c")] == [False, True, True]
