"""◆ Matcher: what a label of an alert must be, in the words of Alertmanager."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingest.errors import PatternError
from service.alerts.labels import Labels, quoted
from service.alerts.pattern import fits, fitting, refuse_pattern

LONGEST_VALUE = 1000
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_WRITTEN = re.compile(r"\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!=|!~|=)\s*(.*?)\s*", re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\n])')


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """One condition on one label; an alert without the label has the empty value there.

    Attributes
    ----------
    value : what the label must be, or a pattern for the whole of it
    is_regex : whether the value is a pattern
    is_equal : false turns the condition round
    """

    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True

    def matches(self, labels: Labels) -> bool:
        """Return whether labels are so.

        Examples
        --------
        >>> Matcher(name="line", value="A|B", is_regex=True).matches({"line": "A"})
        True
        >>> Matcher(name="line", value="A", is_equal=False).matches({})
        True
        """
        own = labels.get(self.name, "")
        found = fits(self.value, own) if self.is_regex else own == self.value
        return found is self.is_equal

    def __str__(self) -> str:
        """Return it as people write it: ``line=~"A|B"``."""
        sign = {(False, True): "=", (False, False): "!=", (True, True): "=~", (True, False): "!~"}
        return f"{self.name}{sign[self.is_regex, self.is_equal]}{quoted(self.value)}"


def matching(matchers: Iterable[Matcher], labels: Labels) -> bool:
    """Return whether all matchers match."""
    return all(each.matches(labels) for each in matchers)


def matching_each(matchers: Iterable[Matcher], several: Sequence[Labels]) -> list[bool]:
    """Return of each of several sets of labels whether all matchers match.

    Examples
    --------
    >>> matching_each([Matcher(name="line", value="A|B", is_regex=True)], [{"line": "A"}, {}, {"line": "C"}])
    [True, False, False]
    """
    matched = [True] * len(several)
    for each in matchers:
        own = [labels.get(each.name, "") for labels in several]
        left = [value for value, so_far in zip(own, matched, strict=True) if so_far]
        if not left:
            break
        found = fitting(each.value, left) if each.is_regex else {each.value}
        matched = [so_far and (value in found) is each.is_equal for value, so_far in zip(own, matched, strict=True)]
    return matched


def checked(matcher: Matcher) -> Matcher:
    """Return a matcher that came from elsewhere.

    Raises
    ------
    PatternError
        If its name is no name of a label, its value is too long, or it is no pattern that we take.
    """
    if not is_label_name(matcher.name):
        raise PatternError(
            f"{matcher.name[:200]!r} is no name of a label; letters, digits and _ make one, such as 'machine'"
        )
    if len(matcher.value) > LONGEST_VALUE:
        raise PatternError(f"the value of {matcher.name!r} has more than {LONGEST_VALUE} characters")
    if matcher.is_regex:
        refuse_pattern(matcher.value)
    return matcher


def read_matcher(text: str) -> Matcher:
    r"""Read what somebody wrote, in quotes or without.

    Raises
    ------
    PatternError
        If it is no matcher.

    Examples
    --------
    >>> str(read_matcher('line=~"A|B"')), str(read_matcher("machine!=press-1"))
    ('line=~"A|B"', 'machine!="press-1"')
    >>> read_matcher("press-1")
    Traceback (most recent call last):
    ingest.errors.PatternError: 'press-1' is no matcher; write a label and what it is, such as machine="press-1"
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise PatternError(f'{text[:200]!r} is no matcher; write a label and what it is, such as machine="press-1"')
    name, sign, value = found.groups()
    if len(value) >= 2 and value.startswith('"') and value.endswith('"'):
        value = _ESCAPED.sub(lambda each: "\n" if each[1] == "n" else each[1], value[1:-1])
    return checked(Matcher(name=name, value=value, is_regex="~" in sign, is_equal=not sign.startswith("!")))


def is_label_name(name: str) -> bool:
    """Return whether a label can be called so.

    Examples
    --------
    >>> is_label_name("line_2"), is_label_name("line-2"), is_label_name("2nd")
    (True, False, False)
    """
    return _NAME.fullmatch(name) is not None
