r"""Patterns: regular expressions that people and programs send us, and that cannot keep us busy.

RE2 looks at each letter of a text once for each place in the pattern, so no text makes it slow as backtracking would;
its syntax is that of Prometheus, which uses the same. What is left is the size of the pattern: it is short, no
repetition is counted beyond ``MOST_TIMES``, and none stands in another. Each matches the whole text.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from ingest.errors import PatternError

LONGEST = 200
MOST_TIMES = 100
_ESCAPE = re.compile(r"\\.|\[\^?\]?(?:\\.|\[:\^?[a-z]+:\]|[^\]\\])*\]", re.DOTALL)
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
    ingest.errors.PatternError: '((a?){30}){30}' counts a repetition within another; write one of them out
    >>> refuse_pattern("a)|(b")
    Traceback (most recent call last):
    ingest.errors.PatternError: 'a)|(b' is no regular expression: unexpected ): a)|(b
    """
    shown = repr(pattern[:LONGEST])
    if len(pattern) > LONGEST:
        raise PatternError(f"a regular expression has {LONGEST} characters at most, this one {len(pattern)}: {shown}")
    plain = _ESCAPE.sub("_", pattern)
    if "\\C" in pattern or "\\Q" in pattern:
        raise PatternError(f"{shown} has \\C or \\Q, which we do not take; escape each character by itself")
    for found in _COUNTED.finditer(plain):
        if max(int(each) for each in found.groups() if each) > MOST_TIMES:
            raise PatternError(f"{shown} counts a repetition of more than {MOST_TIMES}; use + or * in its place")
    if _nested(plain):
        raise PatternError(f"{shown} counts a repetition within another; write one of them out")
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


def _nested(plain: str) -> bool:
    """Return whether a counted repetition stands in a group that is counted itself."""
    counted = [False]
    place = 0
    while place < len(plain):
        found = _COUNTED.match(plain, place)
        if found:
            counted[-1] = True
            place = found.end()
            continue
        if plain[place] == "(":
            counted.append(False)
        elif plain[place] == ")" and len(counted) > 1:
            inner = counted.pop()
            if inner and _COUNTED.match(plain, place + 1):
                return True
            counted[-1] = counted[-1] or inner
        place += 1
    return False
