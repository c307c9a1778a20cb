"""The physical values of a machine: nominal point, regime, surroundings, damage, inertia, noise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from ingest.simulation.degradation import Degradation
from ingest.simulation.kind import SignalPhysics
from ingest.simulation.operation import Conditions
from ingest.simulation.scenario import Scenario, SimulatedMachine

_DIFFERENCE = 1.5
_SLOW_SHARE, _SLOW_HOURS = 0.6, 120.0
_RESTING_NOISE = 0.15
_REFERENCE_AMBIENT = 20.0


@dataclass(slots=True)
class _Filter:
    """A first-order filter that remembers where it was between two days."""

    keep: float
    gain: float
    state: float | None = None

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.keep == 0.0:
            return self.gain * values
        before = values[0] * self.gain / (1 - self.keep) if self.state is None else self.state
        out, _ = lfilter([self.gain], [1.0, -self.keep], values, zi=[self.keep * before])
        self.state = float(out[-1])
        return out


def _noise(every_hours: float, hours: float) -> _Filter:
    keep = float(np.exp(-every_hours / hours))
    return _Filter(keep, float(np.sqrt(1 - keep**2)), 0.0)


class SignalModel:
    """The signals of one machine, day by day; call ``day`` for every day in turn."""

    def __init__(self, scenario: Scenario, machine: SimulatedMachine) -> None:
        self._signals = machine.kind.signals
        self._chance = scenario.randomness(machine.name, "noise")
        self._offset = _DIFFERENCE * self._chance.standard_normal(len(self._signals))
        step = scenario.every.total_seconds() / 3600
        lags = [float(np.exp(-step / each.lag_hours)) if each.lag_hours else 0.0 for each in self._signals]
        self._lag = [_Filter(keep, 1 - keep) for keep in lags]
        self._fast = [_noise(step, each.correlation_hours) for each in self._signals]
        self._slow = [_noise(step, _SLOW_HOURS) for each in self._signals]

    def day(self, now: Conditions, degradations: Sequence[Degradation]) -> NDArray[np.float64]:
        """Return the true values at the sampling moments, within what the sensors can give.

        Returns
        -------
        array of shape (n_times, n_signals), rounded to the resolution of each sensor
        """
        white = self._chance.standard_normal((2, len(now.times), len(self._signals)))
        shift, scatter = self._damage(now, degradations)
        values = np.empty((len(now.times), len(self._signals)))
        for column, physics in enumerate(self._signals):
            steady = self._steady(physics, self._offset[column], now)
            steady = self._lag[column](steady + shift[:, column] * now.running)
            fast = self._fast[column](white[0, :, column])
            slow = self._slow[column](white[1, :, column])
            alive = np.where(now.running > 0, 1 + scatter[:, column], _RESTING_NOISE)
            noisy = steady + physics.noise * alive * (fast + _SLOW_SHARE * slow)
            values[:, column] = np.clip(noisy, physics.low, physics.high)
        return rounded(values, self._signals)

    def _damage(
        self, now: Conditions, degradations: Sequence[Degradation]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        column = {physics.name: position for position, physics in enumerate(self._signals)}
        shift, scatter = np.zeros((2, len(now.times), len(self._signals)))
        for each in degradations:
            if not each.fate.mode.sudden:
                damage = each.damage(now.times)
                for effect in each.fate.mode.effects:
                    shift[:, column[effect.signal]] += effect.shift * damage
                    scatter[:, column[effect.signal]] += effect.scatter * damage
        return shift, scatter

    @staticmethod
    def _steady(physics: SignalPhysics, offset: float, now: Conditions) -> NDArray[np.float64]:
        warmer = now.ambient - _REFERENCE_AMBIENT
        working = (
            physics.base
            + physics.noise * offset
            + physics.load_gain * (now.load - 1)
            + physics.speed_gain * (now.speed - 1)
            + physics.ambient_gain * warmer
        )
        resting = now.ambient if physics.off is None else physics.off + physics.ambient_gain * warmer
        return np.where(now.running > 0, working, resting)


def rounded(values: NDArray[np.float64], signals: Sequence[SignalPhysics]) -> NDArray[np.float64]:
    """Return values of shape (n, n_signals) as the sensors show them: in whole steps of their resolution."""
    steps = np.array([each.resolution for each in signals])
    return np.round(np.round(values / steps) * steps, 6)
