import numpy as np
import pandas as pd
import pytest

from ingest.plant import Costs
from models.judging.evaluate import AlertVerdict, EventVerdict, JudgedAlert, JudgedEvent, Verdict
from models.judging.money import MACHINES_TO_DRAW, Charge, Money, charges_of, cost, counted_events

COSTS = Costs(missed_failure=10_000, planned_stop=2_000, false_alarm=500)
ZERO = np.datetime64("2026-01-01", "us")
HOUR = np.timedelta64(1, "h")


def event(machine: str, hour: int, verdict: EventVerdict) -> JudgedEvent:
    return JudgedEvent(machine, ZERO + hour * HOUR, ZERO + hour * HOUR, verdict)


def alert(machine: str, hour: int, verdict: AlertVerdict) -> JudgedAlert:
    return JudgedAlert(machine, ZERO + hour * HOUR, None, verdict)


VERDICT = Verdict(
    alerts=(alert("a", 5, AlertVerdict.RIGHT), alert("a", 50, AlertVerdict.FALSE), alert("b", 1, AlertVerdict.OPEN)),
    events=(
        event("a", 10, EventVerdict.FOUND),
        event("a", 90, EventVerdict.LATE),
        event("b", 20, EventVerdict.MISSED),
        event("b", 30, EventVerdict.NOT_JUDGED),
    ),
    machine_weeks=3.0,
)


def test_charges_add_up_to_the_cost_of_the_counts() -> None:
    charges = charges_of(VERDICT, COSTS, counted_events(VERDICT))

    assert sum(each.amount for each in charges) == cost(COSTS, found=1, missed=2, false=1)


def test_events_that_the_model_could_not_be_judged_by_cost_nothing_under_any_way() -> None:
    other = Verdict((), (event("b", 30, EventVerdict.FOUND),), 1.0)

    charges = charges_of(other, COSTS, counted_events(VERDICT))

    assert [each.amount for each in charges] == [10_000.0] * 3


def test_few_machines_are_split_into_lives_and_many_are_not() -> None:
    counted = counted_events(VERDICT)
    charges = charges_of(VERDICT, COSTS, counted)

    few = Money.of({"model": charges}, ["a", "b"], counted)
    many = Money.of({"model": charges}, ["a", "b", *map(str, range(MACHINES_TO_DRAW))], counted)

    assert few.spent["model"] is not None
    # a: up to 10, up to 90, after it; b: up to 20, after it
    assert few.spent["model"].tolist() == [2_000, 10_500, 0, 10_000, 0]
    assert many.spent["model"] is not None
    assert sorted(many.spent["model"].tolist(), reverse=True)[:3] == [12_500, 10_000, 0]
    assert few.model == many.model


def test_a_saving_is_drawn_in_pairs_so_that_what_both_ways_share_is_no_doubt() -> None:
    machines = [str(each) for each in range(20)]
    dear = [Charge(name, ZERO, 1_000.0 * place) for place, name in enumerate(machines)]
    cheap = [Charge(name, ZERO, 1_000.0 * place - 300) for place, name in enumerate(machines)]
    nothing = pd.DataFrame({"machine": [], "begin": pd.to_datetime([], utc=True)})

    saved = Money.of({"model": cheap, "do_nothing": dear}, machines, nothing).saved_against("do_nothing")

    assert saved is not None
    assert (saved.value, saved.low, saved.high) == pytest.approx((6_000.0, 6_000.0, 6_000.0))


def test_a_way_that_cannot_be_said_has_no_amount_and_no_saving() -> None:
    money = Money.of({"model": [], "do_nothing": [], "fixed_limit": None}, ["a"], counted_events(VERDICT)[:0])

    assert money.to_dict()["fixed_limit"] is None
    assert money.savings()["fixed_limit"] is None
    assert money.best_baseline == 0.0


def test_the_saving_is_told_as_a_share_of_what_one_would_save_who_knew_all() -> None:
    counted = counted_events(VERDICT)
    nothing = Verdict((), (), 0.0)
    money = Money.of(
        {"model": charges_of(VERDICT, COSTS, counted), "do_nothing": charges_of(nothing, COSTS, counted)},
        ["a", "b"],
        counted,
        best_possible=3 * 2_000.0,
    )

    assert money.share_of_possible == pytest.approx((30_000 - 22_500) / (30_000 - 6_000))
