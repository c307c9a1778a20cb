"""What a single column holds, judged by its values and its name."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ingest.decode.number import NOTHING
from ingest.event import EventKind
from ingest.proposal.kinds import FLAGS, first_row
from ingest.proposal.sample import Sample

_FUTURE = re.compile(r"^rul$|remaining.*(life|cycle|hour)|time.?to.?fail|^ttf$", re.IGNORECASE)
_GROUPED = r"[+-]?\d{1,3}([.,' \u00a0\u202f]?\d{3})*([.,]\d+)?"
_IDENTIFIER = re.compile(r"^(unnamed.*|index|idx|id|row.*|nr|no|seq.*|record.*|)$", re.IGNORECASE)
_BRACKETS = re.compile(r"(.+?)[\s_]*[\[(]([^\[\]()]{1,12})[\])]")
_ENDINGS = {
    "degc": "degC", "celsius": "degC", "degf": "degF", "bar": "bar", "mbar": "mbar", "kpa": "kPa", "mpa": "MPa",
    "psi": "psi", "rpm": "rpm", "hz": "Hz", "khz": "kHz", "kw": "kW", "kwh": "kWh", "amp": "A", "amps": "A",
    "volt": "V", "volts": "V", "ma": "mA", "mv": "mV", "mm": "mm", "um": "um", "pct": "%", "percent": "%",
    "lpm": "l/min",
}  # fmt: skip
_WORDS = (("temp", "degC", -60.0, 500.0), ("vibration", "mm/s", 0.0, 100.0), ("humid", "%", 0.0, 100.0))
_YES, _NO = ("true", "yes", "1", "1.0"), ("false", "no", "0", "0.0")


@dataclass(frozen=True)
class SignalColumn:
    """A column of numbers that vary.

    Attributes
    ----------
    name, column : of the signal, and of its column in the file
    unit : guessed from the name; empty where that is not sure enough
    low, high : smallest and largest value in the sample
    confidence, why : that it is a signal
    """

    name: str
    column: str
    unit: str
    low: float
    high: float
    confidence: float
    why: str


@dataclass(frozen=True)
class FlagColumn:
    """A column that is 1 while something lasts."""

    column: str
    kind: EventKind
    code: str
    confidence: float
    why: str


def numbers(sample: Sample, name: str) -> NDArray[np.float64] | None:
    """Return a column as finite numbers, NaN where there is none; ``None`` if it does not hold numbers."""
    if name not in sample.read_as_numbers:
        found = _numbers(sample, name)
        sample.read_as_numbers[name] = None if found is None else np.where(np.isfinite(found), found, np.nan)
    return sample.read_as_numbers[name]


def _numbers(sample: Sample, name: str) -> NDArray[np.float64] | None:
    values = sample.frame[name]
    if pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values):
        return np.asarray(values.astype("float64"), dtype=np.float64)
    if sample.format != "csv" and not pd.api.types.is_string_dtype(values):
        return None
    if sample.format == "csv" and not values.hasnans:
        cells = [str(cell).replace(sample.decimal, ".") for cell in values.to_numpy()]
        plain = pd.to_numeric(np.array(cells, dtype=object), errors="coerce")
        if not np.isnan(plain).any():
            return np.asarray(plain, dtype=np.float64)
    words = texts(sample, name)
    if sample.decimal == ",":
        words = words.str.replace(",", ".", regex=False)
    numeric = pd.to_numeric(words, errors="coerce")
    there = words.notna()
    return np.asarray(numeric, dtype=np.float64) if there.any() and numeric[there].notna().mean() > 0.95 else None


def texts(sample: Sample, name: str) -> pd.Series:
    """Return a column as text without blanks around, missing where nothing stands."""
    values = sample.frame[name]
    if pd.api.types.is_float_dtype(values):
        values = values.astype("Int64") if (values.dropna() % 1 == 0).all() else values
    words = values.astype("string").str.strip()
    return words.mask(words.isin(NOTHING))


def flag_column(sample: Sample, name: str) -> FlagColumn | None:
    """Return what a column of zeros and ones marks; ``None`` if it is no such column or has no telling name."""
    numeric = numbers(sample, name)
    if numeric is None:
        return None
    known = numeric[~np.isnan(numeric)]
    if len(known) == 0 or not np.isin(known, (0.0, 1.0)).all():
        return None
    row = first_row(FLAGS, name)
    if row is None:
        return None
    _, kind, sure = row
    share = f"1 in {np.mean(known):.1%} of the rows" if known.any() else "never 1 in the sample"
    sure = min(sure, 0.9 if known.any() and not known.all() else 0.6)
    return FlagColumn(name, kind, name, sure, f"0 or 1, {share}, and the name")


def signal_column(sample: Sample, name: str) -> SignalColumn | str:
    """Return the signal that a column holds, or the reason why it holds none."""
    numeric = numbers(sample, name)
    if _FUTURE.search(name):
        return "it tells how long the machine will live, which nobody knows beforehand"
    if numeric is None:
        words = texts(sample, name)
        distinct = int(words.nunique())
        if distinct and words.dropna().str.fullmatch(_GROUPED).mean() > 0.95:
            return f"numbers with marks that are not read, such as {words.dropna().iloc[0]!r}; export them as 1234.5"
        return f"text with {distinct} different values" if distinct else "empty"
    known = numeric[np.isfinite(numeric)]
    if len(known) == 0:
        return "empty in the sample"
    low, high = float(known.min()), float(known.max())
    if low == high:
        return f"always {low:g} in the sample"
    steps = np.diff(numeric[: int(np.sum(sample.stretch == 0))])
    whole = bool(np.all(known % 1 == 0))
    if whole and (_IDENTIFIER.match(name) or (len(steps) > 20 and np.all(steps == 1))):
        return "it numbers the rows"
    unit, shown = _unit(name, low, high)
    why = f"numbers from {low:g} to {high:g}"
    rising = steps[steps != 0]
    if whole and len(rising) > 20 and np.mean(rising > 0) > 0.98:
        return SignalColumn(shown, name, unit, low, high, 0.5, why + " that only rise: a counter?")
    if _may_be_grouped(sample, name):
        return SignalColumn(shown, name, unit, low, high, 0.4, f"{why}, unless the mark stands between thousands")
    few = len(np.unique(known)) <= 10
    return SignalColumn(shown, name, unit, low, high, 0.6 if few else 0.9, why + (", few of them different" * few))


def _may_be_grouped(sample: Sample, name: str) -> bool:
    """Whether the decimal mark of a column may be one between thousands: 987 beside 1.234, never 0.5."""
    if sample.format != "csv":
        return False
    mark = re.escape(sample.decimal)
    grouped = re.compile(rf"[+-]?[1-9]\d{{0,2}}({mark}\d{{3}})+")
    marked, plain = False, False
    for cell in sample.frame[name].array:
        word = str(cell).strip()
        if sample.decimal not in word:
            plain = plain or word.isdecimal()
        elif grouped.fullmatch(word):
            marked = True
        else:
            return False
    return marked and plain


def _unit(name: str, low: float, high: float) -> tuple[str, str]:
    """Return the unit where the name tells it, and the name without it."""
    bracketed = _BRACKETS.fullmatch(name)
    if bracketed:
        return bracketed[2].replace("°", "deg").strip(), bracketed[1].strip()
    ending = re.split(r"[\s_.]", name.lower())[-1]
    if ending in _ENDINGS and ending != name.lower():
        return _ENDINGS[ending], name
    for word, unit, least, most in _WORDS:
        if word in name.lower() and least <= low and high <= most:
            return f"{unit}?", name
    return "", name
