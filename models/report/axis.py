"""Round numbers at which a reader wants a tick, and how a number is written."""

import math

_NUMBER_STEPS = (1, 2, 2.5, 5, 10)


def number_ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """Return round numbers within [low, high] and how to write them.

    Parameters
    ----------
    low, high : finite, in the unit of the axis
    most : about how many ticks are wanted; never more than one more than this

    Examples
    --------
    >>> number_ticks(0, 1, 5)
    [(0.0, '0'), (0.2, '0.2'), (0.4, '0.4'), (0.6, '0.6'), (0.8, '0.8'), (1.0, '1')]
    """
    span = high - low
    if not (math.isfinite(span) and span > 0):
        return [(low, number(low))]
    raw = span / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next((each * power for each in _NUMBER_STEPS if each * power >= raw * (1 - 1e-9)), 10 * power)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9) + (round(step / power, 3) == 2.5))
    ticks = [(round(each * step, 12), each * step) for each in range(first, last + 1)]
    if max(abs(low), abs(high)) >= 1e6 or step < 1e-6:
        return [(value, f"{exact:g}") for value, exact in ticks]
    return [(value, _print(f"{exact + 0.0:,.{decimals}f}")) for value, exact in ticks]


def number(value: float, digits: int = 3) -> str:
    r"""Write a number with so many significant digits, thin-spaced thousands and a real minus.

    Examples
    --------
    >>> number(1234.5678), number(0.00123456), number(-12.0), number(float("nan"))
    ('1\u202f235', '0.00123', '−12', '–')
    """
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    if exponent >= 9 or exponent < -4:
        return f"{value:.{digits - 1}e}".replace("-", "−")
    text = f"{value:,.{max(0, digits - 1 - exponent)}f}"
    return _print(text)


def _print(text: str) -> str:
    return _trim(text).replace(",", "\u202f").replace("-", "−")


def _trim(text: str) -> str:
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
