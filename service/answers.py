"""Answers that take long to work out, kept for whoever asks the same again: pages that load anew every minute."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import datetime
from threading import Lock
from typing import Any, TypeVar

Answer = TypeVar("Answer")


class Answers:
    """The newest few answers; one at a time is worked out, so that a page opened ten times takes one core.

    Whoever asks for what is known does not wait for what is being worked out.

    Parameters
    ----------
    most : answers that are kept
    """

    def __init__(self, most: int = 32) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, tuple[Any]] = OrderedDict()
        self._lock, self._turn = Lock(), Lock()

    def known(self, question: Hashable) -> bool:
        """Whether the answer to a question is kept."""
        with self._lock:
            return question in self._kept

    def to(self, question: Hashable, work: Callable[[], Answer]) -> Answer:
        """Return the answer that is kept to a question, or what ``work`` returns now.

        Examples
        --------
        >>> answers = Answers()
        >>> [answers.to("question", lambda answer=answer: answer) for answer in (1, 2)]
        [1, 1]
        """
        if (found := self._recalled(question)) is None:
            with self._turn:
                if (found := self._recalled(question)) is None:
                    found = (work(),)
                    self._keep(question, found)
        (answer,) = found
        return answer

    def _recalled(self, question: Hashable) -> tuple[Any] | None:
        with self._lock:
            if question in self._kept:
                self._kept.move_to_end(question)
            return self._kept.get(question)

    def _keep(self, question: Hashable, answer: tuple[Any]) -> None:
        with self._lock:
            self._kept[question] = answer
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)


def full_hour(at: datetime) -> datetime:
    """Return the full hour before or at a moment: what is asked up to it is asked once an hour.

    Examples
    --------
    >>> full_hour(datetime(2026, 5, 3, 4, 59)).hour
    4
    """
    return at.replace(minute=0, second=0, microsecond=0)
