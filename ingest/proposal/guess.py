"""A guess about somebody's data: what, how sure, and why."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guess:
    """One guessed key of the plant file.

    Attributes
    ----------
    key : place in the plant file, such as ``sources[1].time``; positions are counted from 1
    value : what was guessed, as text
    confidence : from 0 (a shot in the dark) to 1 (the data leave no doubt)
    why : the evidence, one sentence without a full stop
    """

    key: str
    value: str
    confidence: float
    why: str

    @property
    def comment(self) -> str:
        """The guess as a comment line of the plant file.

        Examples
        --------
        >>> Guess("sources[1].time", "t", 0.9, "every value is a time").comment
        '# 90 % sure: every value is a time'
        """
        return re.sub(r"(\d)%", r"\1 %", f"# {self.confidence:.0%} sure: {plain(self.why)}")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plant file proposed from data.

    Attributes
    ----------
    toml : text of the file; every guess stands in it as a comment
    guesses : the same guesses, in the order of the file
    """

    toml: str
    guesses: tuple[Guess, ...]


def plain(text: str) -> str:
    r"""Return text that fits into one line of a comment.

    Examples
    --------
    >>> plain("two\nlines")
    'two lines'
    """
    return "".join(letter if letter.isprintable() else " " for letter in text)
