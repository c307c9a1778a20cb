from datetime import UTC, datetime

import numpy as np
import pytest

from features.table import FeatureTable
from models.detectors.principal_components import PrincipalComponents
from models.moment import instant

SIGNALS = ("pressure", "power", "cycle_time")
NOISE = ("standard_deviation", "skewness", "kurtosis", "slope")
NAMES = (
    *(f"{signal}__mean__24h" for signal in SIGNALS),
    *(f"{signal}__{feature}__{window}" for signal in SIGNALS for feature in NOISE for window in ("24h", "7d")),
)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def driven(rows: int, *, leak: float = 0.0, seed: int = 0) -> FeatureTable:
    """Return windows of a machine whose duty moves the levels by ten times what each does by itself."""
    random = np.random.default_rng(seed)
    duty = 10 * random.standard_normal((rows, 1))
    values = random.standard_normal((rows, len(NAMES)))
    values[:, :3] += 200 + duty * np.array([1.0, 2.0, -1.0])
    values[:, 0] -= leak
    times = instant(BEGIN) + np.arange(rows) * np.timedelta64(4 * 3600, "s").astype("timedelta64[us]")
    return FeatureTable(np.full(rows, "press-1"), times, NAMES, values, np.ones(rows))


@pytest.fixture(scope="module")
def learnt() -> PrincipalComponents:
    return PrincipalComponents().fit(driven(2_000))


def test_a_leak_that_the_duty_hides_is_seen_against_the_other_signals(learnt: PrincipalComponents) -> None:
    usual, leaking = (learnt.score(driven(500, leak=leak, seed=1)) for leak in (0.0, 6.0))

    assert (leaking > np.quantile(usual, 0.99)).mean() > 0.9
    parts = learnt.contributions(driven(500, leak=6.0, seed=1))
    assert (parts.argmax(axis=1) == 0).mean() > 0.9


def test_nothing_is_expected_of_a_signal_while_another_is_not_known(learnt: PrincipalComponents) -> None:
    table = driven(500, seed=1)
    table.values[:, 1] = np.nan

    assert np.quantile(learnt.score(table), 0.9) < np.quantile(learnt.score(driven(500, seed=1)), 0.99)


def slowly_warming(days: int, *, warmer: float = 0.0) -> FeatureTable:
    """Return daily windows whose mean over three weeks hardly moved while it was learnt from."""
    random = np.random.default_rng(3)
    names = ("heat__mean__24h", "heat__mean__21d", "power__mean__24h", "power__mean__21d")
    values = random.standard_normal((days, 4)) * np.array([1.0, 0.1, 1.0, 0.1]) + 40
    values[:, :2] += warmer
    times = instant(BEGIN) + np.arange(days) * np.timedelta64(24 * 3600, "s").astype("timedelta64[us]")
    return FeatureTable(np.full(days, "press-1"), times, names, values, np.ones(days))


def test_how_far_three_weeks_stray_is_not_learnt_from_three_months() -> None:
    short, long = (PrincipalComponents().fit(slowly_warming(days)) for days in (90, 900))

    assert np.median(long.score(slowly_warming(90, warmer=1.0))) > 2 * np.median(
        short.score(slowly_warming(90, warmer=1.0))
    )
    assert np.isfinite(short.score(slowly_warming(90))).all()


def test_two_sensors_that_always_agreed_may_differ_by_a_little() -> None:
    table, later = driven(20_000, seed=0), driven(2_000, seed=1)
    for each, off in ((table, 0.0), (later, 1.0)):
        each.values[:, 1] = (2 * each.values[:, 0] + off).round(2)
    learnt = PrincipalComponents().fit(table)

    assert np.median(learnt.score(later)) < np.quantile(learnt.score(table), 0.98)
