"""When a machine's newest whole shift ended: the moment from which its losses can be judged."""

from datetime import datetime, timedelta

import numpy as np

from features.microsecond import moment, time_of
from features.production.calendar import OFF, calendar_of
from ingest.plant import Plant

LOOKS_BACK = timedelta(days=14)
"""A machine that had no shift for longer is not judged."""


def last_shift_end(plant: Plant, machine: str, at: datetime) -> datetime | None:
    """Return the end of the newest shift that was over by ``at``; of the newest local day where none are declared.

    A shift ends where the next one begins or where nothing is planned; a break is within it. ``None`` where no shift of
    the machine ended in the last fortnight. Shifts that only events tell of are not waited for.

    Examples
    --------
    >>> plant = Plant.model_validate({"classes": [{"name": "c", "signals": [{"name": "s"}]}],
    ...     "machines": [{"name": "m", "class": "c"}], "shifts": [{"name": "early", "hours": "06:00-14:00"}]})
    >>> from datetime import UTC
    >>> str(last_shift_end(plant, "m", datetime(2026, 6, 10, 13, 59, tzinfo=UTC)))
    '2026-06-09 14:00:00+00:00'
    """
    stop = moment(at) + 1
    calendar = calendar_of(plant, machine, moment(at - LOOKS_BACK), stop)
    on = calendar.planned != OFF
    day = calendar.shift_day.astype("datetime64[D]").astype(np.int64)
    last = (calendar.shift[1:] != calendar.shift[:-1]) | (day[1:] != day[:-1]) | (on[1:] != on[:-1])
    ends = calendar.course.edges[1:-1][on[:-1] & last]
    return time_of(int(ends[-1])) if len(ends) else None
