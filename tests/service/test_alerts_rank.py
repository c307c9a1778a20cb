"""Where to look first, and why; and how often a model was right."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import RegistryError
from ingest.plant import Costs
from models.finding import Finding, FindingKind
from models.judging.interval import wilson
from service.alerts import book
from service.alerts.alert import Alert, AlertState, Verdict
from service.alerts.chance import Chance, chance
from service.alerts.rank import where_to_look_first
from service.alerts.record import track_record
from tests.ready_state import open_state

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
COSTS = Costs(missed_failure=10_000)


def card_of(model: str, version: str) -> Mapping[str, Any]:
    """Return cards of versions '7 of 9' and so on, of one that was never judged, and of none else."""
    if version == "not judged":
        return {"judged": None}
    if " of " not in version:
        raise RegistryError(f"no version {version}")
    right, alerts = map(int, version.split(" of "))
    return {"judged": {"precision": wilson(right, alerts).to_dict()}}


def an_alert(
    number: int,
    level: float,
    hours: float,
    state: AlertState = AlertState.UNACKNOWLEDGED,
    *,
    kind: FindingKind = "failure ahead",
    version: str = "1",
) -> Alert:
    return Alert(
        number=number,
        machine="m",
        cause=f"c{number}",
        kind=kind,
        model="a",
        version=version,
        state=state,
        raised_at=NOW,
        condition_begin=NOW,
        act_before=NOW + timedelta(hours=hours),
        level=level,
    )


def order(alerts: Sequence[Alert]) -> list[int]:
    return [each.alert.number for each in where_to_look_first(alerts, COSTS, NOW, card_of)]


def test_of_two_with_the_same_time_the_likelier_failure_comes_first() -> None:
    assert order([an_alert(1, 0.4, 10), an_alert(2, 0.8, 10)]) == [2, 1]


def test_of_two_with_the_same_level_the_one_with_less_time_comes_first() -> None:
    assert order([an_alert(1, 0.5, 40), an_alert(2, 0.5, 4)]) == [2, 1]


def test_what_somebody_answers_for_comes_after_what_nobody_saw() -> None:
    assert order([an_alert(1, 0.9, 2, AlertState.ACKNOWLEDGED), an_alert(2, 0.1, 90)]) == [2, 1]


def test_an_alert_whose_time_was_up_long_ago_does_not_stay_on_top() -> None:
    assert order([an_alert(1, 0.5, -200), an_alert(2, 0.5, 24), an_alert(3, 0.5, -1)]) == [3, 2, 1]
    assert "its time was up 200 h ago" in where_to_look_first([an_alert(1, 0.5, -200)], COSTS, NOW, card_of)[0].why


def test_a_tie_is_explained() -> None:
    ranked = where_to_look_first([an_alert(2, 0.5, 5), an_alert(1, 0.5, 5)], COSTS, NOW, card_of)
    assert ranked[0].why == "5,000 at stake (50 % of 10,000), 5 h left"
    assert ranked[1].why.endswith("; as urgent as alert 1, which was raised first")


def test_an_anomaly_of_a_weak_model_stands_below_a_failure_that_is_likely_however_strange_it_looks() -> None:
    weak = an_alert(1, 0.999, 10, kind="anomaly", version="1 of 9")
    assert order([weak, an_alert(2, 0.3, 10)]) == [2, 1]


def test_an_anomaly_is_worth_what_its_backtest_is_sure_of() -> None:
    (ranked,) = where_to_look_first([an_alert(1, 0.999, 5, kind="anomaly", version="7 of 9")], COSTS, NOW, card_of)
    assert ranked.chance.share == wilson(7, 9).low
    assert ranked.severity == wilson(7, 9).low * 10_000
    assert ranked.why == (
        "4,526 at stake (45 % of 10,000: at least that share of its alerts was right in the backtest), 5 h left"
    )


def test_what_one_signal_says_alone_is_worth_what_its_model_is() -> None:
    def card(model: str, version: str) -> Mapping[str, Any]:
        return {**card_of(model, version), "task": "failure_risk" if model == "a" else "anomaly"}

    either = an_alert(1, 0.7, 5, kind="sensor or machine", version="7 of 9")
    assert chance(either, card) == Chance(0.7)
    strange = chance(replace(either, model="b"), card)
    assert strange.share == wilson(7, 9).low
    assert chance(replace(either, version="gone"), card).share is None


@pytest.mark.parametrize("version", ["not judged", "0 of 0", "gone"])
def test_what_nobody_measured_stands_below_what_was_measured_and_says_so(version: str) -> None:
    unknown = an_alert(1, 0.999, 2, kind="anomaly", version=version)
    hopeless = an_alert(2, 0.999, 90, kind="anomaly", version="0 of 9")
    ranked = where_to_look_first([unknown, hopeless, an_alert(3, 0.01, 90)], COSTS, NOW, card_of)
    assert [each.alert.number for each in ranked] == [3, 2, 1]
    assert (ranked[-1].severity, ranked[-1].per_hour) == (None, None)
    assert ranked[-1].why.startswith("money at stake not known (")
    assert ranked[-1].why.endswith("), 2 h left")


def test_of_what_nobody_measured_the_one_with_less_time_comes_first() -> None:
    assert order([an_alert(each, 0.9, 50 - each, kind="anomaly") for each in range(3)]) == [2, 1, 0]


def test_nothing_open_gives_nothing() -> None:
    assert where_to_look_first([], COSTS, NOW, card_of) == []


@given(
    st.lists(
        st.tuples(
            st.floats(0, 1),
            st.floats(-500, 500),
            st.sampled_from(AlertState),
            st.sampled_from(["failure ahead", "anomaly"]),
            st.sampled_from(["7 of 9", "gone"]),
        ),
        max_size=8,
    ),
    st.randoms(),
)
def test_the_order_does_not_depend_on_the_order_of_asking(
    seeds: list[tuple[float, float, AlertState, FindingKind, str]], random: "object"
) -> None:
    alerts = [
        an_alert(number, level, hours, state, kind=kind, version=version)
        for number, (level, hours, state, kind, version) in enumerate(seeds)
    ]
    shuffled = list(alerts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert order(shuffled) == order(alerts)
    assert sorted(order(alerts)) == list(range(len(alerts)))


def test_a_track_record_counts_verdicts_but_never_what_was_not_inspected(tmp_path: Path) -> None:
    state = open_state(tmp_path / "state.db")
    with state.write() as connection:
        for place, verdict in enumerate([*Verdict, Verdict.RIGHT, None]):
            finding = Finding(
                machine="m",
                kind="anomaly",
                cause=f"c{place}",
                model="a",
                version="1",
                begin=NOW,
                end=None,
                level=0.5,
                act_before=NOW,
            )
            number = book.raise_alert(connection, finding, at=NOW)[0].number
            if verdict is not None:
                book.close(connection, number, verdict=verdict, by="eva", at=NOW)
        record = track_record(connection, "a", {"judged": {"track_record": {"right": 7, "alerts": 9}}})
        assert track_record(connection, "b", {}).sentence == "no verdict yet"
    assert (record.right, record.judged, record.share.value) == (3, 4, 0.75)
    assert record.sentence == "right 3 of 4 by verdict, 75 % [30–95 %]; 7 of 9 in its backtest, 78 % [45–94 %]"
    state.close()
