"""Answers that take long to work out, kept for whoever asks the same again: pages that load anew every minute."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import datetime
from threading import Lock
from typing import Any, TypeVar

Answer = TypeVar("Answer")


class Answers:
    """The newest few answers; one at a time is worked out, so that a page opened ten times takes one core.

    Parameters
    ----------
    most : answers that are kept
    """

    def __init__(self, most: int = 32) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()

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
        with self._lock:
            if question not in self._kept:
                self._kept[question] = work()
            self._kept.move_to_end(question)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return self._kept[question]


def full_hour(at: datetime) -> datetime:
    """Return the full hour before or at a moment: what is asked up to it is asked once an hour.

    Examples
    --------
    >>> full_hour(datetime(2026, 5, 3, 4, 59)).hour
    4
    """
    return at.replace(minute=0, second=0, microsecond=0)
