"""Compiled: the power spectrum of eight windows at once, for lengths that are powers of two."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.kernels.jit import jit
from features.kernels.lanes import LANES, high, load, splat, store, where_above
from features.kernels.names import BANDS, TIED

LEAST = 16
"""Shorter windows are transformed by scipy."""


@lru_cache(maxsize=8)
def tables(length: int) -> NDArray[np.float64]:
    """Return what the transform of a length needs: Hann weights, cosines and sines, shape (3, length)."""
    turn = 2 * np.pi * np.arange(length) / length
    return np.stack([0.5 - 0.5 * np.cos(turn), np.cos(turn), np.sin(turn)])


@jit
def _four(re: Any, im: Any, to_re: Any, to_im: Any, size: int, stride: int, table: Any) -> None:
    """Do one step of a complex transform of ``size`` × ``stride`` places that takes four parts at once."""
    quarter = size // 4
    per_turn = table.shape[1] // size
    for p in range(quarter):
        c1, s1 = splat(table[1, p * per_turn]), splat(table[2, p * per_turn])
        c2, s2 = splat(table[1, 2 * p * per_turn]), splat(table[2, 2 * p * per_turn])
        c3, s3 = splat(table[1, 3 * p * per_turn]), splat(table[2, 3 * p * per_turn])
        for q in range(stride):
            a, b = (q + stride * p) * LANES, (q + stride * (p + quarter)) * LANES
            c, d = (q + stride * (p + 2 * quarter)) * LANES, (q + stride * (p + 3 * quarter)) * LANES
            sum_re, sum_im = load(re, a) + load(re, c), load(im, a) + load(im, c)
            gap_re, gap_im = load(re, a) - load(re, c), load(im, a) - load(im, c)
            other_re, other_im = load(re, b) + load(re, d), load(im, b) + load(im, d)
            # The distance of the odd parts, turned by −90°.
            odd_re, odd_im = load(im, b) - load(im, d), load(re, d) - load(re, b)
            to = (q + stride * 4 * p) * LANES
            store(to_re, to, sum_re + other_re)
            store(to_im, to, sum_im + other_im)
            x, y = gap_re + odd_re, gap_im + odd_im
            to += stride * LANES
            store(to_re, to, x * c1 + y * s1)
            store(to_im, to, y * c1 - x * s1)
            x, y = sum_re - other_re, sum_im - other_im
            to += stride * LANES
            store(to_re, to, x * c2 + y * s2)
            store(to_im, to, y * c2 - x * s2)
            x, y = gap_re - odd_re, gap_im - odd_im
            to += stride * LANES
            store(to_re, to, x * c3 + y * s3)
            store(to_im, to, y * c3 - x * s3)


@jit
def _two(re: Any, im: Any, to_re: Any, to_im: Any, stride: int) -> None:
    """Do the last step of a transform whose size is no power of four."""
    for q in range(stride):
        a, b = q * LANES, (q + stride) * LANES
        x, y, u, v = load(re, a), load(im, a), load(re, b), load(im, b)
        store(to_re, a, x + u)
        store(to_im, a, y + v)
        store(to_re, b, x - u)
        store(to_im, b, y - v)


@jit
def weigh_eight(columns: Any, length: int, anchor: Any, mean: Any, table: Any, re: Any, im: Any) -> None:
    """Take the mean off eight windows and weigh them: even samples as real parts, odd ones as imaginary parts.

    Parameters
    ----------
    columns : sample i of window j at ``columns[i * LANES + j]``
    """
    for i in range(length // 2):
        even, odd = load(columns, 2 * i * LANES), load(columns, (2 * i + 1) * LANES)
        store(re, i * LANES, ((even - anchor) - mean) * splat(table[0, 2 * i]))
        store(im, i * LANES, ((odd - anchor) - mean) * splat(table[0, 2 * i + 1]))


@jit
def bands_of(re: Any, im: Any, to_re: Any, to_im: Any, length: int, table: Any, found: Any) -> None:
    """Write the strongest bin above 0 and the power of four bands of eight windows that were laid out.

    Of bins that are equally strong it is the lowest.

    The spectrum is a density of one segment, periodic Hann, one-sided. Band j holds the bins in
    (j, j + 1] quarters of half the sampling rate.

    Parameters
    ----------
    re, im, to_re, to_im : flat arrays of ``length`` / 2 places of eight lanes; all are overwritten
    found : shape ((1 + BANDS) × LANES): the bin, then the bands in the signal's unit squared
    """
    half = length // 2
    size, stride = half, 1
    while size >= 4:
        _four(re, im, to_re, to_im, size, stride, table)
        re, im, to_re, to_im = to_re, to_im, re, im
        size, stride = size // 4, stride * 4
    if size == 2:
        _two(re, im, to_re, to_im, stride)
        re, im, to_re = to_re, to_im, re
    powers, strongest = to_re, splat(0.0)
    # Both sides of the spectrum, and Σ w² = 3 n / 8 of the Hann weights; the halves below give a quarter.
    scale = splat(2.0 / (length * (0.375 * length)) / 4)
    bin_ = 1
    for band in range(BANDS):
        total = splat(0.0)
        while bin_ < half and 2 * bin_ * BANDS <= (band + 1) * length:
            a, b = bin_ * LANES, (half - bin_) * LANES
            even_re, even_im = load(re, a) + load(re, b), load(im, a) - load(im, b)
            odd_re, odd_im = load(im, a) + load(im, b), load(re, b) - load(re, a)
            c, s = splat(table[1, bin_]), splat(table[2, bin_])
            x, y = even_re + odd_re * c + odd_im * s, even_im + odd_im * c - odd_re * s
            power = x * x + y * y
            total = total + power
            strongest = high(strongest, power)
            store(powers, (bin_ - 1) * LANES, power)
            bin_ += 1
        if band == BANDS - 1:
            x = load(re, 0) - load(im, 0)
            # Half the sampling rate has one side only; ``scale`` is for two and for doubled parts.
            power = splat(2.0) * x * x
            total = total + power
            strongest = high(strongest, power)
            store(powers, (half - 1) * LANES, power)
        store(found, (1 + band) * LANES, total * scale)
    strongest, where = strongest * splat(TIED), splat(1.0)
    for bin_ in range(half, 0, -1):
        where = where_above(load(powers, (bin_ - 1) * LANES), strongest, splat(float(bin_)), where)
    store(found, 0, where)
