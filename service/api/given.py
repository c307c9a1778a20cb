"""What every endpoint is given: the control room, the present moment, and names that are checked."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Annotated

from fastapi import Depends, Query, Request

from ingest.errors import UnknownNameError
from ingest.intake import Inlet
from ingest.plant import Job, Machine, MachineClass, Plant
from ingest.year import FIRST_YEAR, LAST_YEAR, is_within_reach
from service.answers import Answers
from service.api.gate import Asked, asked_of
from service.api.iso import Iso
from service.api.problem import Fault, ProblemError
from service.control_room import ControlRoom
from service.overview import Sampling


# Asynchronous, although they wait for nothing: each other function is handed to a thread, which takes longer.
async def control_room(request: Request) -> ControlRoom:
    """Return the plant, its data, its models and its state, with the machines that whoever asks may see."""
    return asked_of(request).room


async def present(request: Request) -> datetime:
    """Return the present moment by the application's clock, in UTC."""
    return request.app.state.clock().astimezone(UTC)


async def inlet(request: Request) -> Inlet:
    """Return where deliveries are put."""
    return request.app.state.intake


async def asked(request: Request) -> Asked:
    """Return who asks."""
    return asked_of(request)


def moment_of_doors(request: Request) -> datetime:
    """Return the real time, by which sessions, links and keys end."""
    moment: datetime = request.app.state.doors.clock()
    return moment.astimezone(UTC)


def refresh(request: Request) -> None:
    """Let what was changed of users, sessions and keys count from the next request on."""
    request.app.state.authenticator.forget()


Room = Annotated[ControlRoom, Depends(control_room)]
Into = Annotated[Inlet, Depends(inlet)]
Now = Annotated[datetime, Depends(present)]
Who = Annotated[Asked, Depends(asked)]


@dataclass(frozen=True, slots=True)
class Sight:
    """What is needed to see the plant's health: the room, the moment, and how often machines report.

    Attributes
    ----------
    answers : what took long to work out and is asked again and again
    """

    room: ControlRoom
    sampling: Sampling
    now: datetime
    answers: Answers

    @property
    def reached(self) -> frozenset[str] | None:
        """Machines that whoever asks may see, ``None`` for all: answers are kept for those of the same reach only."""
        shown = self.room.shown
        return None if shown is None else frozenset(shown)


def sight(request: Request, room: Room, now: Now) -> Sight:
    """Return what is needed to see the plant's health."""
    return Sight(room, request.app.state.sampling, now, request.app.state.answers)


Seen = Annotated[Sight, Depends(sight)]


def machine_named(plant: Plant, name: str) -> tuple[Machine, MachineClass]:
    """Return a machine and its class.

    Raises
    ------
    UnknownNameError
        With the nearest name, if there is no such machine.
    """
    try:
        machine = plant.machine_named(name)
    except KeyError:
        raise UnknownNameError(f"no machine {name!r}{nearest(name, [each.name for each in plant.machines])}") from None
    return machine, plant.class_named(machine.machine_class)


def job_named(plant: Plant, name: str) -> Job:
    """Return a job.

    Raises
    ------
    UnknownNameError
        With the nearest name, if the plant file has no such job.
    """
    jobs = {each.name: each for each in plant.jobs}
    if name not in jobs:
        raise UnknownNameError(f"no job {name!r}{nearest(name, list(jobs))}")
    return jobs[name]


def nearest(name: str, names: list[str]) -> str:
    """Return '; did you mean …?' with the nearest name, or nothing.

    Examples
    --------
    >>> nearest("pres-7", ["pump-1", "press-7"])
    "; did you mean 'press-7'?"
    """
    found = get_close_matches(name[:200], names, n=1)
    return f"; did you mean {found[0]!r}?" if found else ""


def moment(value: datetime, plant: Plant, where: str) -> datetime:
    """Return a time that a client wrote, in UTC; without an offset it is the plant's local time.

    Raises
    ------
    ProblemError
        422 for a time before 1900 or after 2200.
    """
    if not is_within_reach(value):
        reason = f"{value.isoformat()} is not between the years {FIRST_YEAR} and {LAST_YEAR}"
        raise ProblemError(422, f"{where}: {reason}", errors=[Fault(where=where, reason=reason)])
    return (value if value.tzinfo else value.replace(tzinfo=plant.zone)).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class AskedSpan:
    """The span (start, end] that a client asks for; ``None`` where it left a side open."""

    start: datetime | None
    end: datetime | None

    def closed(self, until: datetime, default: timedelta) -> tuple[datetime, datetime]:
        """Return both sides: the end is ``until`` and the length ``default`` where they are left out."""
        end = self.end or until
        start = self.start or end - default
        if start >= end:
            raise ProblemError(422, f"query.start: {start.isoformat()} is not before the end, {end.isoformat()}")
        return start, end


def asked_span(
    room: Room,
    start: Annotated[Iso | None, Query(description="Later than this; local plant time if no offset.")] = None,
    end: Annotated[Iso | None, Query(description="At this time or before.")] = None,
) -> AskedSpan:
    """Read ``start`` and ``end`` of a request."""
    return AskedSpan(start and moment(start, room.plant, "query.start"), end and moment(end, room.plant, "query.end"))


Span = Annotated[AskedSpan, Depends(asked_span)]
