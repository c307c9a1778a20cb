"""How a subcommand was called: which plant file, and for people or for programs."""

import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import click

from ingest.year import FIRST_YEAR, LAST_YEAR, is_within_reach

if TYPE_CHECKING:
    from service.control_room import ControlRoom
    from service.settings import Settings


@dataclass
class Call:
    """What the shared options said.

    Attributes
    ----------
    plant : path of the plant file; ``None`` when the setting or the default is meant
    as_json : print one JSON document instead of text for people
    """

    plant: Path | None = None
    as_json: bool = False

    def settings(self, **arguments: object) -> "Settings":
        """Return the settings: the command line first, then the environment, then the defaults."""
        from service.settings import read_settings

        return read_settings(os.environ, plant=self.plant, **arguments)

    def open(self, **arguments: object) -> "ControlRoom":
        """Open the plant with its data, models and state; use it as a context.

        Parameters
        ----------
        arguments : settings that the command line gave; ``None`` where it did not
        """
        from service.audit.follow import see_plant
        from service.control_room import open_control_room
        from service.structured_logs import configure_logs

        configure_logs("console", level=logging.WARNING)
        room = open_control_room(self.settings(**arguments))
        see_plant(room.state, room.settings.plant, at=wall_clock())
        return room

    def show(self, data: object, text: Callable[[], None]) -> None:
        """Print ``data`` as JSON, or call ``text`` to print it for people."""
        if self.as_json:
            click.echo(json.dumps(data, default=_plain, ensure_ascii=False, indent=2, allow_nan=False))
        else:
            text()


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be shown as JSON")


def current_call() -> Call:
    """Return the call of the command that is running."""
    return click.get_current_context().find_root().ensure_object(Call)


def shared_options(command: Any) -> Any:
    """Give a command ``--plant`` and ``--json``; both may stand before or after the subcommand."""

    def keep_plant(ctx: click.Context, _option: click.Parameter, value: Path | None) -> None:
        if value is not None:
            ctx.find_root().ensure_object(Call).plant = value

    def keep_json(ctx: click.Context, _option: click.Parameter, value: bool) -> None:
        if value:
            ctx.find_root().ensure_object(Call).as_json = True

    plant = click.option(
        "--plant",
        type=click.Path(path_type=Path, dir_okay=False),
        expose_value=False,
        callback=keep_plant,
        help="The plant file.  [default: ./plant.toml]",
    )
    as_json = click.option(
        "--json", is_flag=True, expose_value=False, callback=keep_json, help="Print JSON for programs."
    )
    return plant(as_json(command))


def engine_option(command: Any) -> Any:
    """Give a command ``--engine``: where machines are worked on."""

    def understand(_ctx: click.Context, _option: click.Parameter, value: str | None) -> str | None:
        from models.engine.named import understood

        try:
            return None if value is None else understood(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error

    return click.option(
        "--engine",
        metavar="ENGINE",
        callback=understand,
        help="Where to work: here, processes[:n], or tcp://host:port of a Dask scheduler.  [default: here]",
    )(command)


class Moment(click.ParamType):  # type: ignore[type-arg]  # generic in newer releases of click only
    """A point in time on the command line; without a zone it is the plant's (read by ``in_zone``)."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read an ISO 8601 time."""
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a time; write it like 2026-05-03T06:00 or 2026-05-03T06:00Z", param, ctx)
        if not is_within_reach(moment):
            self.fail(f"{value!r} is not between the years {FIRST_YEAR} and {LAST_YEAR}", param, ctx)
        return moment


MOMENT = Moment()


class Span(click.ParamType):  # type: ignore[type-arg]  # as above
    """A length of time on the command line, such as ``8 h``."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read a length of time."""
        from ingest.duration import parse_duration

        try:
            return value if isinstance(value, timedelta) else parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


SPAN = Span()


def unless_asked_otherwise(command: click.Command) -> None:
    """Do this command of a group when the command line names none of its commands."""
    context = click.get_current_context()
    if context.invoked_subcommand is None:
        context.invoke(command)


@overload
def in_zone(moment: datetime, zone: tzinfo) -> datetime: ...
@overload
def in_zone(moment: None, zone: tzinfo) -> None: ...
def in_zone(moment: datetime | None, zone: tzinfo) -> datetime | None:
    """Give a moment without a zone the plant's, and return it in UTC."""
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def wall_clock() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


@contextmanager
def progress(as_json: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Show a progress bar for (what, done, total) on a terminal; say nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=as_json or not console.is_terminal) as bar:
        tasks: dict[str, Any] = {}

        def advance(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total or None)
            bar.update(tasks[what], completed=done, total=total or None)

        yield advance
