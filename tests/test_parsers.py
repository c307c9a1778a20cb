"""Whatever bytes come, a parser gives what it read or raises what it declares; ``tests.trials.fuzz`` asks longer."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.trials.parsers import PARSERS, Parser

MARKS = (
    b"",
    b"\0",
    b'"',
    b",",
    b"\n",
    b"\r",
    b"{",
    b"[",
    b"]",
    b"=",
    b" ",
    b"\\",
    b"e",
    b"-",
    b"9" * 30,
    b"\xff",
    b"\\ud800",
)
quick = settings(
    max_examples=20, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("name", PARSERS)
@quick
@given(data=st.data())
def test_bytes_that_were_altered_are_read_or_refused_as_declared(name: str, data: st.DataObject) -> None:
    parser = PARSERS[name]
    body = data.draw(st.sampled_from(parser.seeds))
    pieces = st.one_of(st.sampled_from([*MARKS, *parser.words]), st.binary(max_size=4))
    for _ in range(data.draw(st.integers(1, 4))):
        begin = data.draw(st.integers(0, len(body)))
        end = min(len(body), begin + data.draw(st.integers(0, 8)))
        body = body[:begin] + data.draw(pieces) + body[end:]

    assert parser.fault(body) is None


@pytest.mark.parametrize("name", PARSERS)
@quick
@given(body=st.one_of(st.binary(max_size=200), st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace"))))
def test_bytes_of_no_meaning_are_read_or_refused_as_declared(name: str, body: bytes) -> None:
    assert PARSERS[name].fault(body) is None


@pytest.mark.parametrize("name", PARSERS)
def test_bytes_that_are_cut_off_or_doubled_are_read_or_refused_as_declared(name: str) -> None:
    parser = PARSERS[name]

    for seed in parser.seeds:
        for end in {0, len(seed) // 3, len(seed) // 2, max(0, len(seed) - 1)}:
            assert parser.fault(seed[:end]) is None
        assert parser.fault(seed + seed) is None


def test_an_error_that_is_not_declared_is_a_fault() -> None:
    assert isinstance(Parser(lambda data: data[9], [b""]).fault(b""), IndexError)
