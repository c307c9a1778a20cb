"""The ledger: each second of a machine in exactly one bucket, each piece in one row.

The sum of all buckets of a row is its calendar time, in whole microseconds; so it is of every day, shift, machine and
line that rows are added up to.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.microsecond import microseconds
from features.production.bucket import (
    BREAKDOWN,
    FAILED,
    MEANINGS,
    MINOR,
    NAMES,
    NOT_PLANNED,
    PLANNED_STOP,
    RUNNING,
    STANDING,
    STOPPED,
    UNKNOWN,
)
from features.production.calendar import BREAK, OFF, Calendar, calendar_of
from features.production.pieces import OUTCOMES, Pieces
from features.production.rates import Rates
from features.production.stretches import NOTHING, Course, Stretches, ascending
from features.production.told import Told
from ingest.plant import Plant

KEYS = ("machine", "line", "day", "shift", "shift_day", "product")
PIECES = tuple(f"{outcome}_pieces" for outcome in OUTCOMES)
COLUMNS = (*KEYS, "ideal_cycle", *NAMES, *PIECES, "off_plan_pieces")
REASONS = ("machine", "bucket", "reason", "time", "times")
FAILURES = ("machine", "begin", "repair", "up", "up_since_failure")

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where the time and the pieces of one machine went.

    Attributes
    ----------
    table : with ``COLUMNS``: a row for each local day, shift and product; buckets and ``ideal_cycle`` in whole
        microseconds, the latter 0 where it is not known. Pieces that were counted outside planned time are
        ``off_plan_pieces`` and nothing else
    reasons : with ``REASONS``: time of each bucket by the plant's own words, in microseconds, and how often it came
    failures : with ``FAILURES``: breakdowns; ``repair`` is their busy time, ``up`` the busy time outside breakdowns
        since the one before (or since the start of the span: then ``up_since_failure`` is false). The last row has no
        ``begin`` (NaT): what has been up since the last breakdown
    declared : whether anything says when the machine is planned to run
    counted : whether it counts its pieces
    """

    table: pd.DataFrame
    reasons: pd.DataFrame
    failures: pd.DataFrame
    declared: bool
    counted: bool


def ledger_of(plant: Plant, machine: str, told: Told, start: int, stop: int) -> Ledger:
    """Return where the time of a machine in [start, stop) went, and its pieces in (start, stop].

    Parameters
    ----------
    told : what is known of it; from some time before the start on, so that stops have their whole length
    start, stop : microseconds since 1970, start < stop
    """
    said = all_said(told, start, stop)
    done = without_minor_stops(
        Course(said.edges, told.lexicon.meanings(said.what)), microseconds(plant.production.minor_stop)
    )
    calendar = calendar_of(plant, machine, start, stop, told.shifts)
    rates = Rates.of(plant, machine, told.products)
    product = product_course(told, rates, start, stop)
    edges = ascending([np.clip(each.edges, start, stop) for each in (said, product, calendar.course)])
    begins, lengths = edges[:-1], np.diff(edges)
    part = calendar.course.at(begins)
    did = in_plan(done.at(begins), calendar.planned[part])
    keys, row_of_part = _rows(calendar)
    wide = len(rates.ideal)
    row = row_of_part[part] * wide + product.at(begins)

    pieces = told.pieces.shared_out(calendar.course.edges, done, done.what == RUNNING)
    pieces = pieces.where((pieces.time > start) & (pieces.time <= stop))
    at = calendar.course.places(pieces.time)
    ran_by = product.what[product.places(pieces.time)] if len(pieces.time) else np.empty(0, np.int64)
    made = np.where(pieces.product == NOTHING, ran_by, pieces.product)
    piece_row = row_of_part[at] * wide + made
    off_plan = calendar.planned[at] == OFF

    used = np.zeros(len(keys["day"]) * wide, np.bool_)
    used[row] = used[piece_row] = True
    rows, place = np.flatnonzero(used), np.cumsum(used) - 1
    spent = np.zeros((len(MEANINGS), len(rows)), np.int64)
    np.add.at(spent, (did, place[row]), lengths)
    amounts = np.zeros((len(OUTCOMES) + 1, len(rows)))
    np.add.at(amounts, (np.where(off_plan, len(OUTCOMES), pieces.outcome), place[piece_row]), pieces.amount)

    counted = len(told.pieces.time) > 0
    columns = _split(spent, amounts[: len(OUTCOMES)], rates.ideal[rows % wide], counted=counted)
    names = np.array([*told.products, ""], object)
    place_in_plant = plant.machine_named(machine)
    table = pd.DataFrame(
        {
            "machine": machine,
            "line": place_in_plant.line,
            **{name: values[rows // wide] for name, values in keys.items()},
            "product": names[rows % wide],
            "ideal_cycle": rates.ideal[rows % wide],
            **columns,
            **dict(zip((*PIECES, "off_plan_pieces"), amounts, strict=True)),
        }
    )
    return Ledger(
        table=table[list(COLUMNS)],
        reasons=_reasons(machine, told, said, begins, did, lengths),
        failures=_failures(machine, done, edges, did),
        declared=calendar.declared,
        counted=counted,
    )


def all_said(told: Told, start: int, stop: int) -> Course:
    """Return what is said of the span and of all time around it that something is said of."""
    first = min([start, *(int(each.begin[0]) for each in told.layers if len(each.begin))])
    last = max([stop, *(int(each.stop[-1]) for each in told.layers if len(each.stop))])
    return Course.overlaid(told.layers, first, last)


def without_minor_stops(course: Course, limit: int) -> Course:
    """Return a course in which stops that are shorter than a limit are minor stops, and recorded failures breakdowns.

    A stop lasts until the machine does something else, whatever it is called in between; one that holds a recorded
    failure is no minor stop.

    Parameters
    ----------
    course : of numbers among ``MEANINGS``
    limit : in microseconds
    """
    course = Course.joined(course.edges, course.what)
    stood = np.isin(course.what, (STOPPED, BREAKDOWN, FAILED))
    run = np.cumsum(np.diff(stood, prepend=False))
    length = np.bincount(run, weights=course.lengths, minlength=1)
    failed = np.bincount(run, weights=course.what == FAILED, minlength=1) > 0
    minor = stood & (length[run] < limit) & ~failed[run]
    what = np.where(minor, MINOR, np.where(course.what == FAILED, BREAKDOWN, course.what))
    return Course.joined(course.edges, what)


def in_plan(did: Numbers, planned: Numbers) -> Numbers:
    """Return what a machine did as the plan sees it: off plan nothing counts, and in a break only running does."""
    paused = (planned == BREAK) & (did != RUNNING) & (did != NOT_PLANNED)
    return np.where(planned == OFF, NOT_PLANNED, np.where(paused, PLANNED_STOP, did))


def product_course(told: Told, rates: Rates, start: int, stop: int) -> Course:
    """Return which product is on the machine: by orders, else by the next count that names one, else the only one."""
    orders = told.orders
    if (orders.what == NOTHING).all() and len(told.pieces.time):
        orders = _by_counts(told.pieces, stop)
    course = Course.overlaid([orders], start, stop)
    return Course(course.edges, np.where(course.what == NOTHING, rates.only, course.what))


def _by_counts(pieces: Pieces, stop: int) -> Stretches:
    """Return products by counts: what is counted was on the machine since the count before."""
    named = pieces.product != NOTHING
    order = np.argsort(pieces.time[named], kind="stable")
    time, product = pieces.time[named][order], pieces.product[named][order]
    last = np.append(product[1:] != product[:-1], True)[: len(product)]
    ends, product = time[last], product[last]
    if not len(ends):
        return Stretches.overlapping(ends, ends, product)
    begins = np.concatenate([[np.iinfo(np.int64).min // 2], ends[:-1]])
    ends[-1] = max(int(ends[-1]), stop)
    return Stretches.overlapping(begins, ends, product)


def _rows(calendar: Calendar) -> tuple[dict[str, NDArray[Any]], Numbers]:
    """Return the columns of one row for each day, shift and its day, and the row of each part of the calendar."""
    columns: dict[str, NDArray[Any]] = {"day": calendar.day, "shift": calendar.shift, "shift_day": calendar.shift_day}
    row = pd.DataFrame(columns).groupby(list(columns), sort=False).ngroup().to_numpy().astype(np.int64)
    _, first = np.unique(row, return_index=True)
    return {name: values[first] for name, values in columns.items()}, row


def _split(
    spent: Numbers, amounts: NDArray[np.float64], ideal: Numbers, *, counted: bool
) -> dict[str, NDArray[np.int64]]:
    """Return the buckets of each row: running time goes to pieces at their ideal cycle time, what is left is speed."""
    columns = {name: spent[MEANINGS.index(name)] for name in STANDING}
    rated = (ideal > 0) & counted
    taken = np.where(rated, np.rint(amounts * ideal).astype(np.int64), 0)
    running = spent[RUNNING]
    columns |= {
        "unrated": np.where(rated, 0, running),
        "speed_loss": np.where(rated, running - taken.sum(axis=0), 0),
        **dict(zip(OUTCOMES, taken, strict=True)),
    }
    return {name: columns[name] for name in NAMES}


def _reasons(machine: str, told: Told, said: Course, begins: Numbers, did: Numbers, lengths: Numbers) -> pd.DataFrame:
    number = said.at(begins)
    meant = told.lexicon.meanings(number)
    # In a break or off plan the word is no reason; a minor stop keeps that of its stop.
    kept = (meant == did) | ((did == MINOR) & (meant != UNKNOWN)) | ((did == BREAKDOWN) & (meant == FAILED))
    words = [*told.lexicon.word, ""]
    key = did * len(words) + np.where(kept & (number != NOTHING), number, len(words) - 1)
    time, times = np.zeros((2, len(MEANINGS) * len(words)), np.int64)
    np.add.at(time, key, lengths)
    np.add.at(times, key[np.diff(key, prepend=NOTHING) != 0], 1)
    found = np.flatnonzero(time)
    frame = pd.DataFrame(
        {
            "machine": machine,
            "bucket": [MEANINGS[each] for each in found // len(words)],
            "reason": [words[each] for each in found % len(words)],
            "time": time[found],
            "times": times[found],
        },
        columns=list(REASONS),
    )
    # A word may stand for two things, such as a stop and a failure of that name.
    return frame.groupby(list(REASONS[:3]), as_index=False, sort=True)[["time", "times"]].sum()


def _failures(machine: str, done: Course, edges: Numbers, did: Numbers) -> pd.DataFrame:
    """Return the breakdowns that began in the span, and the time up since the last of them."""
    lengths = np.diff(edges)
    up = np.concatenate([[0], np.cumsum(np.where(_up(did), lengths, 0))])
    down = np.concatenate([[0], np.cumsum(np.where(did == BREAKDOWN, lengths, 0))])
    broken = np.flatnonzero(done.what == BREAKDOWN)
    begin, stop = done.edges[broken], done.edges[broken + 1]
    inside = (begin >= edges[0]) & (begin < edges[-1])
    begin, stop = begin[inside], np.minimum(stop[inside], edges[-1])
    marks = np.concatenate([[edges[0]], stop])
    until = np.append(begin, edges[-1])
    return pd.DataFrame(
        {
            "machine": machine,
            "begin": np.append(begin.view("datetime64[us]"), np.datetime64("NaT")),
            "repair": np.append(np.rint(np.interp(stop, edges, down) - np.interp(begin, edges, down)), 0).astype(
                np.int64
            ),
            "up": np.rint(np.interp(until, edges, up) - np.interp(marks, edges, up)).astype(np.int64),
            "up_since_failure": np.arange(len(begin) + 1) > 0,
        },
        columns=list(FAILURES),
    )


def _up(did: Numbers) -> NDArray[np.bool_]:
    return ~np.isin(did, (BREAKDOWN, UNKNOWN, NOT_PLANNED, PLANNED_STOP))
