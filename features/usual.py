"""What a recipe takes where the model's entry in the plant file names nothing else."""

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
LIFE_FEATURES = ("mean", "standard_deviation", "slope", "mean_change")
"""What a remaining life is told from: where each signal stands and where it is going, over windows up to a life."""

NEW_FEATURES = ("hours_in_service",)
