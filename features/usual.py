"""What a recipe takes where the model's entry in the plant file names nothing else."""

from features.tenths import TENTHS

SIGNAL_FEATURES = (
    "mean",
    "standard_deviation",
    "minimum",
    "maximum",
    "skewness",
    "kurtosis",
    "crest_factor",
    "slope",
    "last",
    "mean_change",
)
"""What a recipe takes of every signal unless the model's entry names others.

The rest of the catalogue looks at samples one by one, which takes many times as long as all of these
together, or is a function of what is here.
"""

CYCLE_FEATURES = (
    "mean",
    "standard_deviation",
    "minimum",
    "maximum",
    "skewness",
    "kurtosis",
    "slope",
    *(f"tenth_{number}" for number in range(1, TENTHS + 1)),
    *(f"tenth_{number}_deviation" for number in range(1, TENTHS + 1)),
)
"""What a model of conditions takes of every signal that is read several times in each piece or cycle."""

PIECE_FEATURES = ("last", "mean_change")
"""And where it is read once, such as the settings of one shot: its reading, and how far that is from the pieces before
where the model names a longer window, too."""

WAVEFORM_FEATURES = (
    "snapshot_rms",
    "snapshot_crest_factor",
    "snapshot_kurtosis",
    "velocity_rms",
    "velocity_rms_last",
    "spectral_centroid",
    "octave_rms",
    "band_rms",
    "harmonic_rms",
    "envelope_kurtosis",
    "bearing_evidence",
    "bearing_evidence_last",
)
"""What a recipe takes of every waveform unless the model's entry names others."""

BASELINE_FEATURES = ("mean_shift", "spread_ratio")
USAGE_FEATURES = ("hours_since_failure", "hours_since_maintenance", "errors")
LIFE_FEATURES = ("mean", "slope", "mean_change")
"""What a remaining life is told from: where each signal stands and where it is going, over windows up to a life.

How restless signals are is not among them: on held-out training engines of C-MAPSS, trees that were offered spreads,
too, erred more.
"""
LIFE_BASELINE_FEATURES = ("mean_shift",)

NEW_FEATURES = ("hours_in_service",)
