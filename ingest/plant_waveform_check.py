"""Whether waveform signals and bearings of a class fit together."""

from collections.abc import Iterator
from datetime import timedelta

from ingest.plant import MachineClass, Signal
from ingest.plant_bearing import TURNS, fixed_speed
from ingest.plant_problem import Problem
from ingest.plant_words import Location, either, nearest

_NOTHING = timedelta(0)
_ONLY_WITH_RATE = ("snapshot", "speed", "bands")


def check_waveforms(at: Location, entry: MachineClass) -> Iterator[Problem]:
    """Give what is wrong with the waveforms and bearings of a class.

    Parameters
    ----------
    at : place of the class in the plant file
    """
    waveforms = [signal.name for signal in entry.signals if signal.rate is not None]
    for index, signal in enumerate(entry.signals):
        here = (*at, "signals", index)
        if signal.rate is None:
            for key in _ONLY_WITH_RATE:
                if getattr(signal, key) not in (None, [], ""):
                    yield Problem((*here, key), "has no meaning without 'rate'; add rate = '25600 Hz' or such")
        else:
            yield from _waveform(here, signal, signal.rate, entry)
    for index, bearing in enumerate(entry.bearings):
        here = (*at, "bearings", index)
        if not waveforms:
            yield Problem(here, "no signal of the class can hear it; add rate = '25600 Hz' or such to one")
        for place, name in enumerate(bearing.signals):
            if name not in waveforms:
                yield Problem((*here, "signals", place), f"no waveform signal {name!r}; {nearest(name, waveforms)}")
        if not bearing.ball_diameter < bearing.pitch_diameter:
            yield Problem(
                (*here, "ball_diameter"),
                f"{bearing.ball_diameter:g} is not below the pitch diameter, {bearing.pitch_diameter:g}",
            )
        if "__" in bearing.name or "@" in bearing.name:
            yield Problem((*here, "name"), f"{bearing.name!r} stands in names of columns; leave out '__' and '@'")
        for place, signal in enumerate(entry.signals):
            if signal.rate is not None and (not bearing.signals or signal.name in bearing.signals) and not signal.speed:
                yield Problem(
                    (*at, "signals", place, "speed"),
                    f"is missing: it hears the bearing {bearing.name!r}; write a signal, or a speed such as '1480 rpm'",
                )


def _waveform(here: Location, signal: Signal, rate: float, entry: MachineClass) -> Iterator[Problem]:
    if signal.every is None:
        yield Problem((*here, "every"), "is missing; write how often a snapshot comes, such as '10 min'")
    if signal.limits is not None:
        yield Problem((*here, "limits"), "has no meaning with 'rate'; what is read one by one has limits: leave it out")
    if signal.max_age is not None:
        yield Problem((*here, "max_age"), "has no meaning with 'rate'; of its speed signal it has: leave it out")
    if signal.snapshot is not None and not _NOTHING < signal.snapshot <= timedelta(minutes=1):
        yield Problem((*here, "snapshot"), "is not above zero and up to a minute; write a length such as '1 s'")
    for index, (low, high) in enumerate(signal.bands):
        if not 0 <= low < high <= rate / 2:
            yield Problem(
                (*here, "bands", index),
                f"[{low:g}, {high:g}] is no band below half the rate; write two frequencies in Hz, 0 to {rate / 2:g}",
            )
    if signal.speed is not None and fixed_speed(signal.speed) is None:
        of = {each.name: each for each in entry.signals if each.rate is None}
        if signal.speed not in of:
            yield Problem(
                (*here, "speed"),
                f"{signal.speed!r} is no signal, and no speed such as '1480 rpm'; {nearest(signal.speed, list(of))}",
            )
        elif of[signal.speed].unit not in TURNS:
            yield Problem(
                (*here, "speed"),
                f"signal {signal.speed!r} has the unit {of[signal.speed].unit!r}; a speed is in {either(list(TURNS))}",
            )
