"""Silence: nobody is called for alerts with these labels, from some time on and for a while.

A silence is a mute, as shelving is; what differs is that labels say which alerts it reaches. It is bounded as
shelving is, and changed and ended in the same way by whoever may.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from ingest.errors import IllegalTransitionError, OutOfBoundsError, PatternError
from service.alerts import mutes
from service.alerts.alert import Happening
from service.alerts.line import remember_mute
from service.alerts.matcher import Matcher, matching
from service.alerts.mute import Mute, MuteKind
from service.alerts.timers import keep_time

MOST_MATCHERS, MOST_LASTING, MOST_PATTERNS = 32, 1000, 2000
"""Of one silence, and of all together: each pattern costs half a millisecond at worst, on every page."""
FARTHEST = timedelta(days=366)
"""So far ahead a silence may be announced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to be silent.

    Attributes
    ----------
    since : when it is to begin; what lies in the past begins now
    until : when it is over
    """

    matchers: tuple[Matcher, ...]
    since: datetime
    until: datetime
    by: str
    why: str

    @property
    def machine(self) -> str:
        """The machine that its matchers name, which also says whose part of the plant it is; empty where none does."""
        named = {each.value for each in self.matchers if each.name == "machine" and _plain(each)}
        return named.pop() if len(named) == 1 else ""


def silence(connection: Connection, wish: Wish, *, at: datetime, longest: timedelta) -> Mute:
    """Silence alerts.

    Parameters
    ----------
    longest : how long they may be silenced, counted from when it begins

    Raises
    ------
    PatternError
        If the matchers reach alerts without any label, too, or are too many.
    OutOfBoundsError
        If it ends before it begins, or later than it may, or too many are there already.
    """
    keep_time(connection, at)
    refuse_matchers(wish.matchers)
    since = max(wish.since, at)
    if wish.until <= wish.since:
        raise OutOfBoundsError("start time must be before end time")
    _refuse_far(wish, at)
    until = mutes.bounded(at, wish.until, first=since, longest=longest, what="a silence")
    there = mutes.lasting(connection, MuteKind.SILENCED)
    if len(there) >= MOST_LASTING:
        raise OutOfBoundsError(f"there are {MOST_LASTING} silences already; end some that nobody needs")
    matchers = [*wish.matchers, *(each for mute in there for each in mute.matchers)]
    if sum(each.is_regex for each in matchers) > MOST_PATTERNS:
        raise OutOfBoundsError(f"silences have {MOST_PATTERNS} patterns together; end some that nobody needs")
    return mutes.begin(
        connection,
        MuteKind.SILENCED,
        machine=wish.machine,
        matchers=wish.matchers,
        by=wish.by,
        why=wish.why,
        at=at,
        since=since,
        until=until,
    )


def change(connection: Connection, mute: Mute, wish: Wish, *, at: datetime, longest: timedelta) -> Mute:
    """Change a silence: it stays the same one while it lasts with the same matchers; otherwise a new one follows it.

    One that has begun keeps its begin, so that no change makes it longer than it may be.

    Raises
    ------
    PatternError, OutOfBoundsError
        As of ``silence``.
    IllegalTransitionError
        If it is a mute of another kind that lasts.
    """
    keep_time(connection, at)
    found = mutes.show_mute(connection, mute.id)
    if found.kind is not MuteKind.SILENCED and found.ended_at is None:
        raise IllegalTransitionError(
            f"{found.of} is {found.name}, which is no silence by labels; end it, or change it where it was made",
            [mutes.ENDS[found.kind].value],
        )
    if found.ended_at is not None or found.matchers != wish.matchers:
        made = silence(connection, wish, at=at, longest=longest)
        if found.ended_at is None:
            mutes.end(connection, found, at=at, by=wish.by, why=f"silence {made.uuid} takes its place")
        return made
    if wish.until <= wish.since:
        raise OutOfBoundsError("start time must be before end time")
    _refuse_far(wish, at)
    since = found.since if found.since <= at else max(wish.since, at)
    until = mutes.bounded(at, wish.until, first=since, longest=longest, what="a silence")
    values = {"since": since, "until": until, "by": wish.by, "why": wish.why}
    changed = mutes.alter(connection, found, values, what=Happening.SILENCED.value, at=at, by=wish.by, why=wish.why)
    if since <= at:
        remember_mute(connection, changed, Happening.SILENCED, at=at, by=wish.by, why=wish.why)
    return changed


def expire(connection: Connection, mute: Mute, *, by: str, why: str, at: datetime) -> Mute:
    """End a silence, or whatever else a person muted, before its time; one that is over stays as it is.

    Raises
    ------
    IllegalTransitionError
        If a rule of the product suppresses: the next round would only set it again.
    """
    keep_time(connection, at)
    found = mutes.show_mute(connection, mute.id)
    if found.ended_at is not None:
        return found
    if found.kind is MuteKind.SUPPRESSED:
        raise IllegalTransitionError(
            f"{found.machine} is suppressed by the rule {found.rule!r} ({found.why}); it ends when that is over", []
        )
    happening = Happening.UNSHELVED if found.kind is MuteKind.SHELVED else None
    return mutes.end(connection, found, at=at, by=by, why=why, happening=happening)


def refuse_matchers(matchers: Sequence[Matcher]) -> None:
    """Refuse matchers that would silence whatever comes.

    Raises
    ------
    PatternError
        If an alert without any label would be silenced, or there are too many of them.

    Examples
    --------
    >>> refuse_matchers([Matcher(name="line", value="A", is_equal=False)])
    Traceback (most recent call last):
    ingest.errors.PatternError: silence invalid: at least one matcher must not match the empty string
    """
    if len(matchers) > MOST_MATCHERS:
        raise PatternError(f"a silence has {MOST_MATCHERS} matchers at most, this one {len(matchers)}")
    if matching(matchers, {}):
        raise PatternError("silence invalid: at least one matcher must not match the empty string")


def _refuse_far(wish: Wish, at: datetime) -> None:
    if wish.since > at + FARTHEST:
        raise OutOfBoundsError(f"a silence begins within {FARTHEST.days} days; {wish.since.isoformat()} is later")


def _plain(matcher: Matcher) -> bool:
    return matcher.is_equal and not matcher.is_regex
