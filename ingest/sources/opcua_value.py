"""What an OPC UA server sends of one node, in plain terms: its value and its time."""

from datetime import UTC, datetime
from typing import Any

from ingest.catalogue import to_microseconds

_SHOWN = 1_000
_LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)


def plain(value: Any) -> float | str | None:
    """Return a value as a number if it is one, else as a short text."""
    if value is None or isinstance(value, float):
        return value
    if isinstance(value, int):  # true and false, too
        return float(value)
    if isinstance(value, list):
        more = f" and {len(value) - 5:,} more" if len(value) > 5 else ""
        return f"{str(value[:5])[:_SHOWN]}{more}"
    return str(value)[:_SHOWN]


def time_of(value: Any, now: datetime) -> int:
    """Return the time of a value: its source's, else the server's, else that of its arrival."""
    for stamp in (value.SourceTimestamp, value.ServerTimestamp):
        if stamp is not None:
            aware = stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)
            if aware > _LONG_AGO:  # servers write 1601 for no time at all
                return to_microseconds(aware)
    return to_microseconds(now)
