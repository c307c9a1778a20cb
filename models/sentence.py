"""One plain sentence about one finding: what, how likely, why, until when."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from ingest.duration import format_duration
from ingest.plant import ModelEntry
from models.finding import Evidence
from models.life.life import Life
from models.why.similar import SimilarEpisode

GIVEN_OTHERS = ", given the other signals"
"""Behind a feature that is held against what the other signals let expect."""

_LIKELY_FROM = 0.5
_MOST_SIGNALS = 2
_LEAST_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """How many of a model's alerts were right when it was judged on time it had not seen."""

    right: int
    alerts: int


def failure_sentence(
    entry: ModelEntry,
    machine: str,
    component: str,
    level: float,
    record: TrackRecord | None,
    evidence: Sequence[Evidence],
) -> str:
    """Say that an event may be ahead, without the time to act before.

    Examples
    --------
    >>> entry = ModelEntry(name="m", task="failure_risk", machine_class="p", horizon="24 h")
    >>> voltage = Evidence(signal="voltage", unit="V", feature="24 h mean", actual=182.4, expected=170.6, share=0.7)
    >>> failure_sentence(entry, "17", "part 2", 0.62, TrackRecord(7, 9), [voltage])
    'Machine 17: part 2 likely to fail within 24 h (62 %, right 7 of 9 before); voltage 24 h mean 12 V above normal'
    >>> failure_sentence(entry, "press-3", "", 0.083, None, [])
    'press-3: may fail within 24 h (8 %, no track record yet)'
    """
    likely = level >= _LIKELY_FROM
    ahead = format_duration(entry.horizon)
    if entry.target.kind == "failure":
        what = "likely to fail" if likely else "may fail"
        about = f"{component or entry.target.component} {what} within {ahead}".strip()
        about += f" ({entry.target.code})" if entry.target.code else ""
    else:
        event = " ".join(filter(None, (component or entry.target.component, entry.target.kind, entry.target.code)))
        about = f"{event} {'likely' if likely else 'possible'} within {ahead}"
    return _joined(f"{named(machine)}: {about} ({percent(level)}, {track_record(record)})", evidence)


def anomaly_sentence(machine: str, level: float, evidence: Sequence[Evidence], often: str | None = None) -> str:
    """Say that a machine behaves unlike its normal, without the time to act before.

    Parameters
    ----------
    often : how often a healthy machine is as strange, in words of ``times_a_year``

    Examples
    --------
    >>> flow = Evidence(signal="flow", unit="l/s", feature="1 h mean", actual=3.1, expected=4.0, share=1.0)
    >>> anomaly_sentence("pump", 0.999_87, [flow])
    'pump behaves unlike its normal: flow 1 h mean 0.9 l/s below normal; stranger than 99.98 % of its healthy time'
    >>> anomaly_sentence("P", 0.999_87, [], "0.42 times a year")
    'P behaves unlike its normal; stranger than 99.98 % of its healthy time, as a healthy machine is 0.42 times a year'
    """
    why = ", ".join(_because(evidence))
    subject = f"{named(machine)} behaves unlike its normal"
    rarity = f", as a healthy machine is {often}" if often else ""
    return f"{subject}{': ' + why if why else ''}; stranger than {stranger_than(level)} of its healthy time{rarity}"


def one_signal_sentence(
    machine: str, signal: str, evidence: Sequence[Evidence], since: datetime, time_zone: str
) -> str:
    """Say that one signal alone departs, and what to look at.

    Examples
    --------
    >>> from datetime import UTC
    >>> flow = Evidence(signal="flow", unit="l/s", feature="1 h mean", actual=3.1, expected=4.0, share=1.0)
    >>> print(one_signal_sentence("pump", "flow", [flow], datetime(2026, 3, 4, 23, tzinfo=UTC), "Europe/Berlin"))
    pump: flow alone is not as usual since 2026-03-05 00:00 (flow 1 h mean 0.9 l/s below normal), as before no failure \
that was recorded; look at its sensor first, then at the machine
    """
    why = ", ".join(because(each) for each in evidence[:1])
    local = since.astimezone(ZoneInfo(time_zone)).strftime("%Y-%m-%d %H:%M")
    return (
        f"{named(machine)}: {signal} alone is not as usual since {local}{f' ({why})' if why else ''}, as before no"
        " failure that was recorded; look at its sensor first, then at the machine"
    )


def times_a_year(rate: float, *, at_most: bool = False) -> str:
    """Say how often something happens, or that it is rarer than that.

    Examples
    --------
    >>> times_a_year(12.3), times_a_year(0.42), times_a_year(0.021), times_a_year(1e-9)
    ('12 times a year', '0.42 times a year', 'once in 48 years', 'less than once in 100 years')
    >>> times_a_year(0.42, at_most=True), times_a_year(0.021, at_most=True)
    ('less than 0.42 times a year', 'less than once in 48 years')
    """
    if rate < 0.01:
        return "less than once in 100 years"
    told = f"once in {number(1 / rate)} years" if rate < 0.1 else f"{number(rate)} times a year"
    return f"less than {told}" if at_most else told


def as_before(sentence: str, episode: SimilarEpisode | None, time_zone: str) -> str:
    """Add the past episode that began alike, where there is one, with its day in the plant's time.

    Examples
    --------
    >>> from datetime import UTC
    >>> seal = {"component": "seal", "code": "seal leak", "note": "", "likeness": 0.9, "hours_before": 31.0}
    >>> begin = datetime(2026, 3, 4, 23, tzinfo=UTC)
    >>> episode = SimilarEpisode(machine="3", kind="failure", begin=begin, **seal)
    >>> as_before("It fails", episode, "Europe/Berlin")
    'It fails; as Machine 3 looked 31 h before its failure of 2026-03-05 (seal leak)'
    >>> as_before("It fails", None, "UTC")
    'It fails'
    """
    if episode is None:
        return sentence
    day = episode.begin.astimezone(ZoneInfo(time_zone)).strftime("%Y-%m-%d")
    found = episode.code or episode.component
    what = f"{episode.kind} of {day}{f' ({found})' if found else ''}"
    return f"{sentence}; as {named(episode.machine)} looked {number(episode.hours_before)} h before its {what}"


def life_sentence(
    entry: ModelEntry, machine: str, level: float, life: Life | None, evidence: Sequence[Evidence]
) -> str:
    """Say how many hours are left, without the time to act before.

    Examples
    --------
    >>> entry = ModelEntry(name="m", task="remaining_life", machine_class="p", horizon="24 h")
    >>> heat = Evidence(signal="heat", unit="degC", feature="20 h mean", actual=64.1, expected=60.0, share=0.7)
    >>> life_sentence(entry, "17", 0.12, Life(22.4, 40.3, 61.0, 125.0), [heat])
    'Machine 17: remaining life 40 h (10 %: 22 h, 90 %: 61 h); heat 20 h mean 4.1 degC above normal'
    >>> life_sentence(entry, "press-3", 0.02, Life(80.0, math.inf, math.inf, 125.0), [])
    'press-3: remaining life > 125 h (10 %: 80 h, 90 %: > 125 h)'
    >>> life_sentence(entry, "press-3", 0.001, None, [])
    'press-3: not degrading'
    """
    if life is None or math.isinf(life.low):
        return _joined(f"{named(machine)}: not degrading", evidence)
    low, middle, high = (_left(each, life.reach) for each in (life.low, life.middle, life.high))
    subject = " ".join(filter(None, (f"{named(machine)}:", entry.target.component, "remaining life")))
    return _joined(f"{subject} {middle} (10 %: {low}, 90 %: {high})", evidence)


def _left(hours: float, reach: float) -> str:
    return f"> {number(reach)} h" if math.isinf(hours) else f"{number(hours)} h"


def condition_sentence(machine: str, component: str, code: str, level: float, evidence: Sequence[Evidence]) -> str:
    """Say that a piece or a part is hardly as it should be, without the time to act before.

    Examples
    --------
    >>> pressure = Evidence(signal="PS1", unit="bar", feature="60 s mean", actual=150.0, expected=160.0, share=0.7)
    >>> condition_sentence("rig", "valve", "73", 0.62, [pressure])
    'rig: valve not good with 62 %, most likely 73; PS1 60 s mean 10 bar below normal'
    """
    likely = f", most likely {code}" if code else ""
    return _joined(f"{named(machine)}: {component or 'piece'} not good with {percent(level)}{likely}", evidence)


def with_act_before(sentence: str, at: datetime, act_before: datetime, time_zone: str) -> str:
    """Add until when to act, in the plant's time; with the date when it is not the day of ``at``.

    Examples
    --------
    >>> from datetime import UTC, timedelta
    >>> at = datetime(2026, 5, 2, 1, tzinfo=UTC)
    >>> with_act_before("It fails", at, at + timedelta(hours=3), "Europe/Berlin")
    'It fails; act before 06:00'
    >>> with_act_before("It fails", at, at + timedelta(hours=27), "Europe/Berlin")
    'It fails; act before 2026-05-03 06:00'
    """
    zone = ZoneInfo(time_zone)
    until, now = act_before.astimezone(zone), at.astimezone(zone)
    pattern = "%H:%M" if until.date() == now.date() else "%Y-%m-%d %H:%M"
    return f"{sentence}; act before {until.strftime(pattern)}"


def because(evidence: Evidence) -> str:
    """Say what is unusual about one signal.

    Examples
    --------
    >>> because(Evidence(signal="pressure", unit="bar", feature="24 h mean", actual=3.1, expected=4.0, share=0.5))
    'pressure 24 h mean 0.9 bar below normal'
    >>> heat = "24 h mean, given the other signals"
    >>> because(Evidence(signal="bearing", unit="degC", feature=heat, actual=64.1, expected=60.0, share=0.5))
    'bearing 24 h mean 4.1 degC above what the other signals let expect'
    >>> because(Evidence(signal="errors", unit="", feature="24 h count", actual=5, expected=0, share=0.5))
    '5 errors in 24 h, normally 0'
    >>> because(Evidence(signal="error1", unit="", feature="24 h count", actual=1, expected=0, share=0.5))
    'error1 1 time in 24 h, normally 0'
    >>> because(Evidence(signal="maintenance", unit="h", feature="hours since", actual=1210, expected=365, share=1))
    '1210 h since maintenance, normally 365 h'
    """
    if evidence.feature.endswith(" count"):
        span, once = evidence.feature.removesuffix(" count"), evidence.actual == 1
        if evidence.signal == "errors":
            what = f"{number(evidence.actual)} error{'' if once else 's'}"
        else:
            what = f"{evidence.signal} {number(evidence.actual)} time{'' if once else 's'}"
        return f"{what} in {span}, normally {number(evidence.expected)}"
    if evidence.feature == "hours since":
        return f"{number(evidence.actual)} h since {evidence.signal}, normally {number(evidence.expected)} h"
    difference = evidence.actual - evidence.expected
    against = "what the other signals let expect" if evidence.feature.endswith(GIVEN_OTHERS) else "normal"
    subject = " ".join(filter(None, (evidence.signal, evidence.feature.removesuffix(GIVEN_OTHERS))))
    if number(abs(difference)) == "0":
        return f"{subject} of {' '.join(filter(None, (number(evidence.actual), evidence.unit)))}"
    size = " ".join(filter(None, (number(abs(difference)), evidence.unit)))
    return f"{subject} {size} {'above' if difference > 0 else 'below'} {against}"


def number(value: float) -> str:
    """Write a number with two significant digits, or all digits before the decimal point if those are more.

    Examples
    --------
    >>> number(11.84), number(0.01234), number(1234.5), number(-3.0), number(2e-9), number(3.2e7)
    ('12', '0.012', '1234', '-3', '2e-09', '32000000')
    """
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "unknown"
    size = math.floor(math.log10(abs(value)))
    if size < -4:
        return f"{value:.1g}"
    text = f"{round(value, max(0, 1 - size)):.{max(0, 1 - size)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(level: float) -> str:
    """Write a probability without claiming to know more than it says.

    Examples
    --------
    >>> percent(0.624), percent(0.0042), percent(0.00002), percent(0.997)
    ('62 %', '0.4 %', 'under 0.1 %', 'over 99 %')
    """
    if level > 0.99:
        return "over 99 %"
    if level < 0.001:
        return "under 0.1 %"
    return f"{100 * level:.0f} %" if level >= 0.01 else f"{100 * level:.1f} %"


def stranger_than(level: float) -> str:
    """Write a share near one with as many nines as it has and one digit more, rounded down.

    Examples
    --------
    >>> stranger_than(0.953), stranger_than(0.99987), stranger_than(1.0)
    ('95 %', '99.98 %', '99.999 %')
    """
    left = 1 - level
    if left >= 0.01:
        return f"{math.floor(100 * level + 1e-9)} %"
    digits = min(3, max(1, math.ceil(-math.log10(max(left, 1e-9))) - 2))
    return f"{min(math.floor(100 * level * 10**digits + 1e-6) / 10**digits, 100 - 10.0**-digits):.{digits}f} %"


def track_record(record: TrackRecord | None) -> str:
    """Write how often a model was right.

    Examples
    --------
    >>> track_record(TrackRecord(7, 9)), track_record(None)
    ('right 7 of 9 before', 'no track record yet')
    """
    return f"right {record.right} of {record.alerts} before" if record and record.alerts else "no track record yet"


def named(machine: str) -> str:
    """Name a machine so that a bare number is not mistaken for a quantity.

    Examples
    --------
    >>> named("17"), named("press-3")
    ('Machine 17', 'press-3')
    """
    return f"Machine {machine}" if machine[:1].isdigit() else machine


def _joined(start: str, evidence: Sequence[Evidence]) -> str:
    return "; ".join([start, *_because(evidence)])


def _because(evidence: Sequence[Evidence]) -> list[str]:
    return [because(each) for each in evidence[:_MOST_SIGNALS] if each.share >= _LEAST_SHARE]
