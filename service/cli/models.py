"""List, show, promote and roll back model versions."""

import getpass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from ingest.errors import RegistryError
from service.cli.call import MOMENT, current_call, in_zone, shared_options, unless_asked_otherwise, wall_clock

if TYPE_CHECKING:
    from models.registry.live_history import Change

BY = click.option("--by", default=getpass.getuser, help="Who does it.  [your user name]")


@click.group(invoke_without_command=True)
@shared_options
def command() -> None:
    """List, show, promote and roll back model versions; without a subcommand: list them."""
    unless_asked_otherwise(list_)


@command.command("list")
@click.argument("model", required=False)
@shared_options
def list_(model: str | None = None) -> None:
    """List the versions of MODEL, or of all models; the live one has a star, and what is unreadable says why."""
    call = current_call()
    with call.open() as room:
        rows = [
            {"model": each.model, "version": each.version, "created": each.created, "live": each.live}
            for each in room.registry.versions(model)
        ]
        broken = [
            {"model": each.model, "version": each.version, "live": each.live, "why": each.why}
            for each in room.registry.unreadable(entry.name for entry in room.plant.models)
            if model in (None, each.model)
        ]
    call.show({"models": rows, "unreadable": broken}, lambda: _tell(rows, broken))


@command.command()
@click.argument("model")
@click.argument("version", required=False)
@shared_options
def show(model: str, version: str | None) -> None:
    """Show the card of MODEL, of the live version unless VERSION is given."""
    from models.registry.card import page

    call = current_call()
    with call.open() as room:
        card = room.registry.load(model, version).card
    call.show(card, lambda: click.echo(page(card)))


@command.command()
@click.argument("model")
@click.argument("version")
@click.option("--why", default="", help="The reason, for the record.")
@click.option("--force", is_flag=True, help="Use it whatever stands against it; needs --why.")
@BY
@shared_options
def promote(model: str, version: str, why: str, by: str, *, force: bool) -> None:
    """Make VERSION of MODEL the live one.

    A version is refused that does not beat calendar maintenance, that may save nothing, or that is not shown to cost
    less than the live one.
    """
    call = current_call()
    with call.open() as room:
        room.registry.promote(model, version, at=wall_clock(), by=by, why=why, force=force)
    call.show({"model": model, "live": version}, lambda: click.echo(f"{model}: {version} is live."))


@command.command()
@click.argument("model")
@BY
@shared_options
def rollback(model: str, by: str) -> None:
    """Make the version that was live before the present one live again."""
    call = current_call()
    with call.open() as room:
        version = room.registry.rollback(model, at=wall_clock(), by=by).version
    call.show({"model": model, "live": version}, lambda: click.echo(f"{model}: back to {version}."))


@command.command()
@click.argument("model")
@click.option("--at", type=MOMENT, help="At this time; now when left out.")
@shared_options
def live(model: str, at: datetime | None) -> None:
    """Say which version of MODEL is live, or was at some time, since when, by whom and why."""
    call = current_call()
    with call.open() as room:
        change = room.registry.change(model, in_zone(at, room.plant.zone))
    if change is None:
        call.show({"model": model, "live": None}, lambda: click.echo(f"{model}: none was live."))
        return
    how = {"what": change.what, "since": change.at, "by": change.by, "why": change.why, "against": change.against}
    call.show({"model": model, "live": change.version, **how}, lambda: _tell_live(change))


@command.command()
@shared_options
def key() -> None:
    """Print the public key that belongs to the signatures made here, for ANDON_TRUSTED_KEYS elsewhere."""
    call = current_call()
    with call.open() as room:
        public = room.registry.keys.own()
    if public is None:
        raise RegistryError("there is no key yet; the first 'andon train' makes one")
    call.show({"public_key": public}, lambda: click.echo(public))


def _tell_live(change: "Change") -> None:
    why = f": {change.why}" if change.why else "."
    click.echo(
        f"{change.model}: {change.version} since {change.at:%Y-%m-%d %H:%M} UTC, {change.what} by {change.by}{why}"
    )
    if change.against:
        click.echo(f"Forced, although {change.against}.")


def _tell(rows: list[dict[str, Any]], broken: list[dict[str, Any]]) -> None:
    if not rows and not broken:
        click.echo("No model is trained yet; run: andon train")
    for row in rows:
        click.echo(f"{'*' if row['live'] else ' '} {row['model']}  {row['version']}  {row['created']:%Y-%m-%d %H:%M}")
    for each in broken:
        click.echo(f"{'*' if each['live'] else ' '} {each['model']}  {each['version']}  unreadable: {each['why']}")
