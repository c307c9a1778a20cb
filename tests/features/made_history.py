"""Histories of one machine at random: what people and machines may tell, in any order, overlapping and with gaps."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from ingest.event import Event, EventKind
from ingest.plant import Plant

Integer = Callable[[int, int], int]
"""Gives a whole number from the first to the second, both included."""

SPRING = datetime(2026, 3, 28, 23, tzinfo=UTC)
AUTUMN = datetime(2026, 10, 24, 22, tzinfo=UTC)
ORDINARY = datetime(2026, 6, 9, 22, tzinfo=UTC)
WORDS = ("RUN", "SETUP", "DOWN", "STOP", "WAIT", "FULL", "EMPTY", "CLEAN", "OFF", "?")
_SHIFTS = (
    [],
    [{"name": "day", "hours": "06:00-14:00", "breaks": ["09:00-09:30"]}],
    [
        {"name": "early", "hours": "06:00-14:00", "breaks": ["06:00-06:20", "13:30-14:00"]},
        {"name": "late", "hours": "14:00-22:00", "days": ["sat", "sun", "mon"]},
        {"name": "night", "hours": "22:00-06:00", "breaks": ["02:15-02:45"]},
    ],
    [
        {"name": "whole", "hours": "02:30-02:00", "lines": ["L"]},
        {"name": "other", "hours": "0:00-24:00", "lines": ["K"]},
    ],
)


def made_plant(integer: Integer) -> Plant:
    """Return a plant with one machine of interest, ``m``."""
    products = [
        {"name": "cap", "ideal_cycle": "1.25 s"},
        {"name": "lid", "ideal_cycles": {"c": "700 ms"}},
        {"name": "new"},
    ]
    return Plant.model_validate(
        {
            "time_zone": ("Europe/Berlin", "America/New_York", "UTC")[integer(0, 2)],
            "classes": [{"name": "c", "signals": [{"name": "s"}], "words": {"stopped": ["STOP"]}}],
            "machines": [{"name": "m", "class": "c", "line": "L"}, {"name": "n", "class": "c", "line": "K"}],
            "products": products[: integer(0, 3)],
            "shifts": _SHIFTS[integer(0, len(_SHIFTS) - 1)],
            "production": {
                "minor_stop": f"{integer(1, 30)} min",
                "words": {
                    "running": ["RUN"],
                    "changeover": ["SETUP"],
                    "breakdown": ["DOWN"],
                    "idle": ["WAIT", "STOP"],
                    "blocked": ["FULL"],
                    "starved": ["EMPTY"],
                    "planned_stop": ["CLEAN"],
                    "not_planned": ["OFF"],
                },
                "closed": ["2026-03-30"] if integer(0, 3) == 0 else [],
            },
        }
    )


def made_events(integer: Integer, start: datetime, stop: datetime) -> list[Event]:
    """Return events before, in and after a span; many at borders of shifts and days, some at one moment."""
    hours = int((stop - start).total_seconds() // 3600)

    def moment() -> datetime:
        whole = start + timedelta(hours=integer(-5, hours + 3))
        return whole + timedelta(microseconds=integer(0, 3_600_000_000)) * integer(0, 1)

    def lasting() -> timedelta:
        return timedelta(minutes=integer(0, 90), microseconds=integer(0, 999_999) * integer(0, 1))

    found = {}
    kinds: tuple[EventKind, ...] = (
        "state",
        "state",
        "state",
        "stop",
        "failure",
        "maintenance",
        "inspection",
        "order",
        "count",
        "count",
    )
    with_products = integer(0, 2)
    for _ in range(integer(0, 40)):
        kind, time = kinds[integer(0, len(kinds) - 1)], moment()
        end: datetime | None = time + lasting()
        component, value, code = "", None, WORDS[integer(0, len(WORDS) - 1)]
        if kind == "state":
            end = end if integer(0, 4) == 0 else None
        elif kind in ("order", "count"):
            component = ("", "cap", "lid", "new", "odd")[integer(0, 4)] if with_products else ""
            component = "" if kind == "order" and with_products == 1 else component
            end = None
            if kind == "count":
                code, value = ("good", "scrap", "rework")[integer(0, 2)], float(integer(0, 5000))
        event = Event(machine="m", kind=kind, time=time, end=end, component=component, code=code, value=value)
        found[kind, time, component, code] = event
    return list(found.values())
