"""The checks: one function for each thing that can be wrong with Andon itself; none of them changes anything."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from sqlalchemy import select

from service.alerts.mutes import out_of_service
from service.delivery.overdue import overdue
from service.freshness import stale_machines
from service.jobs.run import RunState
from service.jobs.tables import run_table
from service.watchdog.runs import failed_runs, missed_deadlines, missed_runs, unknown_jobs
from service.watchdog.trouble import Sight, Trouble, TroubleKind

Check = Callable[[Sight], Iterator[Trouble]]
NAMED = 5
"""Machines that are named; of more the number is told."""


def silent_sources(sight: Sight) -> Iterator[Trouble]:
    """Yield the machine classes of which machines send no more, one trouble for all of a class.

    Machines that never sent anything are not there yet, and those out of service are let be.
    """
    out = out_of_service(sight.connection, sight.at)
    for machine_class in sight.plant.classes:
        heard = sight.store.spans(machine_class.name)
        stale = stale_machines(sight.plant, sight.store, machine_class, sight.at)
        silent = [name for name in stale if name in heard and name not in out]
        if silent:
            named = ", ".join(silent[:NAMED]) + (f" and {len(silent) - NAMED} more" if len(silent) > NAMED else "")
            newest = max(heard[name][1] for name in silent).astimezone(sight.plant.zone)
            yield Trouble(
                TroubleKind.SILENT_SOURCE,
                machine_class.name,
                f"{len(silent)} of {len(heard)} machines of class {machine_class.name!r} are silent: {named}; the last "
                f"reading of them is of {newest:%Y-%m-%d %H:%M}",
            )


def failed_deliveries(sight: Sight) -> Iterator[Trouble]:
    """Yield the targets that messages do not reach."""
    patience = sight.plant.watchdog.missed_after
    for target, each in overdue(sight.connection, at=sight.at, patience=patience).items():
        parts = [f"{each.waiting} messages wait"] * bool(each.waiting) + [f"{each.dead} were given up"] * bool(
            each.dead
        )
        yield Trouble(
            TroubleKind.FAILED_DELIVERY,
            target,
            f"target {target!r}: {' and '.join(parts)}, the oldest since {each.oldest:%Y-%m-%d %H:%M} UTC",
        )


def stepped_clocks(sight: Sight) -> Iterator[Trouble]:
    """Yield a step of our own clock, and workers whose clock is ahead of ours."""
    if sight.step is not None:
        when, seconds = sight.step
        yield Trouble(
            TroubleKind.CLOCK_STEP,
            "clock",
            f"the clock went {'ahead' if seconds > 0 else 'back'} by {_length(seconds)} at {when:%Y-%m-%d %H:%M} UTC; "
            "see to the time service of the computer",
        )
    most = sight.plant.watchdog.clock_step
    ahead = select(run_table.c.worker, run_table.c.started).where(
        run_table.c.state == RunState.RUNNING, run_table.c.started > sight.at + most
    )
    for row in sight.connection.execute(ahead.order_by(run_table.c.worker)):
        seconds = (row.started - sight.at).total_seconds()
        sentence = f"the clock of worker {row.worker} is ahead of ours by {_length(seconds)} or more"
        yield Trouble(TroubleKind.CLOCK_STEP, row.worker, sentence)


def full_disks(sight: Sight) -> Iterator[Trouble]:
    """Yield the data folder when its disk has little room."""
    folder, least = sight.plant.data_folder, sight.plant.watchdog.disk_free
    room = sight.room_of(folder)
    if room.free < least * room.total:
        yield Trouble(
            TroubleKind.FULL_DISK,
            str(folder),
            f"{folder}: {room.free / room.total:.1%} of the disk is free ({room.free / 1e9:,.1f} GB), less than "
            f"{least:.0%}",
        )


CHECKS: Mapping[TroubleKind, Check] = {
    TroubleKind.MISSED_RUN: missed_runs,
    TroubleKind.DEADLINE: missed_deadlines,
    TroubleKind.FAILED_RUN: failed_runs,
    TroubleKind.UNKNOWN_JOB: unknown_jobs,
    TroubleKind.SILENT_SOURCE: silent_sources,
    TroubleKind.FAILED_DELIVERY: failed_deliveries,
    TroubleKind.CLOCK_STEP: stepped_clocks,
    TroubleKind.FULL_DISK: full_disks,
}
"""Every check by the kind of what it finds."""


def _length(seconds: float) -> str:
    return str(timedelta(seconds=round(abs(seconds))))
