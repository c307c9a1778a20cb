"""What may stand at a key of the plant file, in words: for error messages and for the reference page."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from ingest.clock_span import ClockSpan
from ingest.part import Part
from ingest.plant import Plant
from ingest.rate import Hertz

Location = tuple[str | int, ...]
"""Keys and positions (counted from 0) that lead from the top of the file to a value."""

_PLAIN: dict[object, str] = {
    str: "a text in quotes",
    float: "a number",
    Hertz: "a rate such as '25600 Hz'",
    int: "a whole number",
    bool: "true or false",
    timedelta: "a duration such as '15 min', '24 h' or '7 d'",
    date: "a date such as 2026-12-25",
    datetime: "a date and time such as 2026-01-31 06:00:00",
    ClockSpan: "hours of a day such as '22:00-06:00'",
}
_MANY: dict[object, str] = {
    str: 'a list of texts such as ["a", "b"]',
    timedelta: "a list of durations such as ['1 h', '24 h']",
    date: "a list of dates such as [2026-12-25, 2026-12-26]",
    ClockSpan: "a list of hours such as ['09:00-09:15']",
    tuple[float, float]: "a list of pairs of numbers such as [[500, 2000]]",
}


def plain_type(annotation: Any) -> Any:
    """Strip ``| None`` and ``Annotated`` from a type.

    Examples
    --------
    >>> plain_type(str | None)
    <class 'str'>
    """
    if get_origin(annotation) is Annotated:
        return plain_type(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return plain_type(next(each for each in get_args(annotation) if each is not type(None)))
    return annotation


def type_in_words(annotation: Any) -> str:
    """Say what a value of this type looks like in the plant file.

    Examples
    --------
    >>> type_in_words(tuple[float, float] | None)
    'two numbers such as [0, 10]'
    >>> type_in_words(Literal["time", "machine"])
    "'time' or 'machine'"
    """
    kind = plain_type(annotation)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return either([repr(each) for each in arguments])
    if origin is tuple:
        return "two whole numbers such as [2, 3]" if arguments[0] is int else "two numbers such as [0, 10]"
    if origin is list and get_origin(arguments[0]) is Literal:
        return f"a list of {either([repr(each) for each in get_args(arguments[0])])}"
    if origin is list:
        return _MANY.get(plain_type(arguments[0]), "a list of tables")
    if origin is dict and arguments[1] is Any:
        return "a table such as { n_estimators = 200 }"
    if origin is dict and plain_type(arguments[1]) is timedelta:
        return "a table of durations such as { seal = '4 h' }"
    if origin is dict and plain_type(arguments[1]) is float:
        return "a table of numbers such as { press = 120 }"
    if origin is dict and plain_type(arguments[1]) is not str:
        return 'a table of texts or lists of texts such as { state = ["down", "slow"] }'
    if origin is dict:
        return 'a table of texts such as { pressure = "P1" }'
    return _PLAIN.get(kind, "a table")


def either(words: Sequence[str]) -> str:
    """Join words as alternatives.

    Examples
    --------
    >>> either(["a", "b", "c"])
    'a, b or c'
    """
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def keys_of(part: type[Part]) -> dict[str, FieldInfo]:
    """Return the keys that a person may write in a table of this kind, with their fields.

    Examples
    --------
    >>> from ingest.plant import Signal
    >>> list(keys_of(Signal))
    ['name', 'unit', 'range', 'limits', 'zones', 'every', 'max_age', 'operating', 'rate', 'snapshot', 'speed', 'bands']
    """
    return {field.alias or name: field for name, field in part.model_fields.items() if not field.exclude}


def kind_at(location: Location) -> Any:
    """Return the type of what may stand at a location; ``None`` where nothing is foreseen.

    Examples
    --------
    >>> kind_at(("classes", 0, "signals", 2, "unit"))
    <class 'str'>
    """
    kind: Any = Plant
    for step in location:
        if is_part(kind):
            field = keys_of(kind).get(str(step)) or kind.model_fields.get(str(step))
            kind = plain_type(field.annotation) if field else None
        elif get_origin(kind) in (list, tuple, dict):
            kind = plain_type(get_args(kind)[-1])
        else:
            return None
    return kind


def is_part(kind: object) -> bool:
    """Whether a type is a table of the plant file."""
    return isinstance(kind, type) and issubclass(kind, Part)


def shown(value: object) -> str:
    """Write a value briefly, as TOML would.

    Examples
    --------
    >>> shown(True), shown({"a": 1}), shown("10 parsecs")
    ('true', 'a table', "'10 parsecs'")
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:56] + "…" + text[-1]


def nearest(name: str, known: Sequence[str]) -> str:
    """Suggest what a misspelt name was meant to be.

    Examples
    --------
    >>> nearest("pres", ["press", "pump"])
    "did you mean 'press'?"
    >>> nearest("oven", ["press", "pump"])
    'known: press, pump'
    >>> nearest("oven", [])
    'none is declared'
    """
    known = [each for each in known if each.strip()]
    lowered = {each.lower(): each for each in known}
    close = get_close_matches(name.lower(), list(lowered), n=1)
    if close:
        return f"did you mean '{lowered[close[0]]}'?"
    if not known:
        return "none is declared"
    listed = ", ".join(known[:12])
    return f"known: {listed}" + (f" and {len(known) - 12} more" if len(known) > 12 else "")
