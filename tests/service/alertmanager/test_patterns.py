"""Patterns match whole texts, and none that is taken keeps us busy."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import PatternError
from service.alerts.matcher import Matcher, matching, matching_each, read_matcher
from service.alerts.pattern import LONGEST, MOST_PLACES, _places, fits, fitting, refuse_pattern

WORST = [
    "(a+)+b",
    "(a|aa)+b",
    "(.*a){20}",
    "(" + ".?" * 50 + "){3}",
    "(.?){150}",
    "(a?){50}(a?){50}(a?){49}b",
    "(?:" + "a*" * 90 + ")b",
    r"[\pL\pN\pM]{3}",
    r"\PL{9}",
]


@pytest.mark.parametrize("pattern", WORST)
def test_what_is_taken_is_quick_for_the_longest_value(pattern: str) -> None:
    refuse_pattern(pattern)
    texts = [f"{each:03}" + "a" * 97 for each in range(1000)]
    began = time.process_time()
    fits.__wrapped__(pattern, "a" * 1000)
    fitting(pattern, texts)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "pattern",
    ["((a{9}){9}){9}", "((a{2}b)+){101}", f"a{{{MOST_PLACES + 1}}}", "a{2,1000}",
     "(" + ".?" * 90 + "){100}", "a" * (LONGEST + 1),
     r"\pL{100}|\PL{100}", r"[\pL\pN\pM]{290}", r"\p{Greek}{99}", r"\pL" * 66,
     "\\Qa", "\\C", "a)|(b",
     "(?=a)", "(a)\\1", "[", "*"],
)  # fmt: skip
def test_what_could_keep_us_busy_or_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        refuse_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("[{]{3}", "{{{"),
        ("\\({2}\\){3}", "(()))"),
        ("(a{2})(b{3})", "aabbb"),
        ("[(]a{2}[)]{3}", "(aa)))"),
        ("([)a]{2})", ")a"),
        ("a{2}(b)", "aab"),
    ],
)
def test_braces_that_are_no_repetitions_within_others_are_taken(pattern: str, text: str) -> None:
    refuse_pattern(pattern)
    assert fits(pattern, text)
    assert not fits(pattern, text + text)


simple = st.text(alphabet="ab|().*+?[]{}2,^$-é\n", max_size=8)


@given(simple, st.text(alphabet="abé(-2\n", max_size=5))
def test_what_both_take_means_the_same_as_to_python(pattern: str, text: str) -> None:
    try:
        refuse_pattern(pattern)
        # In Python '$' is before a last line break, too, and a brace that counts nothing is a letter in both.
        expected = re.compile(f"(?:{pattern.replace('$', chr(92) + 'Z')})", re.ASCII)
    except (PatternError, re.error):
        return
    if "$" in pattern and "[" in pattern:
        return
    assert fits(pattern, text) is (expected.fullmatch(text) is not None)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [(r"\pL+", "Öl"), (r"\p{Lu}[\pL\pN -]*", "Ωmega 3"), (r"[^\PL]{2,8}", "éé"), (r"\\pL{200}", "\\p" + "L" * 200)],
)
def test_letters_of_all_languages_are_taken_while_they_are_few(pattern: str, text: str) -> None:
    refuse_pattern(pattern)
    assert fits(pattern, text)
    assert not fits(pattern, text + "!")


def test_a_pattern_is_not_built_for_what_an_earlier_matcher_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []
    monkeypatch.setattr("service.alerts.matcher.fitting", lambda pattern, _: built.append(pattern))
    matchers = [Matcher(name="machine", value="press-1"), Matcher(name="line", value="A|B", is_regex=True)]

    assert matching_each(matchers, [{"machine": "press-2", "line": "A"}]) == [False]
    assert not built


names = st.from_regex(r"[a-z_]{1,5}", fullmatch=True)


@given(names, st.text(max_size=20), st.booleans())
def test_what_is_written_is_read_as_it_was(name: str, value: str, equal: bool) -> None:
    matcher = Matcher(name=name, value=value, is_equal=equal)

    assert read_matcher(str(matcher)) == matcher


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["", "x", "x|y", ".*", "x.?"]), st.booleans(), st.booleans()),
        max_size=4,
    ),
    st.lists(st.dictionaries(st.sampled_from("abc"), st.sampled_from(["x", "y", "xy", "z"])), max_size=6),
)
def test_many_at_once_match_as_one_by_one(
    written: list[tuple[str, str, bool, bool]], several: list[dict[str, str]]
) -> None:
    matchers = [
        Matcher(name=name, value=value, is_regex=regex, is_equal=equal) for name, value, regex, equal in written
    ]

    assert matching_each(matchers, several) == [matching(matchers, labels) for labels in several]


@given(st.text(alphabet="ab|.", max_size=6), st.integers(1, 9), st.integers(1, 9))
def test_places_are_those_of_the_pattern_written_out(inner: str, first: int, second: int) -> None:
    assert _places(f"(({inner}){{{first}}}c){{{second}}}") == (len(inner) * first + 1) * second
