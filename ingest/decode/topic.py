"""Topics of messages: which template they fit, and the words that it names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_WORD = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """A template of topics.

    Examples
    --------
    >>> template = Template("plant/{line}/{machine}/#")
    >>> template.filter
    'plant/+/+/#'
    >>> template.words("plant/l1/press-7/temperature")
    {'line': 'l1', 'machine': 'press-7'}
    >>> template.words("plant/l1") is None
    True
    """

    text: str

    @property
    def filter(self) -> str:
        """The template as a subscription says it."""
        return "/".join("+" if word_of(level) else level for level in self.text.split("/"))

    @property
    def names(self) -> tuple[str, ...]:
        """The words that it gives names to."""
        return tuple(name for level in self.text.split("/") if (name := word_of(level)))

    def words(self, topic: str) -> dict[str, str] | None:
        """Return the words of a topic by their names; ``None`` if it does not fit."""
        wanted, given = self.text.split("/"), topic.split("/")
        if wanted[-1] == "#":
            wanted.pop()
            if len(given) < len(wanted):
                return None
        elif len(given) != len(wanted):
            return None
        found: dict[str, str] = {}
        for level, word in zip(wanted, given, strict=False):
            if name := word_of(level):
                found[name] = word
            elif level not in ("+", word):
                return None
        return found


def covers(wide: str, narrow: str) -> bool:
    """Say whether a subscription gets all topics that another one gets.

    Examples
    --------
    >>> covers("plant/#", "plant/+/a"), covers("plant/+", "plant/#")
    (True, False)
    """
    ours, theirs = wide.split("/"), narrow.split("/")
    if ours[-1] == "#":
        return len(theirs) >= len(ours) - 1 and all(map(_covers_level, ours[:-1], theirs))
    return len(theirs) == len(ours) and all(map(_covers_level, ours, theirs))


def overlap(one: str, other: str) -> bool:
    """Say whether there is a topic that both subscriptions get.

    Examples
    --------
    >>> overlap("plant/+/a", "plant/b/+"), overlap("plant/a", "plant/+/a")
    (True, False)
    """
    ours, theirs = one.split("/"), other.split("/")
    for left, right in zip(ours, theirs, strict=False):
        if "#" in (left, right):
            return True
        if "+" not in (left, right) and left != right:
            return False
    shorter, longer = sorted((ours, theirs), key=len)
    return len(shorter) == len(longer) or longer[len(shorter) :] == ["#"]


def _covers_level(wide: str, narrow: str) -> bool:
    return wide == narrow or (wide == "+" and narrow != "#")


def word_of(level: str) -> str:
    """Return the name that a level of a template gives; empty if it gives none."""
    found = _WORD.fullmatch(level)
    return found[1] if found else ""


def words_in(pattern: str) -> tuple[str, ...]:
    """Return the words that a pattern needs.

    Examples
    --------
    >>> words_in("{line}-{machine}")
    ('line', 'machine')
    """
    return tuple(_WORD.findall(pattern))


def filled(pattern: str, words: Mapping[str, str]) -> str:
    """Return a pattern with its words put in.

    Examples
    --------
    >>> filled("{line}-{machine}", {"line": "l1", "machine": "7"})
    'l1-7'
    """
    return _WORD.sub(lambda found: words[found[1]], pattern)
