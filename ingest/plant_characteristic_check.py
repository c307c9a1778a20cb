"""Whether the characteristics of a class fit together, and whether their charts can hold what is asked for."""

from collections.abc import Iterator
from datetime import timedelta

from ingest.duration import format_duration
from ingest.plant import MachineClass
from ingest.plant_characteristic import RUN_LENGTHS, YEAR, Characteristic
from ingest.plant_problem import Problem
from ingest.plant_words import Location, nearest


def check_characteristics(at: Location, entry: MachineClass) -> Iterator[Problem]:
    """Give what is wrong with the characteristics of a class.

    Parameters
    ----------
    at : place of the class in the plant file
    """
    known = [signal.name for signal in entry.slow_signals]
    for index, each in enumerate(entry.characteristics):
        here = (*at, "characteristics", index)
        if each.signal not in known:
            yield Problem((*here, "signal"), f"no signal {each.signal!r}; {nearest(each.signal, known)}")
        if each.signal in [before.signal for before in entry.characteristics[:index]]:
            yield Problem((*here, "signal"), f"{each.signal!r} stands here a second time; keep one of the two")
        if each.lower is not None and each.upper is not None and each.lower >= each.upper:
            yield Problem((*here, "lower"), f"{each.lower:g} is not below 'upper', {each.upper:g}")
        if each.every <= timedelta(0):
            yield Problem((*here, "every"), "is not above zero; write a duration such as '1 h'")
        else:
            yield from _run_length(here, each)


def _run_length(here: Location, each: Characteristic) -> Iterator[Problem]:
    least, most = RUN_LENGTHS
    if least <= each.run_length <= most:
        return
    shortest = timedelta(minutes=-(-YEAR // (most * each.false_signals_per_year * timedelta(minutes=1))))
    mend = (
        f"write every = '{format_duration(shortest)}' or longer, or allow more false signals"
        if each.run_length > most
        else "write a shorter 'every', or allow fewer false signals"
    )
    yield Problem(
        (*here, "false_signals_per_year"),
        f"{each.false_signals_per_year:g} a year, at a point every {format_duration(each.every)}, is one in "
        f"{each.run_length:,.0f} points; a chart can hold {least:g} to {most:g}: {mend}",
    )
