"""One meter reviewed through the plant file: what a round or a notebook calls."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from ingest.errors import NotEnoughDataError
from ingest.event import Event
from ingest.plant import Plant
from models.efficiency.energy.review import EnergyReview, review_energy
from tests.features.table_history import TableHistory
from tests.models.meter_years import BEGIN, idle_heating, meter_year

DAYS, LEARNT, AT = 130, 90, 100 * 24


def plant(**meter: object) -> Plant:
    own = {
        "name": "electricity",
        "machine": "line-a",
        "signal": "power",
        "reads": "power",
        "drivers": [{"signal": "pieces", "reads": "sum"}, {"signal": "ambient", "machine": "roof"}],
        "production": "pieces",
        "calendar": False,
        "baseline": f"{LEARNT} d",
    }
    line = [{"name": name, "unit": unit, "every": "1 h"} for name, unit in
            (("power", "kW"), ("counter", "Wh"), ("pieces", "count"))]  # fmt: skip
    return Plant.model_validate(
        {
            "time_zone": "Europe/Berlin",
            "classes": [
                {"name": "line", "signals": line},
                {"name": "station", "signals": [{"name": "ambient", "unit": "degC", "every": "1 h"}]},
            ],
            "machines": [{"name": "line-a", "class": "line"}, {"name": "roof", "class": "station"}],
            "costs": {"energy_per_kwh": 0.2, "co2e_per_kwh": 0.4},
            "meters": [own | meter],
        }
    )


def history(events: Sequence[Event] = (), *, loss: bool = True) -> TableHistory:
    """A line whose heating stays on at night after a hundred days; each reading is of the hour before it."""
    year = meter_year(np.random.default_rng(21), days=DAYS, noise=0.03)
    power = year.power + (idle_heating(year, AT) if loss else 0.0)
    times = year.index + pd.Timedelta(hours=1)
    line = pd.DataFrame(
        {
            "machine": "line-a", "time": times, "power": power, "counter": 1000 * np.cumsum(power),
            "pieces": year.pieces, "ambient": np.nan,
        }
    )  # fmt: skip
    first = pd.DataFrame(
        {"machine": ["line-a"], "time": [year.index[0]], "power": [1.0], "counter": [0.0], "pieces": 0.0}
    )
    roof = pd.DataFrame({"machine": "roof", "time": times, "ambient": year.ambient})
    return TableHistory(pd.concat([first, line, roof], ignore_index=True), events)


END = BEGIN + timedelta(days=DAYS)


def reviewed(events: Sequence[Event] = (), *, end: datetime = END, loss: bool = True, **meter: object) -> EnergyReview:
    own = plant(**meter)
    return review_energy(own, own.meters[0], "line-a", history(events, loss=loss), end)


def test_a_review_tells_losses_figures_and_savings() -> None:
    review = reviewed()

    assert review.reason == ""
    assert review.baseline is not None
    assert review.baseline.validity.valid
    assert [each.cause for each in review.losses] == ["idle load"]
    assert review.savings is not None
    assert review.savings.kwh < 0
    assert review.figures.kwh_a_piece is not None
    (finding,) = review.findings()
    assert finding.kind == "energy loss"
    assert finding.sentence.startswith("line-a: electricity takes")


def test_a_counter_in_wh_tells_the_same_as_a_power_in_kw() -> None:
    by_power, by_counter = reviewed(), reviewed(signal="counter", reads="counter")

    assert by_counter.baseline is not None
    assert by_power.baseline is not None
    assert by_counter.baseline.validity.r2 == pytest.approx(by_power.baseline.validity.r2, abs=1e-6)
    assert [each.since for each in by_counter.losses] == [each.since for each in by_power.losses]
    assert by_counter.losses[0].kwh == pytest.approx(by_power.losses[0].kwh, rel=1e-6)


def test_nothing_is_told_while_the_baseline_period_lasts() -> None:
    review = reviewed(end=BEGIN + timedelta(days=60))

    assert review.reason == "the baseline period lasts until 2025-04-06 01:00"
    assert review.findings() == ()
    assert review.figures.kwh > 0


def test_a_baseline_that_is_not_valid_gives_no_finding_and_the_reason() -> None:
    review = reviewed(drivers=[{"signal": "ambient", "machine": "roof"}], production="")

    assert "of the variance (R²), 75% are needed" in review.reason
    assert review.findings() == ()


def test_only_a_recorded_change_of_a_static_factor_begins_a_new_baseline() -> None:
    told = Event(machine="line-a", kind="maintenance", time=BEGIN + timedelta(days=30), code="new furnace")
    other = Event(machine="line-a", kind="maintenance", time=BEGIN + timedelta(days=35), code="oil")

    kept = reviewed([other], static_factors=["new furnace"])
    anew = reviewed([told, other], static_factors=["new furnace"])

    assert kept.begin == BEGIN
    assert anew.begin == BEGIN + timedelta(days=30)


def test_a_loss_begins_no_new_baseline() -> None:
    assert reviewed(static_factors=["new furnace"]).begin == BEGIN


def test_an_empty_history_is_said() -> None:
    own = plant()

    with pytest.raises(NotEnoughDataError, match="nothing was read of 'line-a' until 2020-01-01 00:00 UTC"):
        review_energy(own, own.meters[0], "line-a", history(), datetime(2020, 1, 1, tzinfo=UTC))


def test_a_review_of_then_knows_nothing_of_now() -> None:
    end = BEGIN + timedelta(days=110)
    then = reviewed(end=end)

    own, now = plant(), history()
    until = TableHistory(now.readings[now.readings["time"] <= end])
    assert then.losses == review_energy(own, own.meters[0], "line-a", until, end).losses
    assert then.losses
