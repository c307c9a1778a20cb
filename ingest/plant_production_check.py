"""Whether products, shifts and the words of production fit together."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from typing import Any, get_args

from ingest.clock_span import DAY, ClockSpan
from ingest.plant import EventMapping
from ingest.plant_draft import Draft
from ingest.plant_problem import Problem
from ingest.plant_production import Day, Product, Shift, Words
from ingest.plant_words import Location, nearest

MADE = ("order", "count")
"""Kinds of events that have a product."""
_DAYS: tuple[str, ...] = get_args(Day)
_WEEK = 7 * DAY


def check_production(draft: Draft) -> Iterator[Problem]:
    """Give what is wrong with products, shifts and the settings of production."""
    for index, product in draft.products.items():
        yield from _product(draft, ("products", index), product)
    for index, shift in draft.shifts.items():
        yield from _shift(draft, ("shifts", index), shift)
    yield from _overlaps(draft)
    if draft.production is None:
        return
    yield from _above_zero(("production", "minor_stop"), draft.production.minor_stop)
    yield from _above_zero(("production", "state_holds"), draft.production.state_holds)
    yield from check_words(("production", "words"), draft.production.words)
    places = {*_machines_and_classes(draft), *draft.line_of.values()}
    yield from _known(("production", "hour_values"), "machine, class or line", draft.production.hour_values, places)


def check_words(at: Location, words: Words) -> Iterator[Problem]:
    """Give words that stand for two things."""
    meaning: dict[str, str] = {}
    for key in Words.model_fields:
        for word, times in Counter(getattr(words, key)).items():
            first = meaning.setdefault(word, key)
            if first != key or times > 1:
                yield Problem((*at, key), f"{word!r} stands under '{first}' already; a word has one meaning")


def check_product_of(draft: Draft, at: Location, mapping: EventMapping) -> Iterator[Problem]:
    """Give what is wrong with the product of a mapping's events."""
    for key in ("product", "product_is"):
        if not getattr(mapping, key):
            continue
        if mapping.kind not in MADE:
            yield Problem(
                (*at, key), f"has no meaning for kind '{mapping.kind}'; only an order or a count has a product"
            )
        elif mapping.component or mapping.component_is:
            yield Problem((*at, key), "stands beside a component; an order or a count has only a product")
    if mapping.product and mapping.product_is:
        yield Problem((*at, "product"), "stands beside 'product_is'; keep one of the two")
    if mapping.product_is:
        yield from _known(
            (*at, "product_is"), "product", {mapping.product_is: None}, draft.names("products"), deep=False
        )


def _product(draft: Draft, at: Location, product: Product) -> Iterator[Problem]:
    yield from _above_zero((*at, "ideal_cycle"), product.ideal_cycle)
    for name, cycle in product.ideal_cycles.items():
        yield from _above_zero((*at, "ideal_cycles", name), cycle)
    yield from _known((*at, "ideal_cycles"), "machine or class", product.ideal_cycles, _machines_and_classes(draft))


def _shift(draft: Draft, at: Location, shift: Shift) -> Iterator[Problem]:
    for key, noun, known in (
        ("lines", "line", list(draft.line_of.values())),
        ("machines", "machine", draft.machine_names),
    ):
        for index, name in enumerate(getattr(shift, key)):
            if name not in known:
                yield Problem((*at, key, index), f"no {noun} {name!r}; {nearest(name, sorted(set(known)))}")
    for index, pause in enumerate(shift.breaks):
        if within(pause, shift.hours) is None:
            yield Problem((*at, "breaks", index), f"{pause} lies outside the shift's hours, {shift.hours}")


def within(pause: ClockSpan, hours: ClockSpan) -> ClockSpan | None:
    """Return a break in minutes of the day on which the shift begins; ``None`` if it lies not within the shift.

    Examples
    --------
    >>> within(ClockSpan(120, 150), ClockSpan(1320, 1800))
    ClockSpan(begin=1560, end=1590)
    """
    for later in (0, DAY):
        if hours.begin <= pause.begin + later and pause.end + later <= hours.end:
            return ClockSpan(pause.begin + later, pause.end + later)
    return None


def members(shift: Shift, machines: Collection[str], line_of: Mapping[str, str]) -> set[str]:
    """Return the machines that work in a shift."""
    if not shift.lines and not shift.machines:
        return set(machines)
    return {each for each in machines if each in shift.machines or line_of.get(each) in shift.lines}


def _overlaps(draft: Draft) -> Iterator[Problem]:
    """Give shifts in which one machine would work at once, by the clock of an ordinary week."""
    shifts = list(draft.shifts.items())
    workers = {index: members(shift, draft.machine_names, draft.line_of) for index, shift in shifts}
    for place, (index, shift) in enumerate(shifts):
        for earlier, other in shifts[:place]:
            day = _meet(shift, other)
            if day and workers[index] & workers[earlier]:
                yield Problem(
                    ("shifts", index, "hours"),
                    f"{shift.hours} on {day} overlaps shift {other.name!r}, {other.hours}; "
                    "end one where the other begins, or give them other lines or machines",
                )
                break


def _meet(shift: Shift, other: Shift) -> str:
    """Return the first day on which a shift overlaps another one; nothing if they never do."""
    for day in shift.days:
        begin = _DAYS.index(day) * DAY + shift.hours.begin
        for other_day in other.days:
            other_begin = _DAYS.index(other_day) * DAY + other.hours.begin
            length, other_length = shift.hours.end - shift.hours.begin, other.hours.end - other.hours.begin
            if (other_begin - begin) % _WEEK < length or (begin - other_begin) % _WEEK < other_length:
                return day
    return ""


def _machines_and_classes(draft: Draft) -> list[str]:
    return [*draft.class_of, *draft.signals]


def _known(
    at: Location, noun: str, given: Mapping[str, Any], known: Collection[str], *, deep: bool = True
) -> Iterator[Problem]:
    for name in given:
        if name not in known:
            yield Problem((*at, name) if deep else at, f"no {noun} {name!r}; {nearest(name, sorted(known))}")


def _above_zero(at: Location, span: timedelta | None) -> Iterator[Problem]:
    if span is not None and span <= timedelta():
        yield Problem(at, "is not above zero; write a duration such as '30 s'")
