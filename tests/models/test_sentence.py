import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.plant import ModelEntry
from models.finding import Evidence
from models.sentence import (
    TrackRecord,
    anomaly_sentence,
    because,
    failure_sentence,
    number,
    percent,
    stranger_than,
    with_act_before,
)

VOLTAGE = Evidence(signal="voltage", unit="V", feature="24 h mean", actual=182.4, expected=170.6, share=0.7)


def entry(**target: str) -> ModelEntry:
    return ModelEntry.model_validate(
        {"name": "m", "task": "failure_risk", "class": "pump", "horizon": "24 h", "target": target}
    )


def test_the_whole_sentence_reads_as_promised() -> None:
    said = failure_sentence(entry(), "17", "component 2", 0.62, TrackRecord(7, 9), [VOLTAGE])
    at = datetime(2026, 5, 2, 1, tzinfo=UTC)

    assert with_act_before(said, at, at + timedelta(hours=3), "Europe/Berlin") == (
        "Machine 17: component 2 likely to fail within 24 h (62 %, right 7 of 9 before);"
        " voltage 24 h mean 12 V above normal; act before 06:00"
    )


def test_below_even_odds_it_may_fail_and_is_not_called_likely() -> None:
    assert "may fail within 24 h (12 %" in failure_sentence(entry(), "p", "", 0.12, None, [])


def test_other_targets_are_named_by_their_kind_and_code() -> None:
    said = failure_sentence(entry(kind="stop", code="jam"), "p", "", 0.7, None, [])

    assert said == "p: stop jam likely within 24 h (70 %, no track record yet)"


def test_a_signal_that_explains_next_to_nothing_is_left_out() -> None:
    weak = Evidence(signal="flow", unit="l/s", feature="24 h mean", actual=1, expected=0, share=0.05)

    assert "flow" not in anomaly_sentence("p", 0.99, [VOLTAGE, weak])


def test_the_date_stands_there_when_the_day_changes_in_the_plants_zone_only() -> None:
    at = datetime(2026, 5, 2, 21, 30, tzinfo=UTC)  # 23:30 in Berlin
    until = at + timedelta(hours=1)

    assert with_act_before("x", at, until, "UTC") == "x; act before 22:30"
    assert with_act_before("x", at, until, "Europe/Berlin") == "x; act before 2026-05-03 00:30"


@pytest.mark.parametrize("unit", ["V", ""])
@given(actual=st.floats(-1e6, 1e6), expected=st.floats(-1e6, 1e6))
def test_no_reason_ever_says_nan_or_a_difference_of_nothing(unit: str, actual: float, expected: float) -> None:
    said = because(Evidence(signal="s", unit=unit, feature="1 h mean", actual=actual, expected=expected, share=1))

    assert "nan" not in said
    assert " 0 V" not in said.replace("of 0 V", "")
    assert "  " not in said


@given(st.floats(1e-4, 1e9))
def test_a_written_number_is_right_to_two_digits(value: float) -> None:
    assert float(number(value)) == pytest.approx(value, rel=0.051)
    assert number(-value) == f"-{number(value)}"


@given(st.floats(0, 1))
def test_a_share_is_never_overstated(level: float) -> None:
    assert float(stranger_than(level).removesuffix(" %")) <= 100 * level + 1e-6 or level > 1 - 1e-5
    assert not math.isnan(float(percent(level).split()[-2]))
