"""The text of a proposed plant file, written line by line with its guesses beside it."""

import json
import re
from collections.abc import Sequence

from ingest.proposal.guess import Guess, Proposal, plain

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_NUMBERED = re.compile(r"(|.*[^0-9])([0-9]{1,9})", re.DOTALL)
_RANGE = re.compile(r".*?[0-9]{1,18}\.\.[0-9]{1,18}", re.DOTALL)
_WIDTH = 100


class Page:
    """Collects lines and guesses."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._guesses: list[Guess] = []

    def add(self, *lines: str) -> None:
        """Write lines as they are."""
        self._lines += lines

    def say(self, text: str) -> None:
        """Write a comment."""
        self._lines.append(f"# {plain(text)}")

    def put(self, key: str, value: str) -> None:
        """Write a key that is no guess; ``value`` is TOML."""
        self._lines.append(f"{key} = {value}")

    def guess(self, table: str, key: str, value: str, confidence: float, why: str) -> None:
        """Write a guessed key with its reason; ``value`` is TOML."""
        found = Guess(f"{table}.{key}" if table else key, value, round(confidence, 2), why)
        self._guesses.append(found)
        self._lines += [found.comment, f"{key} = {value}"]

    def note(self, key: str, value: str, confidence: float, why: str) -> None:
        """Remember a guess that has its line in the file already."""
        self._guesses.append(Guess(key, value, round(confidence, 2), why))

    def finish(self) -> Proposal:
        """Return the whole text and all guesses."""
        return Proposal("\n".join(self._lines) + "\n", tuple(self._guesses))


def quoted(text: str) -> str:
    r"""Write a text as a TOML string.

    Examples
    --------
    >>> quoted('5" tube')
    '"5\\" tube"'
    """
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def key_of(text: str) -> str:
    """Write a text as a TOML key."""
    return text if _BARE.fullmatch(text) else quoted(text)


def listed(texts: Sequence[str]) -> str:
    """Write texts as a TOML list, over several lines where it is long."""
    cells = [quoted(text) for text in texts]
    line = f"[{', '.join(cells)}]"
    return line if len(line) <= _WIDTH else "[\n" + "".join(f"    {cell},\n" for cell in cells) + "]"


def one_or_more(texts: Sequence[str]) -> str:
    """Write a single text alone, and several as a list."""
    return quoted(texts[0]) if len(texts) == 1 else listed(texts)


def as_ranges(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Shorten names that count up to ranges.

    Returns
    -------
    names and ranges for ``names`` of a machine entry, and names that look like a range but are none
        and need an entry of their own

    Examples
    --------
    >>> as_ranges(["press-1", "press-2", "press-3", "old"])
    (['press-1..3', 'old'], [])
    >>> as_ranges(["08", "09", "10"])
    (['08..10'], [])
    """
    found: list[str] = []
    odd: list[str] = []
    run: list[str] = []
    for name in names:
        if _RANGE.fullmatch(name):
            odd.append(name)
        elif run and _follows(run[-1], name) and _prefix(run[0]) == _prefix(name):
            run.append(name)
        else:
            found += _shortened(run)
            run = [name]
    return found + _shortened(run), odd


def natural(name: str) -> list[tuple[int, int, str]]:
    """Return a key that sorts names as people do: 2 before 10."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"([0-9]+)", name) if part]


def _follows(first: str, second: str) -> bool:
    one, two = _NUMBERED.fullmatch(first), _NUMBERED.fullmatch(second)
    if one is None or two is None or int(two[2]) != int(one[2]) + 1:
        return False
    padded = one[2].startswith("0") or two[2].startswith("0")
    return len(one[2]) == len(two[2]) if padded else True


def _prefix(name: str) -> str:
    match = _NUMBERED.fullmatch(name)
    return match[1] if match else name


def _shortened(run: list[str]) -> list[str]:
    first = _NUMBERED.fullmatch(run[0]) if run else None
    last = _NUMBERED.fullmatch(run[-1]) if run else None
    if len(run) < 3 or first is None or last is None:
        return run
    return [f"{first[1]}{first[2]}..{last[2]}"]
