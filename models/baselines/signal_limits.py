"""Signal limits: an alert when the mean of any signal leaves the limits that people declared for it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from features.column import signal_of
from features.table import FeatureTable
from models.assessment import Assessments, Reason
from models.baselines.means import shortest_means
from models.baselines.rule import Seen

MEANS = ("mean", "velocity_rms")
"""What limits and zones are set on: the mean, and of a waveform the RMS of the velocity."""


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


def choose_signal_limits(seen: Seen) -> SignalLimits | None:
    """Return the declared limits of the signals that have a mean in the table; ``None`` where there are none."""
    columns = [seen.table.names[column] for column in shortest_means(seen.table.names, MEANS)]
    limits = {name: seen.declared[signal_of(name)] for name in columns if signal_of(name) in seen.declared}
    return SignalLimits(limits, seen.provenance) if limits else None
