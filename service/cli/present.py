"""Which moment is the present: the clock for a live plant, the newest reading for a recorded one."""

from datetime import datetime, timedelta

from ingest.errors import NotEnoughDataError
from ingest.history import History
from ingest.plant import Plant
from service.freshness import newest_readings

LIVE_WITHIN = timedelta(days=1)
"""A plant whose newest reading is older than this is a recording."""


def present(plant: Plant, history: History, now: datetime) -> tuple[datetime, str]:
    """Return the moment to score at and, where it is not the clock's, one line that says so.

    Raises
    ------
    NotEnoughDataError
        If there is no reading at all.
    """
    newest = max(newest_readings(plant, history).values(), default=None)
    if newest is None:
        raise NotEnoughDataError("no readings yet; run 'andon ingest' first")
    if now - newest <= LIVE_WITHIN:
        return now, ""
    days = (now - newest).days
    shown = newest.astimezone(plant.zone)
    return (
        newest,
        f"The newest reading is {days:,} days old, so this is as of {shown:%Y-%m-%d %H:%M}; choose with --at.",
    )
