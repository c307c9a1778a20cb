r"""Patterns: regular expressions that people and programs send us, and that cannot keep us busy.

RE2 looks at each letter of a text once for each place in the pattern, so no text makes it slow as backtracking would;
its syntax is that of Prometheus, which uses the same. What is left is the size of the pattern: it is short, also once
each repetition that is counted is written out. Each matches the whole text.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from ingest.errors import PatternError

LONGEST = 200
MOST_PLACES = 300
PLACES_OF_LETTERS = 30
"""Letters of all languages, ``\\pL``, and others of their kind are hundreds of ranges of bytes."""
_LETTERS = re.compile(r"\\(?:([pP](?:\{\^?\w*\}|.))|.)", re.DOTALL)
_ESCAPE = re.compile(r"\\[pP](?:\{\^?\w*\}|.)|\\.|\[\^?\]?(?:\\.|\[:\^?[a-z]+:\]|[^\]\\])*\]", re.DOTALL)
_COUNTED = re.compile(r"\{(\d+)(?:,(\d*))?\}")


def refuse_pattern(pattern: str) -> None:
    r"""Refuse what is no pattern, or a pattern that could keep us busy.

    Raises
    ------
    PatternError
        That says what is wrong.

    Examples
    --------
    >>> refuse_pattern("press-[0-9]{1,3}")
    >>> refuse_pattern("((a?){30}){30}")
    Traceback (most recent call last):
    ingest.errors.PatternError: '((a?){30}){30}' has 1800 places with its repetitions written out; 300 are taken at most
    >>> refuse_pattern("a)|(b")
    Traceback (most recent call last):
    ingest.errors.PatternError: 'a)|(b' is no regular expression: unexpected ): a)|(b
    """
    shown = repr(pattern[:LONGEST])
    if len(pattern) > LONGEST:
        raise PatternError(f"a regular expression has {LONGEST} characters at most, this one {len(pattern)}: {shown}")
    plain = _ESCAPE.sub(_plain, pattern)
    if "\\C" in pattern or "\\Q" in pattern:
        raise PatternError(f"{shown} has \\C or \\Q, which we do not take; escape each character by itself")
    if (places := _places(plain)) > MOST_PLACES:
        raise PatternError(
            f"{shown} has {places} places with its repetitions written out; {MOST_PLACES} are taken at most"
        )
    for each in (pattern, _whole(pattern)):
        try:
            pc.match_substring_regex(pa.array([""]), pattern=each)
        except pa.ArrowInvalid as error:
            reason = str(error).removeprefix("Invalid regular expression: ")
            raise PatternError(f"{shown} is no regular expression: {reason}") from error


@lru_cache(1 << 13)
def fits(pattern: str, text: str) -> bool:
    """Return whether a pattern that is not refused matches the whole of a text.

    Examples
    --------
    >>> fits("press-.", "press-7"), fits("press-.", "press-77"), fits("a|b", "ab")
    (True, False, False)
    """
    return bool(pc.match_substring_regex(pa.array([text]), pattern=_whole(pattern))[0].as_py())


def fitting(pattern: str, texts: Iterable[str]) -> set[str]:
    """Return the texts of which a pattern matches the whole; of many this is quicker than one by one.

    Examples
    --------
    >>> sorted(fitting("press-.", ["press-7", "pump-1", "press-8"]))
    ['press-7', 'press-8']
    """
    known = list(dict.fromkeys(texts))
    found = pc.match_substring_regex(pa.array(known, pa.string()), pattern=_whole(pattern))
    return {text for text, fit in zip(known, found.to_pylist(), strict=True) if fit}


def _whole(pattern: str) -> str:
    return f"^(?:{pattern})$"


def _plain(escaped: re.Match[str]) -> str:
    """Return as many plain characters as what is escaped, or a class of characters, has places."""
    letters = sum(1 for each in _LETTERS.finditer(escaped[0]) if each[1])
    return f"({'_' * PLACES_OF_LETTERS * letters})" if letters else "_"


def _places(plain: str) -> int:
    """Return how many characters a pattern has once each counted repetition is written out."""
    # Of each group that is open: its places so far, and those of what came last in it.
    groups = [(0, 0)]
    place = 0
    while place < len(plain):
        total, last = groups[-1]
        counted = _COUNTED.match(plain, place)
        if counted:
            times = max(int(each) for each in counted.groups() if each)
            groups[-1] = total + last * (times - 1), last * times
            place = counted.end()
            continue
        if plain[place] == "(":
            groups.append((0, 0))
        elif plain[place] == ")" and len(groups) > 1:
            groups.pop()
            before, _ = groups[-1]
            groups[-1] = before + total, total
        else:
            groups[-1] = total + 1, 1
        place += 1
    return sum(total for total, _ in groups)
