"""Make keys for programs, rotate and revoke them."""

import getpass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from service.cli.call import SPAN, current_call, shared_options, unless_asked_otherwise, wall_clock
from service.cli.users import REACH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.access.keys import Key

BY = "the command line"


@click.group(invoke_without_command=True)
@shared_options
def command() -> None:
    """Make keys for programs, rotate and revoke them; without a subcommand: list those that work."""
    unless_asked_otherwise(list_)


@command.command("list")
@click.option("--all", "every", is_flag=True, help="Those that are over, too.")
@shared_options
def list_(every: bool = False) -> None:
    """List keys with rights, reach and end, newest first."""
    from service.access.keys import list_keys

    call, now = current_call(), wall_clock()
    with call.open() as room, room.state.read() as connection:
        found = list_keys(connection, works_at=None if every else now)
    lines = "\n".join(map(_line, found)) or "No key."
    call.show({"keys": [_shown(each) for each in found]}, lambda: click.echo(lines))


@command.command()
@click.argument("name")
@click.option(
    "--right",
    "rights",
    multiple=True,
    required=True,
    type=click.Choice(["read", "send", "tell", "act", "judge", "run"]),
    help="What it may do; several together.",
)
@REACH
@click.option("--for", "lasting", type=SPAN, help="How long, such as '90 d'.  [365 d]")
@shared_options
def new(name: str, rights: "Sequence[str]", reach: "Sequence[str]", lasting: timedelta | None) -> None:
    """Make a key called NAME and print it, once."""
    from service.access import keys
    from service.access.reach import WHOLE, Reach
    from service.access.record import record_key
    from service.access.role import Right

    call = current_call()
    with call.open() as room:
        reached = Reach.read(reach or [WHOLE]).checked(room.plant)
        wish = keys.Wish(
            name=name, rights=[Right(each) for each in rights], reach=reached, lasting=lasting or keys.DEFAULT
        )
        with room.state.write() as connection:
            key, secret = keys.make(connection, wish, by=BY, at=wall_clock())
            record_key(connection, key, "made", by=getpass.getuser(), at=wall_clock())
    _tell(key, secret)


@command.command()
@click.argument("number", type=int)
@click.option("--overlap", type=SPAN, help="For how long the old one still works.  [7 d]")
@shared_options
def rotate(number: int, overlap: timedelta | None) -> None:
    """Make a key in place of key NUMBER, which works for a while still, and print it, once."""
    from service.access import keys
    from service.access.record import record_key

    call = current_call()
    with call.open() as room, room.state.write() as connection:
        old = keys.show(connection, number)
        lasting = keys.OVERLAP if overlap is None else overlap
        key, secret = keys.rotate(connection, old, by=BY, at=wall_clock(), overlap=lasting)
        record_key(connection, key, f"made in place of {old.id}", by=getpass.getuser(), at=wall_clock())
    _tell(key, secret)


@command.command()
@click.argument("number", type=int)
@shared_options
def revoke(number: int) -> None:
    """Let key NUMBER open nothing any more, within seconds."""
    from service.access import keys
    from service.access.record import record_key

    call = current_call()
    with call.open() as room, room.state.write() as connection:
        keys.revoke(connection, keys.show(connection, number), at=wall_clock())
        key = keys.show(connection, number)
        record_key(connection, key, "revoked", by=getpass.getuser(), at=wall_clock())
    call.show({"key": _shown(key)}, lambda: click.echo(_line(key)))


def _tell(key: "Key", secret: str) -> None:
    def tell() -> None:
        click.echo(f"{_line(key)}\nIt is shown only now; programs send it as 'Authorization: Bearer …':\n{secret}")

    current_call().show({"key": _shown(key), "secret": secret}, tell)


def _shown(key: "Key") -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "rights": sorted(each.value for each in key.rights),
        "reach": key.reach.words(),
        "made_by": key.made_by,
        "until": key.until,
        "used": key.used,
        "revoked": key.revoked,
    }


def _line(key: "Key") -> str:
    rights = ", ".join(sorted(each.value for each in key.rights))
    used = f"used {key.used:%Y-%m-%d %H:%M} UTC" if key.used else "never used"
    over = f"revoked {key.revoked:%Y-%m-%d}" if key.revoked else f"until {key.until:%Y-%m-%d}"
    return f"{key.id:>4}  {key.prefix}…  {key.name}: {rights}; {key.reach.words()}; {over}; {used}"
