"""Fill in: levels of windows of the past that no round looked at, chunk by chunk, without alerts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.engine import Connection

from ingest.errors import AndonError
from ingest.plant import ModelEntry
from models.anywhere.assess import asks, assess_anywhere
from models.assessment import Assessments
from service.control_room import ControlRoom
from service.watch import keep_assessments

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Filled:
    """What came of one chunk.

    Attributes
    ----------
    models : those that were asked; one that is not live is not
    errors : one line for each machine that could not be assessed
    """

    windows: int
    models: tuple[str, ...]
    errors: tuple[str, ...]


def fill_in(
    room: ControlRoom,
    entries: Sequence[ModelEntry],
    start: datetime,
    end: datetime,
    *,
    again: bool,
    also: Callable[[Connection], None],
) -> Filled:
    """Assess the windows of all machines that end in (start, end], by the versions that are live now.

    What rounds remember of machines stays as it is, and so do alerts: history raises none and ends none.

    Parameters
    ----------
    again : whether what was said before gives way
    also : writes what else is to stand in the same transaction
    """
    said: list[Assessments] = []
    asked: list[str] = []
    errors: list[str] = []
    for entry in entries:
        if room.registry.live(entry.name) is None:
            continue
        asked.append(entry.name)
        try:
            found, failed = _of_one(room, entry, start, end)
        except AndonError as error:
            errors.append(f"{entry.name}: {error}")
            continue
        said += found
        errors += [f"{entry.name}, {machine}: {error}" for machine, error in failed.items()]
    with room.state.write() as connection:
        keep_assessments(connection, said, again=again)
        also(connection)
    return Filled(sum(len(each) for each in said), tuple(asked), tuple(errors))


def _of_one(
    room: ControlRoom, entry: ModelEntry, start: datetime, end: datetime
) -> tuple[list[Assessments], dict[str, AndonError]]:
    bundle = room.registry.load(entry.name)
    stride, spans = bundle.recipe.stride, room.store.spans(entry.machine_class)
    begin = _on_grid(start, stride)
    ends = {
        machine: last
        for machine in room.plant.machines_of(entry.machine_class)
        if machine in spans and (last := _on_grid(min(end, spans[machine][1]), stride)) > begin
    }
    if not ends:
        return [], {}
    return assess_anywhere(room.engine, room.plant, room.store, bundle, asks(room.engine, begin, ends, stride))


def _on_grid(moment: datetime, stride: timedelta) -> datetime:
    """Return the last window end up to a moment."""
    return moment - (moment - _EPOCH) % stride
