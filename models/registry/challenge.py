"""Whether a challenger costs less than the version it is to replace, on the time on which both were judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ingest.duration import parse_duration
from ingest.plant import Costs
from models.judging.evaluate import AlertVerdict, EventVerdict
from models.judging.interval import Interval
from models.judging.saving import Term, by_resampling, counted, summed, wider
from models.moment import span

_FOUND = EventVerdict.FOUND.value
_JUDGED = {each.value for each in EventVerdict} - {EventVerdict.NOT_JUDGED.value}

_FEWEST_UNITS = 24
"""With fewer machines, the time of each is cut into stretches, as many as make so many units to draw."""

Event = tuple[str, np.datetime64]
"""A machine, and the begin of an event or an alarm on it."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What one version did in some span of time.

    Attributes
    ----------
    found : of each event that it was judged on, whether it found it
    false : begin of each false alarm, and its machine
    """

    found: Mapping[Event, bool]
    false: Sequence[Event]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions on the same time.

    Attributes
    ----------
    saved : what the challenger would have saved against the live version; less than 0 where it cost more
    events, machines : that both were judged on
    only_live, only_challenger : events that only one of them found
    false_live, false_challenger : their false alarms
    """

    saved: Interval
    events: int
    machines: int
    only_live: int
    only_challenger: int
    false_live: int
    false_challenger: int


def compare(challenger: Mapping[str, Any], live: Mapping[str, Any]) -> Comparison | None:
    """Compare two versions by their cards; ``None`` where they share no time on which both were judged.

    Pairs are made where they can be: an event that both found, or both missed, says nothing. Money is that of
    the challenger's card. The interval is the wider one of two: that of the counts, exact however few they
    are, and that of a bootstrap over machines and stretches of time, which sees where alarms come together.

    Parameters
    ----------
    challenger, live : model cards, see ``card``
    """
    spans = [_judged_span(card) for card in (challenger, live)]
    if None in spans or challenger["target"] != live["target"] or "costs" not in challenger:
        return None
    (begin, end), (other_begin, other_end) = (each for each in spans if each is not None)
    start, until = max(begin, other_begin), min(end, other_end)
    horizon = max(span(parse_duration(card["horizon"])) for card in (challenger, live))
    if until - start <= horizon:
        return None
    new, old = (_judged(card, start, until, horizon) for card in (challenger, live))
    # An event that only one was judged on, though both had time to, was missed by the other.
    shared = {
        each for each in {*new.found, *old.found} if each[1] > start + horizon or each in new.found.keys() & old.found
    }
    seen = (machine for machine, _ in (*shared, *new.false, *old.false))
    machines = sorted({*challenger["data"]["machines"], *live["data"]["machines"], *seen})
    only_new = [each for each in shared if new.found.get(each) and not old.found.get(each)]
    only_old = [each for each in shared if old.found.get(each) and not new.found.get(each)]
    costs = Costs.model_validate(challenger["costs"])
    event, alarm = costs.missed_failure - costs.planned_stop, costs.false_alarm
    parts = ((event, only_new), (-event, only_old), (alarm, old.false), (-alarm, new.false))
    most = int((until - start) // (2 * horizon))
    stretches = max(1, min(-(-_FEWEST_UNITS // len(machines)), most))
    length, number = (until - start) / stretches, {name: place for place, name in enumerate(machines)}
    saved = np.zeros((len(machines), stretches))
    for worth, those in parts:
        for machine, begin in those:
            saved[number[machine], min(stretches - 1, int((begin - start) / length))] += worth
    exact = summed([Term(worth, counted(len(those))) for worth, those in parts])
    return Comparison(
        saved=wider(exact, by_resampling(saved.ravel())),
        events=len(shared),
        machines=len(machines),
        only_live=len(only_old),
        only_challenger=len(only_new),
        false_live=len(old.false),
        false_challenger=len(new.false),
    )


def _judged_span(card: Mapping[str, Any]) -> tuple[np.datetime64, np.datetime64] | None:
    judged = card.get("judged") or {}
    if not judged.get("enough", True) or "span" not in judged:
        return None
    return _moment(judged["span"]["start"]), _moment(judged["span"]["end"])


def _judged(card: Mapping[str, Any], start: np.datetime64, end: np.datetime64, horizon: np.timedelta64) -> Judged:
    """Return what a version did in (start, end]; an alert counts once its horizon is over for both."""
    judged = card["judged"]
    found = {
        (str(each["machine"]), begin): each["verdict"] == _FOUND
        for each in judged["event_list"]
        if start < (begin := _moment(each["begin"])) <= end and each["verdict"] in _JUDGED
    }
    false = [
        (str(each["machine"]), begin)
        for each in judged["alerts"]
        if each["verdict"] == AlertVerdict.FALSE.value and start < (begin := _moment(each["begin"])) <= end - horizon
    ]
    return Judged(found, false)


def _moment(text: str) -> np.datetime64:
    return np.datetime64(text.removesuffix("Z"), "us")
