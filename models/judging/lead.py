"""How long before an event an alert is needed: some failure modes take longer to prepare for than others."""

from collections.abc import Mapping
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.moment import span


def needed_of(targets: pd.DataFrame, usual: timedelta, by_mode: Mapping[str, timedelta]) -> NDArray[np.timedelta64]:
    """Return the lead that each event needs: the longest of the components and codes that it names.

    Parameters
    ----------
    targets : table of ``target_events``
    usual : of events that name none of ``by_mode``
    by_mode : component or code to lead

    Returns
    -------
    array of timedelta64[us], shape (n_events,)

    Examples
    --------
    >>> pump = pd.DataFrame({"components": [("seal",), (), ("seal", "bearing")], "codes": [(), (), ()]})
    >>> days = {"seal": timedelta(days=1), "bearing": timedelta(days=3)}
    >>> needed_of(pump, timedelta(hours=8), days).astype("timedelta64[h]").astype(int).tolist()
    [24, 8, 72]
    """
    if not by_mode or not len(targets):
        return np.full(len(targets), span(usual))
    needed = [
        max((by_mode[each] for each in (*components, *codes) if each in by_mode), default=usual)
        for components, codes in zip(targets["components"], targets["codes"], strict=True)
    ]
    return np.array([span(each) for each in needed])


def mode_of(components: tuple[str, ...], codes: tuple[str, ...]) -> str:
    """Return what failed, in words: the components, or the codes where no component is named.

    Examples
    --------
    >>> mode_of(("seal", "bearing"), ("E7",)), mode_of((), ("E7",)), mode_of((), ())
    ('seal, bearing', 'E7', '')
    """
    return ", ".join(components or codes)
