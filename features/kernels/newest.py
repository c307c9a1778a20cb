"""Compiled: the newest windows of one machine, from its readings and the panes before them, to the bits of numpy.

Everything is done in the order of ``features.pane`` and ``features.moments``, with the same operations, none of
them fused or rearranged: what comes out does not depend on which of the two has worked.
"""

from typing import Any

import numpy as np

from features.kernels.blocks import Blocks
from features.kernels.formulas import formula
from features.kernels.jit import jit
from features.kernels.lanes import LANES
from features.kernels.newest_terms import FreshPanes, HeldRows, Wanted
from features.kernels.panes import HOUR, add_panes
from features.kernels.stretch import FIELDS, SAMPLES, combine

LARGEST = 1e100


@jit
def _combine_panes(held: Any, origin: int, plan: Any, pane_hours: float, blocks: Any) -> None:
    """Add up panes to windows, counted from the place ``origin`` on; see ``newest_windows``."""
    of_panes, single, of_blocks = plan.of_panes, plan.single, plan.of_blocks
    width = held.shape[2]
    panes, into = held.reshape(-1), blocks.reshape(-1)
    apart, wide = held.shape[1] * width, blocks.shape[1] * width
    for step in range(len(of_panes)):
        older, newer = (origin + of_panes[step, 0]) * width, (origin + of_panes[step, 1]) * width
        to, hours = of_panes[step, 2] * width, of_panes[step, 3] * pane_hours
        for lane in range(0, width, LANES):
            combine(panes, older + lane, apart, panes, newer + lane, apart, into, to + lane, wide, hours)
    for step in range(len(single)):
        for field in range(FIELDS):
            blocks[field, single[step, 1]] = held[field, origin + single[step, 0]]
    for step in range(len(of_blocks)):
        older, newer = of_blocks[step, 0] * width, of_blocks[step, 1] * width
        to, hours = of_blocks[step, 2] * width, of_blocks[step, 3] * pane_hours
        for lane in range(0, width, LANES):
            combine(into, older + lane, wide, into, newer + lane, wide, into, to + lane, wide, hours)


@jit
def _write_features(blocks: Any, whole: Any, wanted: Any, out: Any) -> Any:
    """Write features of windows; NaN where they hold too little, or it is no number or too large a one."""
    columns, least, expected = wanted.columns, wanted.least, wanted.expected
    window, other = np.empty(FIELDS), np.empty(FIELDS)
    filled, spoken = 0.0, False
    for signal in range(len(out)):
        spoken = spoken or blocks[SAMPLES, whole[-1], signal] > 0
        filled = max(filled, min(blocks[SAMPLES, whole[0], signal] / expected[signal], 1.0))
        for number in range(len(columns)):
            code, one, longer, place = columns[number]
            found = np.nan
            samples, of_longer = blocks[SAMPLES, whole[one], signal], blocks[SAMPLES, whole[longer], signal]
            enough = samples >= least[one, signal] and of_longer >= least[longer, signal]
            if enough and code < 0:
                found = out[signal, place]
            elif enough:
                for field in range(FIELDS):
                    window[field] = blocks[field, whole[one], signal]
                    other[field] = blocks[field, whole[longer], signal]
                found = formula(code, window, other)
            out[signal, place] = found if abs(found) <= LARGEST else np.nan
    return filled, spoken


@jit
def newest_windows(readings: Any, panes: Any, held: Any, plan: Any, blocks: Any, wanted: Any, out: Any) -> Any:
    """Make the panes that became complete, and write the features of the windows that end with the last one.

    What is bundled comes as plain tuples: numba takes a tenth of the time to tell their types.

    Parameters
    ----------
    readings : fields of ``HeldRows``
    panes : fields of ``FreshPanes``
    held : panes, shape (FIELDS, room, n_signals or more, a multiple of LANES), changed in place
    plan : fields of ``Blocks``
    blocks : shape (FIELDS, n_blocks, as ``held``), to work in
    wanted : fields of ``Wanted``
    out : shape (n_signals, n_columns), changed in place

    Returns
    -------
    share of the shortest window that is filled, and whether the longest one holds a sample
    """
    fresh, windows = FreshPanes(*panes), Blocks(*plan)
    add_panes(HeldRows(*readings), fresh, len(out), held)
    _combine_panes(held, fresh.stop - windows.longest, windows, fresh.length / HOUR, blocks)
    return _write_features(blocks, windows.whole, Wanted(*wanted), out)
