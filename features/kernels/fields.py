"""What a stretch of samples is kept as: rows of one array, one column per stretch."""

NAMES = (
    *("samples", "anchor", "mean", "m2", "m3", "m4", "low", "high", "time", "tt", "tx"),
    *("lag", "first", "last", "crossings", "first_side", "last_side"),
)
"""As in ``features.moments.Moments``, and besides: ``lag``, the sum of products of neighbouring distances from
the mean; ``first`` and ``last``, distances of the outermost samples from the mean; ``crossings``, steps through
zero; ``first_side`` and ``last_side``, signs of the outermost samples that are not zero."""

COUNT = len(NAMES)
SAMPLES, ANCHOR, MEAN, M2, M3, M4, LOW, HIGH, TIME, TT, TX = range(11)
LAG, FIRST, LAST, CROSSINGS, FIRST_SIDE, LAST_SIDE = range(11, COUNT)
