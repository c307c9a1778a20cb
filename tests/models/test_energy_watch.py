"""Losses and faults of a meter: found, named, priced; and hardly anything on clean meters."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from features.microsecond import EPOCH, MICROSECOND, moment
from models.efficiency.energy.base_load import base_load, drift
from models.efficiency.energy.baseline import EnergyBaseline, fit_energy_baseline
from models.efficiency.energy.figures import energy_figures
from models.efficiency.energy.periods import EnergyPeriods
from models.efficiency.energy.price import Price
from models.efficiency.energy.saving import savings
from models.efficiency.energy.watch import Watched, watch
from tests.models.meter_years import BASE, MeterYear, air_leak, heavy_pieces, idle_heating, meter_year

DAYS, LEARNT = 240, 180
AT = 200 * 24 + 13
PRICE = Price(0.2, 0.4)


@pytest.fixture(scope="module")
def year() -> MeterYear:
    return meter_year(np.random.default_rng(11), days=DAYS, noise=0.03)


@pytest.fixture(scope="module")
def baseline(year: MeterYear) -> EnergyBaseline:
    periods = year.periods()
    return fit_energy_baseline(periods.where(np.arange(len(periods)) < LEARNT * 24))


def later(year: MeterYear, power: NDArray[np.float64] | None = None, until: int = DAYS * 24) -> EnergyPeriods:
    periods = year.periods(power)
    place = np.arange(len(periods))
    return periods.where((place >= LEARNT * 24) & (place < until))


def watched(baseline: EnergyBaseline, periods: EnergyPeriods) -> Watched:
    return watch(baseline, periods, PRICE, machine="line-a", meter="electricity", signal="power")


def test_a_clean_meter_raises_nothing(year: MeterYear, baseline: EnergyBaseline) -> None:
    found = watched(baseline, later(year))

    assert found.losses == ()
    assert found.doubts == ()


def test_heating_left_on_at_night_is_found_and_priced(year: MeterYear, baseline: EnergyBaseline) -> None:
    extra = idle_heating(year, AT)

    (loss,) = watched(baseline, later(year, year.power + extra, AT + 14 * 24)).losses

    assert loss.cause == "idle load"
    assert loss.sure
    assert loss.until is None
    assert moment(loss.earliest) <= moment(loss.since) <= moment(loss.latest)
    begin = EPOCH + int(year.periods().begin[AT]) * MICROSECOND
    assert abs(loss.since - begin) < timedelta(hours=24)
    assert loss.seen - begin < timedelta(hours=36)
    true = float(extra[: AT + 14 * 24].sum())
    assert loss.kwh == pytest.approx(true, rel=0.1)
    assert loss.money == pytest.approx(0.2 * loss.kwh)
    assert loss.co2e_kg == pytest.approx(0.4 * loss.kwh)
    assert loss.actual_kw - loss.expected_kw == pytest.approx(15, rel=0.1)


def test_a_leak_is_found_at_all_hours(year: MeterYear, baseline: EnergyBaseline) -> None:
    extra = air_leak(year, AT, share=0.12)

    (loss,) = watched(baseline, later(year, year.power + extra)).losses

    assert loss.cause == "base load"
    assert loss.money_per_hour == pytest.approx(0.2 * 0.12 * BASE, rel=0.2)


def test_pieces_that_need_more_are_found(year: MeterYear, baseline: EnergyBaseline) -> None:
    (loss,) = watched(baseline, later(year, year.power + heavy_pieces(year, AT, 0.15))).losses

    assert loss.cause in ("energy per piece", "running load")


def test_a_loss_that_is_over_has_an_end(year: MeterYear, baseline: EnergyBaseline) -> None:
    extra = idle_heating(year, AT)
    extra[AT + 15 * 24 :] = 0

    (loss,) = watched(baseline, later(year, year.power + extra)).losses

    end = EPOCH + int(year.periods().begin[AT + 15 * 24]) * MICROSECOND
    assert loss.until is not None
    assert abs(loss.until - end) < timedelta(days=2)


@pytest.mark.parametrize(("kind", "factor"), [("stuck", 0.0), ("silent", 0.0), ("scaled", 1.6), ("scaled", 0.1)])
def test_a_fault_of_the_meter_is_no_loss(year: MeterYear, baseline: EnergyBaseline, kind: str, factor: float) -> None:
    power = year.power.copy()
    power[AT:] = {"stuck": power[AT], "silent": 0.0}.get(kind, factor * power[AT:])

    found = watched(baseline, later(year, power))

    assert [each.kind for each in found.doubts] == [kind]
    assert found.losses == ()
    assert found.doubts[0].until is None
    if kind == "scaled":
        assert found.doubts[0].factor == pytest.approx(factor, rel=0.05)


def test_a_reset_of_the_counter_is_told_and_costs_nothing(year: MeterYear, baseline: EnergyBaseline) -> None:
    power = year.power.copy()
    power[AT] = np.nan
    periods = later(year, power)
    end = year.periods().end[AT]

    found = watched(baseline, replace(periods, resets=np.array([end])))

    assert [(each.kind, moment(each.since)) for each in found.doubts] == [("reset", end)]
    assert found.losses == ()


def test_what_was_found_does_not_change_with_what_comes_later(year: MeterYear, baseline: EnergyBaseline) -> None:
    power = year.power + idle_heating(year, AT)
    power[AT + 20 * 24 :] *= 3

    early, late = (watched(baseline, later(year, power, until)).losses[0] for until in (AT + 15 * 24, DAYS * 24))

    assert (early.since, early.earliest, early.latest, early.seen) == (
        late.since,
        late.earliest,
        late.latest,
        late.seen,
    )


def test_the_findings_say_it_in_numbers(year: MeterYear, baseline: EnergyBaseline) -> None:
    (loss,) = watched(baseline, later(year, year.power + idle_heating(year, AT), AT + 14 * 24)).losses

    finding = loss.finding(year.periods().zone)

    assert finding.kind == "energy loss"
    assert finding.machine == "line-a"
    assert finding.cause == "electricity: idle load"
    assert finding.begin == loss.seen
    assert finding.money_per_hour == loss.money_per_hour
    assert finding.evidence[0].actual == loss.actual_kw
    for part in ("line-a: electricity takes", "kW in place of", "while nothing is made", "kWh", "EUR an hour", "CO2e"):
        assert part in finding.sentence, part


def test_without_a_price_no_money_is_told(year: MeterYear, baseline: EnergyBaseline) -> None:
    (loss,) = watch(baseline, later(year, year.power + idle_heating(year, AT)), Price()).losses

    assert (loss.money, loss.money_per_hour, loss.co2e_kg) == (None, None, None)
    assert "EUR" not in loss.sentence(year.periods().zone)


def test_the_running_sum_turns_on_the_day(year: MeterYear, baseline: EnergyBaseline) -> None:
    extra = np.where(np.arange(len(year.power)) >= AT, 8.0, 0.0)
    periods = later(year, year.power + extra)

    found = savings(baseline, periods)

    (turn,) = found.turns
    day = year.periods().local[AT].date()
    assert turn.earliest <= day + timedelta(days=1)
    assert turn.latest >= day
    assert turn.after == pytest.approx(-24 * 8.0, rel=0.25)
    assert found.cusum[-1] == pytest.approx(found.kwh)


def test_the_base_load_drifts_only_where_it_does(year: MeterYear) -> None:
    first = 150 * 24  # summer, where no heating moves it
    leak = np.where(np.arange(len(year.power)) >= first, np.arange(len(year.power)) - first, 0) * 10 / (60 * 24)
    keep = (np.arange(len(year.power)) >= first) & (np.arange(len(year.power)) < first + 60 * 24)

    tight = drift(base_load(year.periods().where(keep)), np.random.default_rng(1))
    leaky = drift(base_load(year.periods(year.power + leak).where(keep)), np.random.default_rng(1))

    assert tight is not None
    assert leaky is not None
    assert tight.low < 0 < tight.high
    assert leaky.rises
    assert leaky.low <= 10 * 365.25 / 12 / 60 <= leaky.high + 1


def test_figures_as_worked_by_hand(year: MeterYear) -> None:
    day = year.periods().where(np.arange(DAYS * 24) < 24)

    figures = energy_figures(day, PRICE)

    assert figures.kwh == pytest.approx(year.power[:24].sum())
    assert figures.money == pytest.approx(0.2 * figures.kwh)
    assert figures.idle_kwh == pytest.approx(year.power[:24][year.idle[:24]].sum())
    assert figures.standby_kw == pytest.approx(np.median(year.power[:24][year.idle[:24]]))
    assert figures.kwh_a_piece == pytest.approx(year.power[:24].sum() / year.pieces[:24].sum())
    assert figures.peak_kw == year.power[:24].max()
    assert figures.known == 1.0
