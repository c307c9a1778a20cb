"""Add people who may sign in, and say what they may do and where."""

import getpass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from service.cli.call import current_call, shared_options, unless_asked_otherwise, wall_clock
from service.cli.named import base_address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.access.users import User
    from service.control_room import ControlRoom

REACH = click.option(
    "--reach",
    multiple=True,
    metavar="PART",
    help="A part of the plant: 'site:Ulm', 'area:…', 'line:Line 2', 'machine:press-7'; several together. [whole plant]",
)
BASE = click.option("--at", "base", metavar="ADDRESS", help="Address that people open, such as https://andon.example.")
ROLE = click.argument("role", type=click.Choice(["viewer", "operator", "engineer", "scientist", "admin"]))


@click.group(invoke_without_command=True)
@shared_options
def command() -> None:
    """Add users, and say what they may do and where; without a subcommand: list them."""
    unless_asked_otherwise(list_)


@command.command("list")
@shared_options
def list_() -> None:
    """List the users with role and reach."""
    from service.access.users import list_users

    call = current_call()
    with call.open() as room, room.state.read() as connection:
        users = list_users(connection)
    none = "No user: everybody who reaches this computer may do everything. 'andon users first' makes the first one."
    call.show({"users": [_shown(each) for each in users]}, lambda: click.echo("\n".join(map(_line, users)) or none))


@command.command()
@click.argument("name", default="admin")
@BASE
@shared_options
def first(name: str, base: str | None) -> None:
    """Make the first admin, NAME, and print the link by which a password is set, once."""
    from ingest.errors import AccessError
    from service.access.users import any_user

    call = current_call()
    with call.open() as room:
        with room.state.read() as connection:
            if any_user(connection):
                raise AccessError("there are users already; 'andon users list' names them, 'reset-link' makes a link")
        _tell_link(*_added(room, name, "admin", (), wall_clock()), base_address(room.settings, base))


@command.command()
@click.argument("name")
@ROLE
@REACH
@BASE
@shared_options
def add(name: str, role: str, reach: "Sequence[str]", base: str | None) -> None:
    """Add user NAME as ROLE, and print the link by which they set a password, once."""
    with current_call().open() as room:
        _tell_link(*_added(room, name, role, reach, wall_clock()), base_address(room.settings, base))


@command.command()
@click.argument("name")
@ROLE
@shared_options
def role(name: str, role: str) -> None:
    """Give user NAME another ROLE; it counts within seconds, also in sessions that last."""
    from service.access.role import Role

    _change(name, lambda users, connection, user: users.give(connection, user, role=Role(role)))


@command.command()
@click.argument("name")
@click.argument("parts", nargs=-1, required=True, metavar="PART...")
@shared_options
def reach(name: str, parts: "Sequence[str]") -> None:
    """Give user NAME another reach: 'whole plant', or parts such as 'line:Line 2'."""
    from service.access.reach import Reach

    call = current_call()
    with call.open() as room:
        wanted = Reach.read(parts).checked(room.plant)
    _change(name, lambda users, connection, user: users.give(connection, user, reach=wanted))


@command.command()
@click.argument("name")
@shared_options
def disable(name: str) -> None:
    """Let user NAME sign in no more; sessions, links and keys of theirs end."""
    _change(name, lambda users, connection, user: users.disable(connection, user, at=wall_clock()))


@command.command()
@click.argument("name")
@shared_options
def enable(name: str) -> None:
    """Let user NAME sign in again."""
    _change(name, lambda users, connection, user: users.enable(connection, user))


@command.command("single-sign-on")
@click.argument("name")
@click.option("--off", is_flag=True, help="They come in by it no more; 'reset-link' lets them set a password.")
@shared_options
def single_sign_on(name: str, off: bool) -> None:
    """Let user NAME come in by single sign-on, and by no password; sessions and links end."""
    from ingest.errors import AccessError

    if off:
        _change(name, lambda users, connection, user: users.forget_subject(connection, user), "single sign-on ended")
        return
    if not current_call().settings().oidc_issuer:
        raise AccessError("there is no issuer, so nobody could come in by it; ANDON_OIDC_ISSUER names one")
    _change(
        name,
        lambda users, connection, user: users.await_subject(connection, user, at=wall_clock()),
        "awaits single sign-on",
    )


@command.command("reset-link")
@click.argument("name")
@BASE
@shared_options
def reset_link(name: str, base: str | None) -> None:
    """Print a link by which user NAME sets a new password, once; it also takes away a second factor."""
    from service.access import links, users
    from service.access.record import record_user

    with current_call().open() as room:
        with room.state.write() as connection:
            user = users.named(connection, name)
            token = links.make(connection, user.id, at=wall_clock())
            record_user(connection, user, "password link made", by=getpass.getuser(), at=wall_clock())
        _tell_link(user, token, base_address(room.settings, base))


def _added(room: "ControlRoom", name: str, role: str, parts: "Sequence[str]", at: datetime) -> "tuple[User, str]":
    from service.access import links, users
    from service.access.reach import WHOLE, Reach
    from service.access.record import record_user
    from service.access.role import Role

    reach = Reach.read(parts or [WHOLE]).checked(room.plant)
    with room.state.write() as connection:
        user = users.add(connection, name, role=Role(role), reach=reach, at=at)
        record_user(connection, user, "added", by=getpass.getuser(), at=at)
        return user, links.make(connection, user.id, at=at)


def _change(name: str, work: Any, what: str = "changed") -> None:
    from service.access import users
    from service.access.record import record_user

    call = current_call()
    with call.open() as room, room.state.write() as connection:
        user = work(users, connection, users.named(connection, name))
        record_user(connection, user, what, by=getpass.getuser(), at=wall_clock())
    call.show({"user": _shown(user)}, lambda: click.echo(_line(user)))


def _tell_link(user: "User", token: str, base: str) -> None:
    from service.access.links import address_of

    address = address_of(base, token)

    def tell() -> None:
        click.echo(
            f"{_line(user)}\nSet a password here, once, within a day; whoever opens it is {user.name}:\n{address}"
        )

    current_call().show({"user": _shown(user), "link": address}, tell)


def _shown(user: "User") -> dict[str, Any]:
    return {
        "name": user.name,
        "role": user.role.value,
        "reach": user.reach.words(),
        "second_factor": bool(user.totp),
        "has_password": bool(user.password),
        "single_sign_on": "bound" if user.subject else "awaited" if user.awaits_subject else "no",
        "disabled": user.disabled,
    }


def _line(user: "User") -> str:
    rest = [] if user.password or user.subject or user.awaits_subject else ["no password yet"]
    rest += ["single sign-on"] if user.subject else []
    rest += ["awaited by single sign-on"] if user.awaits_subject else []
    rest += ["second factor"] if user.totp else []
    rest += [f"disabled since {user.disabled:%Y-%m-%d}"] if user.disabled else []
    return ", ".join([f"{user.name}: {user.role.value}", user.reach.words(), *rest])
