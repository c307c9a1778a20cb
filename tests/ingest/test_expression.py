"""Expressions over signals and states: what they say, what they do not know, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import ExpressionError
from ingest.expression import DEEPEST, LONGEST, Given, read_expression

SIGNALS = ("speed", "force", "spindle load", "state of wear")


def said(text: str, *, state: str = "", **signals: float) -> bool | None:
    """Return what an expression says at one moment; ``None`` where it does not know."""
    values = dict.fromkeys(SIGNALS, np.nan) | {name.replace("_", " "): value for name, value in signals.items()}
    moment = Given({name: np.array([value]) for name, value in values.items()}, np.array([state], object))
    truth = read_expression(text, SIGNALS).truth(moment)
    assert not (truth.yes & truth.no).any()
    return True if truth.yes[0] else False if truth.no[0] else None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("speed > 100", True),
        ("speed >= 150 and force < 5", True),
        ("100 < speed < 150", False),
        ("speed + 2 * force == 154", True),
        ("-speed / 2 < -74", True),
        ("not speed", False),
        ("speed in (1, 150)", True),
        ("speed not in [1, 150]", False),
        ("speed != 150 or force != 3", True),
        ("state == 'auto'", True),
        ("'auto' != state", False),
        ("state in ('auto', 'manual') and speed", True),
        ("state not in ['auto']", False),
        ("signal['spindle load'] > 7", True),
        ("speed > 100\n  and force < 5", True),
    ],
)
def test_an_expression_says_what_it_reads_as(text: str, expected: bool) -> None:
    assert said(text, speed=150, force=2, spindle_load=8, state="auto") is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("force > 1", None),
        ("not force > 1", None),
        ("force > 1 and speed > 100", None),
        ("force > 1 and speed < 100", False),
        ("force > 1 or speed > 100", True),
        ("force > 1 or speed < 100", None),
        ("speed / (speed - 150) > 1", None),
        ("state == 'auto'", None),
        ("state != 'auto'", None),
        ("speed > 100 or state == 'auto'", True),
    ],
)
def test_what_is_not_known_stays_unknown_unless_it_does_not_matter(text: str, expected: bool | None) -> None:
    assert said(text, speed=150) is expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("sped > 100", "no signal 'sped'; did you mean 'speed'?"),
        ("signal['spindel load'] > 1", "did you mean 'spindle load'?"),
        ("speed >", "cannot be read"),
        ("", "is empty"),
        ("1 < 2", "asks for no signal and no state"),
        ("speed = 100", "cannot be read near character"),
        ("speed > 'fast'", "'fast' is a text; only state is compared with texts"),
        ("speed & force", "has no meaning here; use signals"),
        ("speed is 1", "'is' has no meaning here"),
        ("state", "state is a text, not a number"),
        ("state + 1 > 2", "state is a text, not a number"),
        ("state > 'a'", "state has no order"),
        ("state == 1", "1 is no state; write its code in quotes"),
        ("state in ()", "is no state"),
        ("speed in ()", "is empty; write the values"),
        ("True and speed", "has no meaning here"),
        ("speed > 1j", "has no meaning here"),
        ("speed ** 9 > 1", "has no meaning here"),
        ("abs(speed) > 1", "has no meaning here"),
        ("speed.real > 1", "has no meaning here"),
        ("(lambda: 1)() > speed", "has no meaning here"),
        ("[each for each in speed]", "has no meaning here"),
        ("f'{speed}' > 1", "has no meaning here"),
        ("(fast := speed) > 1", "has no meaning here"),
        ("__import__('os').system('true') == speed", "has no meaning here"),
        ("speed > 1" + "0" * 400, "too many digits"),
        ("speed > 1 " + "and speed > 1 " * LONGEST, "characters long"),
        ("not " * (DEEPEST + 1) + "speed", "goes deeper than"),
        ("(" * 400 + "speed" + ")" * 400, "cannot be read"),
    ],
)
def test_a_mistake_is_named_with_what_would_be_right(text: str, why: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        read_expression(text, SIGNALS)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


def test_it_knows_what_it_asks_for() -> None:
    read = read_expression("force > 1 or speed > 2 and force < 9 and state != 'off'", SIGNALS)

    assert read.signals == ("force", "speed")
    assert read.codes == ("off",)
    assert read.uses_state
    assert not read_expression("speed > 2", SIGNALS).uses_state


WORDS = st.sampled_from(
    [*"()[]<>=!+-*/.,:'", "speed", "force", "state", "signal", "and", "or", "not", "in", "is", "lambda", "if", "1",
     "e9", "==", "'auto'", " ", "\n", "\\", "\0", "é", "{", "}", "await", "yield", "0x", "\"", "#", ";"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(text=st.lists(WORDS, max_size=40).map(" ".join) | st.text(max_size=60))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    nothing = Given(dict.fromkeys(SIGNALS, np.array([1.0, np.nan])), np.array(["auto", ""], object))
    try:
        read = read_expression(text, SIGNALS)
    except ExpressionError:
        return
    assert read.truth(nothing).yes.shape == (2,)
