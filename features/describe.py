"""A column in the words of a sentence, and the unit of its numbers."""

from features.catalogue import BY_NAME
from features.column import Column, span_text


def describe(column: Column) -> str:
    """Return a column in the words of a sentence.

    Examples
    --------
    >>> from datetime import timedelta
    >>> describe(Column(feature="mean", signal="voltage", window=timedelta(hours=24)))
    '24 h mean'
    >>> describe(Column(feature="errors", part="error1", window=timedelta(days=7)))
    'error1 in 7 d'
    """
    return BY_NAME[column.feature].words.format(
        window="" if column.window is None else span_text(column.window),
        against="" if column.against is None else span_text(column.against),
        part=column.part or ("errors" if column.feature == "errors" else "the machine"),
    )


def unit_of(column: Column, signal_unit: str) -> str:
    """Return the unit of a column's numbers; empty when they have none.

    Examples
    --------
    >>> unit_of(Column(feature="slope", signal="voltage"), "V")
    'V/h'
    """
    unit = BY_NAME[column.feature].unit.format(unit=signal_unit)
    return f"1{unit}" if unit.startswith("/") else unit.removeprefix("²")
