"""Energy and its drivers, summed up over whole periods of local time: what a baseline learns from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.microsecond import HOUR, Times, moment

Floats = NDArray[np.float64]
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class EnergyPeriods:
    """What a meter and its drivers said of some periods of one machine.

    All rates are for an hour, so that the day of 23 hours and that of 25 compare with all others.

    Attributes
    ----------
    begin : microseconds since 1970, ascending, shape (n,)
    hours : how long each period is, shape (n,)
    power : mean power in kW, NaN where the meter did not say, shape (n,)
    drivers : float columns of n rows: means, amounts an hour, shares of time; NaN where unknown
    produced : amount made an hour, NaN where unknown, shape (n,); all NaN when no driver says it
    productive : share of the time in which something was made, NaN where unknown, shape (n,)
    zone : the plant's time zone, which says what day and hour it is
    calendar : whether weekday and hour are drivers, too
    resets : moments at which the meter's counter fell, in microseconds
    """

    begin: Times
    hours: Floats
    power: Floats
    drivers: pd.DataFrame
    produced: Floats
    productive: Floats
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    calendar: bool = True
    resets: Times = field(default_factory=lambda: np.empty(0, np.int64))

    def __len__(self) -> int:
        return len(self.begin)

    @property
    def kwh(self) -> Floats:
        """Energy of each period, NaN where it is not known."""
        return self.power * self.hours

    @property
    def end(self) -> Times:
        """End of each period, in microseconds."""
        return self.begin + np.round(self.hours * HOUR).astype(np.int64)

    @property
    def local(self) -> pd.DatetimeIndex:
        """Begin of each period in local time, which has no zone any more."""
        return (
            pd.DatetimeIndex(self.begin.astype("datetime64[us]"))
            .tz_localize(UTC)
            .tz_convert(self.zone)
            .tz_localize(None)
        )

    @property
    def day(self) -> Times:
        """Local day of each period, counted from 1970."""
        return self.local.to_numpy("datetime64[D]").astype(np.int64)

    @property
    def idle(self) -> NDArray[np.bool_]:
        """Periods in which nothing was made."""
        return self.productive == 0

    @property
    def busy(self) -> NDArray[np.bool_]:
        """Periods in which something was made all or part of the time."""
        return self.productive > 0

    def where(self, keep: NDArray[np.bool_]) -> "EnergyPeriods":
        """Return some of the periods."""
        return EnergyPeriods(
            self.begin[keep],
            self.hours[keep],
            self.power[keep],
            self.drivers[keep].reset_index(drop=True),
            self.produced[keep],
            self.productive[keep],
            self.zone,
            self.calendar,
            self.resets,
        )

    def between(self, start: datetime, end: datetime) -> "EnergyPeriods":
        """Return the periods that lie whole in a span."""
        return self.where((self.begin >= moment(start)) & (self.end <= moment(end)))


def bounds_between(start: datetime, end: datetime, every: timedelta, zone: ZoneInfo) -> Times:
    """Return the bounds of all whole periods in a span, in microseconds.

    Periods begin at local midnight. Those of an hour or less go on by the clock that never changes, so that the day
    of a clock change has 23 or 25 of an hour; longer ones end at the wall clock's times, and one is longer or shorter.

    Examples
    --------
    >>> berlin = ZoneInfo("Europe/Berlin")
    >>> day = [datetime(2026, 3, 29, tzinfo=berlin), datetime(2026, 3, 30, tzinfo=berlin)]
    >>> np.diff(bounds_between(*day, timedelta(hours=8), berlin)).tolist() == [7 * HOUR, 8 * HOUR, 8 * HOUR]
    True
    >>> len(bounds_between(*day, timedelta(hours=1), berlin)) - 1
    23
    """
    first = start.astimezone(zone).date()
    days = (end.astimezone(zone).date() - first).days + 2
    walls = [datetime(each.year, each.month, each.day) for each in (first + _DAY * place for place in range(days))]  # noqa: DTZ001 - a wall clock's
    midnights = [_utc(each, zone) for each in walls]
    bounds: list[int] = []
    step = every // timedelta(microseconds=1)
    for wall, begin, stop in zip(walls, midnights, midnights[1:], strict=False):
        if every <= timedelta(hours=1):
            bounds += range(begin, stop, step)
        else:
            bounds += [_utc(wall + every * place, zone) for place in range(_DAY // every)]
    bounds.append(midnights[-1])
    found = np.array(bounds, np.int64)
    return found[(found >= moment(start)) & (found <= moment(end))]


def _utc(wall: datetime, zone: ZoneInfo) -> int:
    return moment(wall.replace(tzinfo=zone).astimezone(UTC))


def periods_of(
    power: pd.Series,
    drivers: pd.DataFrame,
    *,
    every: timedelta,
    zone: str = "UTC",
    produced: str = "",
    productive: Mapping[datetime, float] | pd.Series | None = None,
    calendar: bool = True,
) -> EnergyPeriods:
    """Return periods of a table that is summed up already, as a notebook has it.

    Parameters
    ----------
    power : mean power in kW of each period, indexed by the begin of each, with a time zone
    drivers : rates for an hour or means, with the same index
    every : length of a period; those of a day are as long as the local day
    produced : column of ``drivers`` with the amount made an hour
    productive : share of each period in which something was made; where ``produced`` is above 0 when left out
    """
    index = pd.DatetimeIndex(power.index).tz_convert(UTC)
    begin = index.tz_localize(None).to_numpy("datetime64[us]").astype(np.int64)
    local = ZoneInfo(zone)
    hours = np.full(len(begin), every / timedelta(hours=1))
    if every > timedelta(hours=1):
        walls = index.tz_convert(local).tz_localize(None)
        hours = np.array([(_utc(each + every, local) - own) / HOUR for each, own in zip(walls, begin, strict=True)])
    made = drivers[produced].to_numpy(float) if produced else np.full(len(begin), np.nan)
    if productive is None:
        shares = np.where(np.isnan(made), np.nan, (made > 0).astype(float))
    else:
        shares = pd.Series(productive).to_numpy(float)
    columns = drivers.astype(float).reset_index(drop=True)
    return EnergyPeriods(begin, hours, power.to_numpy(float), columns, made, shares, local, calendar)
