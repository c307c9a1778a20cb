"""How a report writes spans of time: in hours or in days, whichever reads better."""

from models.report.axis import number


def unit_of(hours: float) -> tuple[float, str]:
    """Return how many hours a unit has in which so many hours read well, and its name.

    Examples
    --------
    >>> unit_of(30), unit_of(200)
    ((1.0, 'hours'), (24.0, 'days'))
    """
    return (24.0, "days") if hours >= 72 else (1.0, "hours")


def span_text(hours: float | None) -> str:
    """Write a span.

    Examples
    --------
    >>> span_text(30), span_text(200), span_text(None)
    ('30 h', '8.33 days', '–')
    """
    if hours is None:
        return "–"
    each, name = unit_of(abs(hours))
    return f"{number(hours / each)} {'days' if name == 'days' else 'h'}"
