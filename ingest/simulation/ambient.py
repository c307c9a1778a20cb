"""The temperature around the machines: season, day and night, and weather that all of them share."""

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ingest.simulation.scenario import Scenario

_MEAN, _SEASON, _DAILY, _WEATHER = 21.0, 6.0, 2.5, 2.5
_MEMORY = 0.7
_HOTTEST_DAY, _HOTTEST_HOUR = 200, 15
_YEAR, _DAY = 365.2425 * 86400, 86400


def weather(scenario: Scenario) -> Iterator[tuple[float, float]]:
    """Yield for each local day how much warmer than usual its begin and its end are, in degrees."""
    chance = scenario.randomness("weather")

    def changes() -> Iterator[float]:
        now = float(chance.standard_normal())
        while True:
            yield _WEATHER * now
            now = _MEMORY * now + math.sqrt(1 - _MEMORY**2) * float(chance.standard_normal())

    return pairwise(changes())


def ambient_temperature(
    times: NDArray[np.int64], begin: int, end: int, warmer: tuple[float, float]
) -> NDArray[np.float64]:
    """Return the temperature in the hall over one local day.

    Parameters
    ----------
    times : array of shape (n,), seconds since 1970 UTC
    begin, end : of the local day
    warmer : what ``weather`` says of the day

    Returns
    -------
    array of shape (n,), degC
    """
    into_year = (times % _YEAR) / _DAY
    season = _SEASON * np.cos(2 * np.pi * (into_year - _HOTTEST_DAY) / 365.2425)
    daily = _DAILY * np.cos(2 * np.pi * ((times - begin) / _DAY - _HOTTEST_HOUR / 24))
    return _MEAN + season + daily + np.interp(times, (begin, end), warmer)
