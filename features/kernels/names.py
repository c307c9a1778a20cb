"""The features that the kernels compute, as the catalogue names them, and what each needs."""

MOMENTS = (
    *("mean", "standard_deviation", "minimum", "maximum", "range", "root_mean_square", "skewness", "kurtosis"),
    *("crest_factor", "slope", "energy", "zero_crossing_rate", "autocorrelation"),
)
ORDERED = ("quantile_10", "median", "quantile_90")
SPECTRUM = ("dominant_frequency", "band_power_1", "band_power_2", "band_power_3", "band_power_4")
BANDS = len(SPECTRUM) - 1
KERNELS = (*MOMENTS, "mean_crossing_rate", *ORDERED, *SPECTRUM)
SHARES = (0.1, 0.5, 0.9)
"""Of the quantiles, in the order of ``ORDERED``."""
ON_MEAN = 1e-13
"""A sample nearer to the mean than this share of the range is on it: rounding must not take it across."""
TIED = 1 - 1e-9
"""A power above this share of the largest is as large: rounding must not choose between equal lines."""

MEAN, STANDARD_DEVIATION, MINIMUM, MAXIMUM, RANGE, ROOT_MEAN_SQUARE, SKEWNESS, KURTOSIS = range(8)
CREST_FACTOR, SLOPE, ENERGY, ZERO_CROSSING_RATE, AUTOCORRELATION, MEAN_CROSSING_RATE = range(8, 14)
QUANTILE_10, MEDIAN, QUANTILE_90, DOMINANT_FREQUENCY, BAND_POWER_1 = range(14, 19)
