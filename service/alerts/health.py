"""Health of the alarm system: whether people get more alerts than they can deal with, and which to tune.

After EEMUA 191 and ISA-18.2 (IEC 62682), on our own alerts. Pure functions over what happened, which
``service.alerts.happened`` reads. Every span is (start, end].
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

INTERVAL = timedelta(minutes=10)
FLOOD_BEGINS = 10
"""A flood begins with the first interval in which more were raised than so many …"""

FLOOD_ENDS = 5
"""… and ends with the first in which fewer were."""

CHATTERING = 3
CHATTERING_WITHIN = timedelta(minutes=1)
"""So many times on or off again within this time, and a matter chatters."""

STALE_AFTER = timedelta(hours=24)
"""An alert that was open for longer than this, and still is, is stale."""

TOP = 10
WORTH_TUNING = 0.05
"""A matter that makes such a part of all alerts is worth somebody's time."""

MOST_A_DAY = 150
"""What one operator can deal with on average (EEMUA 191: 120 to 150 a day)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What health asks of one alert.

    Attributes
    ----------
    matter : what it is about: machine and cause
    turns : when its condition came, went, and came back
    acknowledged, over : when somebody acknowledged or closed it, and when it was normal; ``None`` while neither
    """

    number: int
    matter: tuple[str, str]
    raised: datetime
    turns: tuple[datetime, ...] = ()
    acknowledged: datetime | None = None
    over: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """A span in which more alerts came than a person can read."""

    start: datetime
    end: datetime
    alerts: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How much of the load one matter is.

    Attributes
    ----------
    share : of all alerts of the span
    """

    machine: str
    cause: str
    alerts: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The figures of one span.

    Attributes
    ----------
    per_day : alerts raised a day
    most_in_ten_minutes : in one interval of ten minutes, counted from the start of the span
    flooded_share : of the span, in floods
    chattering : matters that went on and off, and how often at most within a minute
    stale : numbers of alerts open for longer than a day at the end, oldest first
    top : matters with most alerts
    median_minutes_to_acknowledge, p90_minutes_to_acknowledge : over those that somebody acknowledged; ``None`` where
        nobody did
    never_acknowledged : raised in the span and over without anybody having seen them
    """

    start: datetime
    end: datetime
    alerts: int
    per_day: float
    most_in_ten_minutes: int
    floods: tuple[Flood, ...]
    flooded_share: float
    chattering: tuple[tuple[str, str, int], ...]
    stale: tuple[int, ...]
    top: tuple[Load, ...]
    top_share: float
    median_minutes_to_acknowledge: float | None
    p90_minutes_to_acknowledge: float | None
    never_acknowledged: int

    @property
    def advice(self) -> tuple[str, ...]:
        """What to retire or tune, the worst first, at most five."""
        said = [
            f"{machine}, {cause}: went on and off {most} times in a minute; it needs an off-delay or a dead band"
            for machine, cause, most in self.chattering
        ]
        said += [
            f"{each.machine}, {each.cause}: {each.alerts} of {self.alerts} alerts; repair it, or tune or retire them"
            for each in self.top
            if each.alerts > 1 and each.share >= WORTH_TUNING
        ]
        if self.stale:
            said.append(
                f"{len(self.stale)} alerts are open for more than a day; close them, or take them out of service"
            )
        return tuple(said[:5])


def health(lives: Sequence[Life], start: datetime, end: datetime) -> Health:
    """Return the figures of the alerts of (start, end].

    Parameters
    ----------
    lives : all that were raised in the span or open at its end; others are left out here
    """
    raised = sorted(each.raised for each in lives if start < each.raised <= end)
    mine = [each for each in lives if start < each.raised <= end]
    found = floods(raised, start, end)
    top = load(each.matter for each in mine)
    waits = sorted(
        (each.acknowledged - each.raised) / timedelta(minutes=1)
        for each in mine
        if each.acknowledged is not None and each.acknowledged <= end
    )
    return Health(
        start=start,
        end=end,
        alerts=len(raised),
        per_day=len(raised) / ((end - start) / timedelta(days=1)),
        most_in_ten_minutes=max(per_interval(raised, start, end), default=0),
        floods=tuple(found),
        flooded_share=sum((each.end - each.start for each in found), timedelta(0)) / (end - start),
        chattering=tuple(chattering(lives, start, end)),
        stale=tuple(stale(lives, end)),
        top=tuple(top),
        top_share=sum(each.alerts for each in top) / len(mine) if mine else 0.0,
        median_minutes_to_acknowledge=quantile(waits, 0.5),
        p90_minutes_to_acknowledge=quantile(waits, 0.9),
        never_acknowledged=sum(
            each.acknowledged is None and each.over is not None and each.over <= end for each in mine
        ),
    )


def per_interval(raised: Sequence[datetime], start: datetime, end: datetime) -> list[int]:
    """Return how many came in each interval of ten minutes of (start, end]; the last one may be shorter."""
    counts = [0] * -(-(end - start) // INTERVAL)
    for moment in raised:
        counts[-(-(moment - start) // INTERVAL) - 1] += 1
    return counts


def floods(raised: Sequence[datetime], start: datetime, end: datetime) -> list[Flood]:
    """Return the floods of (start, end]: from the first interval above ten to the first below five."""
    found: list[Flood] = []
    counts: list[int] = []
    begun = start
    for place, count in enumerate([*per_interval(raised, start, end), 0]):
        at = start + place * INTERVAL
        if counts and count < FLOOD_ENDS:
            found.append(Flood(start=begun, end=min(at, end), alerts=sum(counts), most=max(counts)))
            counts = []
        elif counts:
            counts.append(count)
        elif count > FLOOD_BEGINS:
            begun, counts = at, [count]
    return found


def chattering(lives: Iterable[Life], start: datetime, end: datetime) -> list[tuple[str, str, int]]:
    """Return machine, cause and most turns within a minute of each matter that chatters, the worst first."""
    turns: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for each in lives:
        turns[each.matter] += [moment for moment in each.turns if start < moment <= end]
    found = {matter: _most_within(sorted(moments)) for matter, moments in turns.items()}
    worst = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return [(machine, cause, most) for (machine, cause), most in worst if most >= CHATTERING]


def stale(lives: Iterable[Life], at: datetime) -> list[int]:
    """Return the numbers of alerts that are open at a moment for longer than a day, oldest first."""
    old = [each for each in lives if each.raised < at - STALE_AFTER and (each.over is None or each.over > at)]
    return [each.number for each in sorted(old, key=lambda each: (each.raised, each.number))]


def load(matters: Iterable[tuple[str, str]]) -> list[Load]:
    """Return the ten matters with most alerts, equal ones by name."""
    counts = Counter(matters)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [
        Load(machine=machine, cause=cause, alerts=count, share=count / counts.total())
        for (machine, cause), count in ordered[:TOP]
    ]


def quantile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest of sorted values that at least such a share of them does not exceed; ``None`` of none.

    Examples
    --------
    >>> quantile([1.0, 2.0, 3.0, 10.0], 0.5), quantile([1.0, 2.0, 3.0, 10.0], 0.9)
    (2.0, 10.0)
    """
    if not values:
        return None
    place = -int(-len(values) * share // 1)
    return values[max(0, place - 1)]


def _most_within(moments: Sequence[datetime]) -> int:
    most = first = 0
    for last, moment in enumerate(moments):
        while moment - moments[first] > CHATTERING_WITHIN:
            first += 1
        most = max(most, last - first + 1)
    return most
