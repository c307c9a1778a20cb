"""The buckets that time falls into, and the tree that they make up.

Each bucket is a slice of calendar time, so that all of them add up to it. Running time is split by what came of it:
the ideal cycle times of good pieces are ``good``, those of the others ``scrap`` and ``rework``, and what is left is
``speed_loss``; where nothing says what could have been made it is ``unrated``.
"""

from dataclasses import dataclass

MEANINGS = (
    "running",
    "changeover",
    "breakdown",
    "stopped",
    "idle",
    "starved",
    "blocked",
    "planned_stop",
    "not_planned",
    "failed",
    "minor_stop",
    "unknown",
)
"""What a machine can do, by number; ``failed`` is a breakdown that was recorded as a failure, however short."""
RUNNING, CHANGEOVER, BREAKDOWN, STOPPED, IDLE, STARVED, BLOCKED, PLANNED_STOP, NOT_PLANNED, FAILED, MINOR, UNKNOWN = (
    range(len(MEANINGS))
)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A slice of calendar time.

    Attributes
    ----------
    label : for people
    planned : whether it is planned operation time
    busy : whether it is planned busy time, PBT: planned operation time without planned stops
    runs : whether it is actual production time, APT
    loses : whether it is a loss that a plant could win back
    """

    name: str
    label: str
    planned: bool = True
    busy: bool = True
    runs: bool = False
    loses: bool = True


BUCKETS = (
    Bucket("not_planned", "not planned", planned=False, busy=False, loses=False),
    Bucket("planned_stop", "planned stop", busy=False, loses=False),
    Bucket("changeover", "change-over"),
    Bucket("breakdown", "breakdown"),
    Bucket("stopped", "stop without a reason"),
    Bucket("minor_stop", "minor stop"),
    Bucket("idle", "idle"),
    Bucket("starved", "starved"),
    Bucket("blocked", "blocked"),
    Bucket("unknown", "unknown"),
    Bucket("unrated", "ran, not rated", runs=True, loses=False),
    Bucket("speed_loss", "speed loss", runs=True),
    Bucket("rework", "rework", runs=True),
    Bucket("scrap", "scrap", runs=True),
    Bucket("good", "good", runs=True, loses=False),
)
NAMES = tuple(each.name for each in BUCKETS)
BUSY = tuple(each.name for each in BUCKETS if each.busy)
RUNS = tuple(each.name for each in BUCKETS if each.runs)
LOSSES = tuple(each.name for each in BUCKETS if each.loses)
STANDING = tuple(each.name for each in BUCKETS if not each.runs)
"""Buckets that say what a machine does, and not what came of it."""
