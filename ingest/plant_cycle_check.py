"""Whether a source says when its rows were: by a time, by a counter of cycles, or by their order."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from ingest.plant import Source
from ingest.plant_problem import Problem
from ingest.plant_words import Location
from ingest.year import FIRST_YEAR, LAST_YEAR, is_within_reach


def check_cycles(at: Location, source: Source) -> Iterator[Problem]:
    """Give what is wrong with the times of a source.

    Parameters
    ----------
    at : place of the source in the plant file
    """
    counted = "cycle" if source.cycle is not None else "cycle_is_row" if source.cycle_is_row else ""
    if source.time is not None and counted:
        yield Problem((*at, "time"), f"stands beside '{counted}'; keep one of the two")
    elif source.cycle is not None and source.cycle_is_row:
        yield Problem((*at, "cycle_is_row"), "stands beside 'cycle'; keep one of the two")
    elif source.time is None and not counted:
        yield Problem(
            (*at, "time"),
            "is missing; write the column of the event time, or the column of a cycle counter as 'cycle'; where rows"
            " have neither and stand in their order, cycle_is_row = true",
        )
    if counted and source.cycle_length is None:
        yield Problem((*at, "cycle_length"), "is missing; write how long one cycle lasts, such as '1 h'")
    if not counted:
        for key in ("cycle_length", "cycle_start", "cycle_after_newest", "step", "step_length"):
            if getattr(source, key) not in (None, False):
                yield Problem((*at, key), "has no meaning without 'cycle'; add cycle = a column, or leave it out")
    elif (source.step is None) != (source.step_length is None):
        missing = "step_length" if source.step else "step"
        yield Problem((*at, missing), "is missing; readings within a cycle need step and step_length")
    elif source.cycle_after_newest and source.cycle is None:
        yield Problem(
            (*at, "cycle_after_newest"), "has no meaning without 'cycle'; add cycle = a column, or leave it out"
        )
    elif source.cycle_after_newest and source.cycle_start is not None:
        yield Problem((*at, "cycle_start"), "stands beside 'cycle_after_newest'; keep one of the two")
    for key in ("cycle_length", "step_length"):
        length = getattr(source, key)
        if length is not None and length <= timedelta():
            yield Problem((*at, key), "is not above zero; write a duration such as '15 min'")
    yield from not_a_moment((*at, "cycle_start"), source.cycle_start)


def not_a_moment(at: Location, moment: datetime | None) -> Iterator[Problem]:
    """Give a moment that no calendar of a plant has."""
    if moment is not None and not is_within_reach(moment):
        yield Problem(at, f"year {moment.year} is out of reach; write a time between {FIRST_YEAR} and {LAST_YEAR}")
