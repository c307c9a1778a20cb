"""Units at the door: a value that comes in another unit than its signal's is converted when it is read.

Pint knows the units; it is loaded only where two of them differ. Conversions are linear, with exact
fractions. Turns are not cycles here: rpm does not convert to Hz, since pint counts radians and the
factor would be 2 pi.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.errors import UnitError

_AS_PINT_READS = (
    (re.compile(r"(?<=[a-zA-Zµμ])([23])\b"), r"**\1"),  # m3/h
    (re.compile(r"\b([mkM]?N)m\b"), r"\1*m"),  # Nm, which would be a length
    (re.compile(r"^°$"), "degree"),
)

LONGEST = 100
"""Letters of a unit."""
_BLANKS = re.compile(r"\s*(\*\*|\^|[()+-])\s*")
_EXPONENT = r"[+-]?[0-9]{1,2}(?:\.[0-9]{1,3})?"
_SMALL_POWER = re.compile(rf"(?<![0-9.])(?:\*\*|\^)(?:{_EXPONENT}|\({_EXPONENT}(?:/[0-9]{{1,2}})?\))(?!\*\*|\^|[\w.])")
_COSTLY = re.compile(r"\*\*|\^|\d{20}|\d[eE][+-]?\d{3}|[⁰¹²³⁴-⁹]{3}")
_POWER_OF_MANY = re.compile(r"\)(?:\*\*|\^)|squared?|cubed|cubic|\bsq\b")


_USUAL = (
    "degC", "K", "bar", "kPa", "mm/s", "m3/h", "l/min", "rpm", "kW", "%", "degF", "mbar", "Pa", "psi", "m/s", "m/s**2",
    "kg/h", "1/min", "W", "kWh", "A", "mA", "V", "mV", "Hz", "kHz", "N", "kN", "Nm", "mm", "um", "m", "s", "h", "kg",
    "l", "m3", "ppm", "count",
)  # fmt: skip
_MISREAD: Mapping[str, str] = {
    "C": "degC", "deg C": "degC", "F": "degF", "deg F": "degF", "U/min": "rpm", "Umdr/min": "rpm", "bar(g)": "bar",
    "barg": "bar", "bar(a)": "bar", "pcs": "count", "Stk": "count", "m/s2": "m/s**2", "m/s²": "m/s**2",
    "g/s2": "g/s**2", "var": "V*A", "kvar": "kV*A",
}  # fmt: skip
"""What people write, and what Pint takes for something else or for nothing, with what is meant as a rule."""
_LOGARITHMS = ("pH",)
"""Those that Pint takes for something else."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """Makes (value + shift) × factor of a value.

    Examples
    --------
    >>> str(Conversion(Fraction(5, 9), Fraction(-32)))
    '(value − 32) × 5/9'
    """

    factor: Fraction
    shift: Fraction = Fraction(0)

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values in the other unit; NaN stays."""
        moved = values + float(self.shift) if self.shift else values
        return moved * float(self.factor) if self.factor != 1 else moved

    def __str__(self) -> str:
        sign = "−" if self.shift < 0 else "+"
        moved = f"(value {sign} {abs(self.shift)})" if self.shift else "value"
        return f"{moved} × {self.factor}" if self.factor != 1 else moved


SAME = Conversion(Fraction(1))


@cache
def conversion(delivered: str, wanted: str) -> Conversion:
    """Return how values of one unit become values of another.

    Raises
    ------
    UnitError
        When one of them is not known, they measure different things, or the way between them is not linear.

    Examples
    --------
    >>> conversion("degF", "degC")
    Conversion(factor=Fraction(5, 9), shift=Fraction(-32, 1))
    >>> str(conversion("m3/h", "l/min"))
    'value × 50/3'
    """
    if delivered == wanted:
        return SAME
    one, other = _known(delivered), _known(wanted)
    there = f"{delivered!r} does not convert to {wanted!r}"
    if one.measures != other.measures:
        raise UnitError(f"{there}: they measure different things ({one.measures}, {other.measures})")
    try:
        at = [_registry().Quantity(Fraction(each), one.unit).to(other.unit).magnitude for each in (0, 1, 2)]
    except Exception as error:  # pint raises what its formulas do, too
        raise UnitError(f"{there} ({type(error).__name__})") from error
    factor = at[1] - at[0]
    if not all(isinstance(each, Fraction) for each in at) or at[2] - at[1] != factor or not factor:
        raise UnitError(f"{there}: not by one factor and one shift; only linear units convert")
    return Conversion(factor, at[0] / factor)


def same(one: str, other: str) -> bool:
    """Say whether two units are one, perhaps in other words; of units that nobody knows, the words decide."""
    try:
        return conversion(one, other) == SAME
    except UnitError:
        return False


def doubt(text: str) -> str:
    """Say why a unit is perhaps not what was meant, and what would be right; empty if all is well.

    Examples
    --------
    >>> doubt("degX")
    "unit 'degX' is not known, so nothing converts to it; did you mean 'degC' or 'degF'?"
    >>> doubt("bar"), doubt("")
    ('', '')
    """
    written = text.strip()
    if not written:
        return ""
    if meant := _MISREAD.get(written):
        return f"unit {text[:40]!r} is not read as {meant!r}; write {meant!r} if that is what it is"
    unit = f"unit {text[:40]!r}"
    try:
        known = _known(text)
    except UnitError:
        near = sorted(get_close_matches(written, _USUAL, 2), key=_USUAL.index)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"write one such as {', '.join(_USUAL[:8])}"
        return f"{unit} is not known, so nothing converts to it; {hint}"
    if written in _LOGARITHMS or (known.measures == "a number" and not _is_linear(text)):
        return f"{unit} is of a logarithm, so nothing converts to it: every source has to deliver this one"
    return ""


def _is_linear(text: str) -> bool:
    try:
        conversion(text, "percent")
    except UnitError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Unit:
    """A unit of pint, and what it measures, in words."""

    unit: Any
    measures: str


@cache
def _known(text: str) -> _Unit:
    written = text.strip()
    for pattern, pint_reads in _AS_PINT_READS:
        written = pattern.sub(pint_reads, written)
    unknown = f"unit {text[:40]!r} is not known; write it as in degC, K, bar, kPa, mm/s, m3/h, l/min, rpm, kW, %"
    if len(text) > LONGEST or _is_costly(written):
        raise UnitError(unknown)
    if not written:
        raise UnitError("there is no unit to convert from or to; write one, such as 'degC'")
    try:
        quantity = _registry().parse_units(written)
        root = _registry().get_root_units(quantity)[1]
    except Exception as error:  # pint raises what Python's tokenizer does, too
        raise UnitError(unknown) from error
    return _Unit(quantity, " × ".join(_power(*each) for each in sorted(root._units.items())) or "a number")


def _is_costly(written: str) -> bool:
    """Say whether a unit has powers of powers or numbers so large that working them out might never end."""
    closed = _BLANKS.sub(r"\1", written)
    return bool(_COSTLY.search(_SMALL_POWER.sub("", closed))) or len(_POWER_OF_MANY.findall(closed)) > 1


def _power(name: str, power: Fraction) -> str:
    return name if power == 1 else f"{name}^{power}"


@cache
def _registry() -> Any:
    import pint

    return pint.UnitRegistry(non_int_type=Fraction)
