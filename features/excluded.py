"""Time that is left out: while a machine is known to be off, and while it settles after a start.

What is not known counts as running, so that a dead sensor switches no watch off. Whether a moment is
left out depends on nothing later than itself.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from features.microsecond import microseconds
from features.running import Running
from features.samples import Past
from features.timeline import Spans, Timeline, timelines
from ingest.expression import Truth


def excluded_time(
    running: Running, history: Past, machine_class: str, machines: Sequence[str], start: int, end: int
) -> list[Spans]:
    """Return what is left out of (start, end], for each machine; times in microseconds since 1970."""
    settle = microseconds(running.settle)
    found = _ran(running, history, machine_class, machines, start - settle, end)
    return [_excluded(line, truth, settle, start + 1, end + 1) for line, truth in found]


def ran_throughout(running: Running, history: Past, machine_class: str, machine: str, start: int, end: int) -> bool:
    """Return whether a machine is known to have run all through (start, end]."""
    ((line, truth),) = _ran(running, history, machine_class, [machine], start, end)
    return int(line.where(truth.yes).within(np.array([start]), np.array([end]))[0]) == end - start


def known_running(
    running: Running, history: Past, machine_class: str, machine: str, start: int, end: int
) -> tuple[Spans, Spans]:
    """Return when a machine is known to have run in (start, end], and when it is known to have stood."""
    ((line, truth),) = _ran(running, history, machine_class, [machine], start, end)
    return line.where(truth.yes), line.where(truth.no)


def _ran(
    running: Running, history: Past, machine_class: str, machines: Sequence[str], start: int, end: int
) -> Iterator[tuple[Timeline, Truth]]:
    """Yield of each machine when something changes in (start, end], and whether it runs from then on."""
    expression = running.read()
    ages = [microseconds(each) for each in running.max_ages]
    for line in timelines(
        expression.signals, ages, history, machine_class, machines, start, end, states=expression.uses_state
    ):
        yield line, expression.truth(line.given)


def _excluded(line: Timeline, ran: Truth, settle: int, first: int, stop: int) -> Spans:
    """Return the spans within first ≤ t < stop at which the machine is off or settles."""
    started = ran.yes & ~np.concatenate([[False], ran.yes[:-1]])
    begin = np.concatenate([line.moments[ran.no], line.moments[started]])
    end = np.concatenate([line.until[ran.no], line.moments[started] + settle])
    begin, end = np.maximum(begin, first), np.minimum(end, stop)
    return Spans.joined(begin[begin < end], end[begin < end])
