"""A digest in words, the same in a terminal and in a message."""

from collections.abc import Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from service.alerts.pipeline.digest import Digest, Line


def headline_of(digest: Digest, zone: ZoneInfo) -> str:
    """Return which shift it is of."""
    begin, end = (each.astimezone(zone) for each in (digest.shift.begin, digest.shift.end))
    return f"{digest.shift.shift}, {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"


def lines_of(digest: Digest) -> Iterator[str]:
    """Yield what was scored, called for and held back, a line each."""
    watched = digest.watched
    yield (
        f"{watched.scored} watches scored: {watched.raised} raised, {sum(watched.suppressed.values())} suppressed, "
        f"{watched.below_threshold} below threshold; {sum(watched.not_scored.values())} not scored"
    )
    yield from _counted(watched.suppressed, "suppressed")
    yield from _counted(watched.not_scored, "not scored")
    yield f"{digest.raised} alerts raised: {len(digest.called)} called, {len(digest.held)} held back"
    yield from _listed(digest.called)
    yield from _counted(digest.held_back, "held back")
    yield from _listed(digest.held)
    for each in digest.budgets:
        beyond = f", and {each.critical} critical beyond it" if each.critical else ""
        yield f"Route {each.route!r}: {each.spent} of {each.budget} calls of the week{beyond}"


def _counted(reasons: Mapping[str, int], what: str) -> Iterator[str]:
    for reason, times in sorted(reasons.items(), key=lambda each: (-each[1], each[0])):
        yield f"     {times} {what}: {reason}"


def _listed(lines: Sequence[Line]) -> Iterator[str]:
    for each in lines:
        why = f" ({each.reason}: {each.words})" if each.reason else ""
        yield f"{each.number:>6}  {each.sentence or f'{each.machine}: {each.cause}'}{why}"
