"""Signal limits: an alert when the mean of any signal leaves the limits that people declared for it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from features.column import SEPARATOR, signal_of
from features.table import FeatureTable
from ingest.duration import format_duration, parse_duration
from models.assessment import Assessments, Reason
from models.baselines.means import shortest_means
from models.baselines.rule import Seen

MEANS = ("mean", "velocity_rms")
"""What limits and zones are set on: the mean, and of a waveform the RMS of the velocity."""


@dataclass(frozen=True, slots=True)
class Beyond:
    """A signal that is beyond its limit.

    Attributes
    ----------
    value, limit : in the signal's unit
    side : ``below`` or ``above``
    window : length of the window of the mean, in words
    """

    signal: str
    value: float
    limit: float
    side: str
    window: str
    provenance: str


@dataclass(frozen=True, slots=True)
class SignalLimits:
    """Limits by column of the feature table: lowest and highest value of good running."""

    limits: Mapping[str, tuple[float, float]]
    provenance: Mapping[str, str]

    def describe(self) -> str:
        """Return the rule in words."""
        return ", ".join(self._one(name, low, high) for name, (low, high) in self.limits.items())

    def _one(self, name: str, low: float, high: float) -> str:
        signal = signal_of(name)
        sides = [f"below {low:g}"] * bool(np.isfinite(low)) + [f"above {high:g}"] * bool(np.isfinite(high))
        source = self.provenance.get(signal, "")
        return f"{signal} {' or '.join(sides)}{f' ({source})' if source else ''}"

    def assess(self, table: FeatureTable) -> Assessments:
        """Return assessments whose level is how far the worst signal is beyond its limit, in its own unit."""
        beyond = np.full((len(table), len(self.limits)), np.nan)
        for place, (name, (low, high)) in enumerate(self.limits.items()):
            values = table.values[:, table.names.index(name)]
            beyond[:, place] = np.maximum(low - values, values - high)
        known = ~np.isnan(beyond).all(axis=1)
        level = np.where(known, np.max(np.where(np.isnan(beyond), -np.inf, beyond), axis=1, initial=-np.inf), np.nan)
        reason = np.where(known, Reason.OK.value, Reason.TOO_LITTLE.value).astype(object)
        least = float(np.nextafter(0.0, 1.0))
        return Assessments("signal limits", "", table.machine, table.time, level, reason, least)

    def worst(self, row: FeatureTable) -> Beyond:
        """Return which signal of a row is farthest beyond its limit, as a share of the limit."""
        found = []
        for name, (low, high) in self.limits.items():
            value = float(row.values[0, row.names.index(name)])
            for side, limit, away in (("below", low, low - value), ("above", high, value - high)):
                if np.isfinite(away) and away > 0:
                    signal = signal_of(name)
                    window = format_duration(parse_duration(name.rsplit(SEPARATOR, 1)[1]))
                    beyond = Beyond(signal, value, limit, side, window, self.provenance.get(signal, ""))
                    found.append((away / max(abs(limit), 1e-12), beyond))
        return max(found, key=lambda each: each[0])[1]


def limits_on(
    names: tuple[str, ...], declared: Mapping[str, tuple[float, float]], provenance: Mapping[str, str]
) -> SignalLimits | None:
    """Return the declared limits of the signals that have a mean in a table; ``None`` where there are none."""
    columns = [names[column] for column in shortest_means(names, MEANS)]
    limits = {name: declared[signal_of(name)] for name in columns if signal_of(name) in declared}
    return SignalLimits(limits, provenance) if limits else None


def choose_signal_limits(seen: Seen) -> SignalLimits | None:
    """Return the declared limits of the signals that have a mean in the table; ``None`` where there are none."""
    return limits_on(seen.table.names, seen.declared, seen.provenance)
