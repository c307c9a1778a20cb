"""Messages about alerts: list, send, replay, and test the targets."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from service.cli.call import current_call, shared_options, unless_asked_otherwise, wall_clock

if TYPE_CHECKING:
    from service.delivery.notice import Notice, TargetFigures
    from service.delivery.pace import Pace

_STATES = ("waiting", "sent", "dead")


@click.group(invoke_without_command=True)
@shared_options
def command() -> None:
    """Messages to the targets of the plant file; without a subcommand: those that wait or are dead, and why."""
    unless_asked_otherwise(list_)


@command.command("list")
@click.option("--state", type=click.Choice(_STATES), multiple=True, help="In this state.  [waiting and dead]")
@click.option("--target", help="To this target only.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many at most.")
@shared_options
def list_(state: Sequence[str] = (), target: str | None = None, limit: int = 50) -> None:
    """List messages, newest first, and how each target answers."""
    from service.delivery.notice import figures, list_notices
    from service.delivery.outbox import NoticeState
    from service.delivery.pace import paces

    call = current_call()
    with call.open() as room, room.state.read() as connection:
        states = [NoticeState(each) for each in state or ("waiting", "dead")]
        found = list_notices(connection, states=states, target=target, limit=limit)
        counts, known = figures(connection), paces(connection)

    def tell() -> None:
        for each in found:
            click.echo(_line(each))
        for name, count in counts.items():
            click.echo(_summary(name, count, known.get(name)))
        if not counts:
            click.echo("No message yet.")

    data = {"notices": [asdict(each) for each in found], "targets": {n: asdict(each) for n, each in counts.items()}}
    call.show(data, tell)


@command.command()
@click.argument("number", type=click.IntRange(min=1))
@shared_options
def show(number: int) -> None:
    """Show message NUMBER with what it says."""
    import json

    from service.delivery import notice

    call = current_call()
    with call.open() as room, room.state.read() as connection:
        found = notice.show(connection, number)

    def tell() -> None:
        click.echo(_line(found))
        click.echo(f"id at the receiver: {found.message}")
        click.echo(json.dumps(found.body, ensure_ascii=False, indent=2))

    call.show(asdict(found), tell)


@command.command()
@shared_options
def send() -> None:
    """Send what is due now, once; 'andon serve' does so all the time."""
    from service.delivery.deliverer import dispatcher_of

    call = current_call()
    with call.open() as room:
        dispatcher = dispatcher_of(room, wall_clock)
        try:
            counts = dispatcher.drain()
        finally:
            dispatcher.close()
    told = ", ".join(f"{count:,} {what}" for what, count in counts.items() if what != "given back")
    call.show(dict(counts), lambda: click.echo(f"{told}." if told else "Nothing is due."))
    if counts["failed"] or counts["dead"]:
        click.get_current_context().exit(1)


@command.command()
@click.argument("numbers", type=click.IntRange(min=1), nargs=-1)
@click.option("--target", help="All dead ones of this target.")
@shared_options
def replay(numbers: tuple[int, ...], target: str | None) -> None:
    """Let messages NUMBERS, or the dead ones of a target, wait again; they keep their ids."""
    from service.delivery import replay as again

    if not numbers and target is None:
        raise click.UsageError("name messages by their numbers, or --target")
    call = current_call()
    with call.open() as room, room.state.write() as connection:
        found = again.replay(connection, at=wall_clock(), numbers=numbers, target=target)
    call.show({"waiting": found}, lambda: click.echo(f"{len(found):,} wait again."))


@command.command()
@click.argument("target")
@shared_options
def test(target: str) -> None:
    """Send a test message to TARGET now, past the outbox, and say what came of it."""
    from service.delivery.deliverer import channel_named
    from service.delivery.outcome import Sent
    from service.delivery.trial_message import trial_message

    call = current_call()
    with call.open() as room:
        known, channel = channel_named(room, target)
        now = wall_clock()
        try:
            outcome = channel.send(trial_message(known.name, room.plant, at=now), now)
        finally:
            channel.close()
    sent = isinstance(outcome, Sent)
    why = getattr(outcome, "why", "")
    says = f"{target}: has it." if sent else f"{target}: {why}"
    call.show({"target": target, "sent": sent, "why": why}, lambda: click.echo(says, err=not sent))
    if not sent:
        click.get_current_context().exit(1)


def _line(notice: "Notice") -> str:
    about = f"alert {notice.alert}" if notice.alert is not None else notice.machine or "plant"
    tried = f", tried {notice.tries} times" if notice.tries > 1 or (notice.tries and notice.state == "waiting") else ""
    why = f" – {notice.why}" if notice.why else ""
    return (
        f"{notice.id:>6}  {notice.at:%Y-%m-%d %H:%M}  {notice.target}: {notice.kind.value}, {about}: "
        f"{notice.state.value}{tried}{why}"
    )


def _summary(name: str, count: "TargetFigures", pace: "Pace | None") -> str:
    waiting = f"{count.waiting:,} waiting"
    if count.oldest is not None:
        waiting += f" (since {count.oldest:%Y-%m-%d %H:%M} UTC)"
    failing = ""
    if pace is not None and pace.failing_since is not None:
        failing = f"; fails since {pace.failing_since:%Y-%m-%d %H:%M} UTC: {pace.why}"
    return f"{name}: {waiting}, {count.sent:,} sent, {count.dead:,} dead{failing}"
