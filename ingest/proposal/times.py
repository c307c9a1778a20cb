"""Which column tells the time, and how it is written."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ingest.proposal.column import numbers
from ingest.proposal.sample import Sample

_NAME = re.compile(r"(date|time|zeit|datum|stamp|^ts$|^t$|^dt$|when|recorded|created|_at$|^ds$)", re.IGNORECASE)
_WRITTEN = re.compile(
    r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})"
    r"(?:([ T])(\d{1,2}):(\d{2})(:\d{2})?(\.\d{1,6})?( ?[AaPp][Mm])?)?"
)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:?\d{2}.*)?")
_LARGE = re.compile(r"\d{9,19}(\.\d*)?([eE]\+?\d+)?|\d\.\d+[eE]\+?\d+")
_ZONED = re.compile(r".*\d{2}:\d{2}.*(Z|[+-]\d{2}:?\d{2})")
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2}([.,]\d{1,6})?)?( ?[AaPp][Mm])?")
_LOOKED_AT = 20
_UNITS = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}
_FROM, _UNTIL = 631_152_000, 4_102_444_800


@dataclass(frozen=True)
class TimeColumn:
    """A column that tells the time.

    Attributes
    ----------
    columns : its name; or the names of two, a date and a clock, that are read joined by a blank
    format : as in the plant file
    zoned : whether the values say which zone is meant
    values : the times, naive or UTC on the wall clock, shape (n_rows,), NaT where unreadable
    confidence, why : of the format
    clock : whether a time of day stands in it
    """

    columns: tuple[str, ...]
    format: str
    zoned: bool
    values: NDArray[np.datetime64]
    confidence: float
    why: str
    clock: bool = True


def best_time(found: Sequence[TimeColumn]) -> TimeColumn | None:
    """Return the column that tells the time best; ``None`` if there is none."""
    named = [each for each in found if _NAME.search(each.columns[0])]
    return max(named or found, key=lambda each: each.confidence, default=None)


def time_columns(sample: Sample) -> list[TimeColumn]:
    """Return all columns that hold times; a date and the clock nearest behind it are one."""
    names = [str(name) for name in sample.frame]
    found = {name: each for name in names if (each := read_times(sample, name)) is not None}
    clocks = [name for name in names if name not in found and is_clock(sample, name)]
    for name in [name for name, each in found.items() if clocks and _is_date(each)]:
        place = names.index(name)
        clock = min(clocks, key=lambda each: (names.index(each) < place, abs(names.index(each) - place)))
        joined = _written((name, clock), _joined(sample, name, clock), sample.stretch)
        if joined is not None:
            found[name] = joined
            clocks.remove(clock)
        if not clocks:
            break
    return list(found.values())


def written_times(times: Sequence[TimeColumn]) -> list[str]:
    """Return the columns that can be nothing but times, as seconds since 1970 can."""
    return [column for each in times if each.format not in _UNITS for column in each.columns]


def is_clock(sample: Sample, name: str) -> bool:
    """Whether a column holds times of day without their date."""
    if numbers(sample, name) is not None:
        return False
    values = sample.frame[name]
    if not (pd.api.types.is_object_dtype(values) or pd.api.types.is_string_dtype(values)):
        return False
    first = [str(each).strip() for each in values.array[:_LOOKED_AT] if each is not None]
    if not any(_CLOCK.fullmatch(each) for each in first):
        return False
    words = _words(values)
    return bool(words.str.fullmatch(_CLOCK.pattern).mean() > 0.95)


def _is_date(time: TimeColumn) -> bool:
    """Whether times are days without a clock."""
    return not time.clock


def read_times(sample: Sample, name: str) -> TimeColumn | None:
    """Read a column as times; ``None`` if it does not look like times."""
    values = sample.frame[name]
    if pd.api.types.is_datetime64_any_dtype(values):
        zoned = getattr(values.dt, "tz", None) is not None
        plain = values.dt.tz_convert("UTC").dt.tz_localize(None) if zoned else values
        return TimeColumn((name,), "iso", zoned, _stamps(plain), 0.98, "the file itself says that these are times")
    if pd.api.types.is_bool_dtype(values):
        return None
    if pd.api.types.is_numeric_dtype(values):
        return _epoch(name, pd.Series(values, dtype="float64"))
    if not any(_may_be_time(each) for each in values.array[:_LOOKED_AT]):
        return None
    words = _words(values)
    if words.empty:
        return None
    plain = pd.to_numeric(words.head(1000), errors="coerce")
    if plain.notna().mean() > 0.9:
        return _epoch(name, pd.to_numeric(values, errors="coerce").astype("float64"))
    return _written((name,), values, sample.stretch)


def _may_be_time(cell: object) -> bool:
    """Whether a cell is worth a closer look: a date, or a number as large as a time since 1970."""
    text = str(cell).strip()
    return bool(_ISO.fullmatch(text) or _WRITTEN.fullmatch(text) or _LARGE.fullmatch(text))


def _words(values: pd.Series) -> pd.Series:
    words = values.dropna().astype(str).str.strip()
    return words[words != ""]


def _joined(sample: Sample, name: str, clock: str) -> pd.Series:
    """Return a date and a clock as one text, missing where either is."""
    parts = [sample.frame[each].astype("string").str.strip() for each in (name, clock)]
    return (parts[0] + " " + parts[1]).astype(object)


def _epoch(name: str, values: pd.Series) -> TimeColumn | None:
    known = values[np.isfinite(values)]
    if len(known) == 0 or known.nunique() < 2:
        return None
    for unit, scale in _UNITS.items():
        if known.between(_FROM * scale, _UNTIL * scale).mean() > 0.99:
            steps = np.diff(known.to_numpy())
            forward = float(np.mean(steps >= 0))
            named = _NAME.search(name) is not None
            if not named and forward < 0.9:
                return None
            stamps = (values / scale * 1e6).round().astype("Int64").astype("datetime64[us]")
            why = (
                f"values such as {known.iloc[0]:.0f} are {unit} since 1970, in the year {stamps.dropna().iloc[0].year}"
            )
            return TimeColumn((name,), unit, True, _stamps(stamps), 0.95 if named else 0.7, why)
    return None


def _written(columns: tuple[str, ...], cells: pd.Series, stretch: NDArray[np.int64]) -> TimeColumn | None:
    words = _words(cells)
    if words.empty:
        return None
    looks = words.sample(min(len(words), 2000), random_state=0)
    if looks.str.fullmatch(_ISO.pattern).mean() > 0.95:
        values = _parse(cells, "ISO8601")
        if np.isnat(values).mean() < 0.1:
            zoned = looks.str.fullmatch(_ZONED.pattern).mean() > 0.95
            clock = bool((looks.str.len() > 10).any())
            return TimeColumn(columns, "iso", zoned, values, 0.97, f"written as {words.iloc[0]!r}", clock)
        return None
    if looks.str.fullmatch(_WRITTEN.pattern).mean() < 0.95:
        return None
    patterns = _patterns(words.iloc[0])
    read = {pattern: _parse(cells, pattern) for pattern in patterns}
    wrong = {pattern: float(np.isnat(values).mean()) for pattern, values in read.items()}
    best = min(wrong, key=lambda pattern: wrong[pattern])
    if wrong[best] > 0.1:
        return None
    confidence, why = 0.95, f"written as {words.iloc[0]!r}"
    if len(patterns) == 2 and max(wrong.values()) > wrong[best]:
        why += ", and only so every value is a date"
    elif len(patterns) == 2:
        best, confidence, why = _which_first(patterns, read, stretch, words.iloc[0])
    return TimeColumn(columns, best, False, read[best], confidence, why, ":" in best)


def _patterns(text: str) -> list[str]:
    """Return strptime patterns that a written date may have, the likelier order first."""
    match = _WRITTEN.fullmatch(text)
    if match is None:
        return []
    mark = match[2]
    if len(match[1]) == 4:
        days = [f"%Y{mark}%m{mark}%d"]
    else:
        year = "%Y" if len(match[4]) == 4 else "%y"
        days = [f"%d{mark}%m{mark}{year}", f"%m{mark}%d{mark}{year}"]
    clock = ""
    if match[5]:
        clock = match[5] + ("%I:%M" if match[10] else "%H:%M") + ("%S" if match[8] else "").replace("%S", ":%S")
        clock += (".%f" if match[9] else "") + (match[10][:-2] + "%p" if match[10] else "")
    return [day + clock for day in days]


def _which_first(
    patterns: list[str], read: dict[str, NDArray[np.datetime64]], stretch: NDArray[np.int64], text: str
) -> tuple[str, float, str]:
    """Decide between day first and month first where both can be read: time runs forward and evenly."""
    uneven = dict.fromkeys(patterns, 0.0)
    for pattern in patterns:
        steps = np.diff(read[pattern].astype("datetime64[s]").astype(np.int64))[np.diff(stretch) == 0]
        if len(steps):
            uneven[pattern] = float(np.mean(steps < 0)) + float(len(np.unique(steps)) / len(steps))
    day, month = patterns
    if uneven[day] < uneven[month]:
        return day, 0.85, f"written as {text!r}; read with the day first, time runs more evenly"
    if uneven[month] < uneven[day]:
        return month, 0.85, f"written as {text!r}; read with the month first, time runs more evenly"
    sure = 0.85 if "." in text.split(" ")[0] else 0.5
    return day, sure, f"written as {text!r}; nothing tells whether day or month comes first"


def _parse(cells: pd.Series, pattern: str) -> NDArray[np.datetime64]:
    words = cells.astype(str).str.strip()
    stamps = pd.to_datetime(words, format=pattern, errors="coerce", utc=True)
    return _stamps(stamps.dt.tz_localize(None))


def _stamps(values: pd.Series) -> NDArray[np.datetime64]:
    return values.astype("datetime64[us]").to_numpy(dtype="datetime64[us]")
