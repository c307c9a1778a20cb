"""Messages to readings, and to letters where they are not understood; none stops those that come after it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

from ingest.dead_letter import DeadLetter
from ingest.decode.cut import said
from ingest.decode.rows import Decoded
from ingest.errors import SourceError
from ingest.reading import Readings
from ingest.report import Rejection
from ingest.turned_away import TurnedAway

_Message = TypeVar("_Message")


class Understood(NamedTuple):
    """What messages gave, in the order of their arrival, and the cells of signals that were turned away."""

    readings: list[Readings]
    letters: list[DeadLetter]
    turned_away: TurnedAway


def understand(
    messages: Sequence[_Message],
    now: datetime,
    decode: Callable[[Sequence[_Message], datetime], Decoded],
    letter: Callable[[_Message, str], DeadLetter],
) -> Understood:
    """Return the readings and the letters of messages, in the order of their arrival.

    Parameters
    ----------
    decode : decodes messages together; lines of its rejections are their numbers, counted from 1
    letter : makes a letter of a message and the reason why it was not understood
    """
    several = len(messages) > 1
    try:
        decoded = decode(messages, now)
    except SourceError as error:
        reason = str(error)
    except Exception as error:  # a message that breaks us is a letter, too
        reason = f"it could not be read: {error!r}"
    else:
        if decoded.rejected == len(decoded.rejections) or not several:
            return Understood(decoded.readings, _letters(messages, decoded.rejections, letter), decoded.turned_away)
        reason = ""  # more was turned away than is listed
    if not several:
        return Understood([], [letter(messages[0], reason)], TurnedAway())
    half = len(messages) // 2
    first, second = (understand(each, now, decode, letter) for each in (messages[:half], messages[half:]))
    return Understood(
        first.readings + second.readings, first.letters + second.letters, first.turned_away + second.turned_away
    )


def _letters(
    messages: Sequence[_Message], rejections: Sequence[Rejection], letter: Callable[[_Message, str], DeadLetter]
) -> list[DeadLetter]:
    reasons: dict[int, list[Rejection]] = {}
    for each in rejections:
        reasons.setdefault(each.line - 1, []).append(each)
    return [letter(messages[number], said(those)) for number, those in sorted(reasons.items())]
