"""Which columns name the machine."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ingest.decode.number import NOTHING
from ingest.proposal.column import flag_column, numbers, texts
from ingest.proposal.sample import Sample

_ENDING = r"([ _-]?(id|no|nr|num|number|name|code|serial))?$"
_NAMES = tuple(
    re.compile(start + _ENDING, re.IGNORECASE)
    for start in (
        r"^(.*[_ .-])?(machine|maschinen?|asset|equipment|anlage|device|engine|turbine)",
        r"^(unit|uid|serial|station|tool|robot|pump|press|motor|vehicle|bearing|id)",
        r"^(group|experiment|test|run|batch|series|trial|campaign|line|site)",
    )
)
_NUMBERED = re.compile(r"(.*?\d+)[ _.:/-]+(\D.*)")
_UNNAMED_TRIED = 30
_SIGNAL = re.compile(
    r"^(signal|sensor|tag|channel|variable|metric|parameter|measure(ment)?|kanal|messgr.*|item|point|quantity)"
    r"[ _]?(name|id)?$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class MachineColumns:
    """Columns that, joined by '/', name the machine; none if all rows are of one machine."""

    columns: tuple[str, ...]
    confidence: float
    why: str


def machine_columns(
    sample: Sample, time: NDArray[np.int64], taken: Sequence[str], *, signal: str | None = None
) -> MachineColumns:
    """Find the columns that name the machine of a row of readings.

    The right ones leave no two rows of one machine at the same time, and let no time run backwards.

    Parameters
    ----------
    time : of each row, in any unit, shape (n_rows,)
    taken : columns that mean something else
    signal : in the long form, the column that names the signal
    """
    always = (signal,) if signal else ()
    words = {name: texts(sample, name) for name in candidates(sample, taken)}

    def muddle(columns: Sequence[str]) -> float:
        return _muddle(sample, time, [*always, *columns])

    named = [name for name in words if rank(name) < len(_NAMES)]
    alone = muddle(())
    if named:
        chosen = [min(named, key=lambda name: (round(muddle([name]), 3), rank(name)))]
        confidence, why = 0.9, f"{words[chosen[0]].nunique()} different values, and the name"
    elif alone > 0.05 and words:
        chosen = [min(words, key=lambda name: muddle([name]))]
        if muddle(chosen) > alone / 10:
            return MachineColumns((), 0.3, "rows share times, but no column tells the machines apart")
        confidence, why = 0.6, f"without it {alone:.0%} of the rows would share their time with others or go back"
    elif side := _side_by_side(list(map(str, sample.frame))):
        why = f"columns such as {side[0]!r} and {side[1]!r} may be of two machines; if so, write a source for each"
        return MachineColumns((), 0.3, why)
    else:
        return MachineColumns((), 0.7, "no column names one, and hardly two rows share a time")
    before = muddle(chosen)
    for name in sorted(set(words) - set(chosen), key=rank):
        joined = muddle([*chosen, name])
        returns = rank(name) < len(_NAMES) and _returns(words, chosen) and not _returns(words, [*chosen, name])
        if (before > 0.0001 and joined < before / 2) or returns:
            chosen.append(name)
            before = joined
            confidence, why = 0.7, "only together do they give every machine one row at a time"
    if len(chosen) > 1:
        chosen.sort(key=lambda name: (words[name].nunique(), name))
    if any(words[name].str.lower().nunique() < words[name].nunique() for name in chosen):
        confidence, why = 0.4, f"{why}; some names differ in capitals only, and each is a machine here"
    return MachineColumns(tuple(chosen), confidence, why)


def _side_by_side(names: Sequence[str]) -> tuple[str, str] | None:
    """Return two columns of the same signal of two machines, where all numbered beginnings have the same endings."""
    parts = [match for name in names if (match := _NUMBERED.fullmatch(name))]
    endings: dict[str, dict[str, str]] = {}
    for match in parts:
        endings.setdefault(match[1], {})[match[2].lower()] = match[0]
    groups = list(endings.values())
    if len(groups) < 2 or len(groups[0]) < 2 or any(group.keys() != groups[0].keys() for group in groups):
        return None
    ending = next(iter(groups[0]))
    return groups[0][ending], groups[1][ending]


def signal_name_column(sample: Sample, taken: Sequence[str]) -> str | None:
    """Return the column that names the signal of a row, as the long form has one; ``None`` in the wide form."""
    for name in sample.frame:
        if name in taken or not _SIGNAL.match(str(name)):
            continue
        words = texts(sample, str(name)).dropna()
        if 1 <= words.nunique() <= max(2, len(words) / 3) and pd.to_numeric(words, errors="coerce").isna().all():
            return str(name)
    return None


def candidates(sample: Sample, taken: Sequence[str]) -> list[str]:
    """Return columns of words or whole numbers that repeat; of those whose name tells nothing the first few."""
    found = []
    unnamed = 0
    for name in map(str, sample.frame):
        values = sample.frame[name]
        told = rank(name) < len(_NAMES)
        if name in taken or not name or (unnamed >= _UNNAMED_TRIED and not told):
            continue
        if pd.api.types.is_bool_dtype(values) or flag_column(sample, name):
            continue
        numeric = numbers(sample, name)
        if numeric is not None and (numeric[~np.isnan(numeric)] % 1 != 0).any():
            continue
        known = texts(sample, name).dropna()
        different = known.nunique()
        repeats = 0.9 * len(values) <= len(known) and different <= max(1, len(known) / 3)
        if repeats and (different > 1 or rank(name) == 0):
            found.append(name)
            unnamed += not told
    return found


def rank(name: str) -> int:
    """Return how much a name sounds like that of a machine: 0 most, 3 not at all."""
    return next((index for index, pattern in enumerate(_NAMES) if pattern.search(name)), len(_NAMES))


def labels(frame: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """Return the machine of each row, as ingest joins it; missing where a part is."""
    joined: pd.Series | None = None
    for name in columns:
        values = frame[name]
        if pd.api.types.is_float_dtype(values) and (values.dropna() % 1 == 0).all():
            values = values.astype("Int64")
        words = values.astype("string").str.strip()
        words = words.mask(words.isin(NOTHING))
        joined = words if joined is None else joined + "/" + words
    return pd.Series("", index=frame.index, dtype="string") if joined is None else joined


def _muddle(sample: Sample, time: NDArray[np.int64], columns: Sequence[str]) -> float:
    """Share of rows that share machine and time with another one, or go back in time."""
    key = labels(sample.frame, columns).astype("category").cat.codes.to_numpy()
    table = pd.DataFrame({"key": key, "stretch": sample.stretch, "time": time})
    repeated = table.duplicated(["key", "stretch", "time"]).mean()
    back = (table.groupby(["key", "stretch"])["time"].diff() < 0).mean()
    return float(repeated + back)


def _returns(words: dict[str, pd.Series], columns: Sequence[str]) -> bool:
    """Whether a name comes back after another one has been there, but not row by row."""
    codes = pd.Series("", index=words[columns[0]].index, dtype="string")
    for name in columns:
        codes = codes + "/" + words[name].fillna("")
    changes = int((codes != codes.shift()).sum())
    return codes.nunique() < changes < len(codes) / 10
