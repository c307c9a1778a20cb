"""List, show, replay and drop what could not be understood."""

from typing import TYPE_CHECKING

import click

from service.cli.call import current_call, shared_options, unless_asked_otherwise, wall_clock

if TYPE_CHECKING:
    from ingest.dead_letter import KeptLetter

SOURCE = click.option("--source", help="Of this source only.")
NUMBERS = click.argument("numbers", type=click.IntRange(min=1), nargs=-1)


@click.group(invoke_without_command=True)
@shared_options
def command() -> None:
    """What could not be understood is kept with its reason; without a subcommand: list it."""
    unless_asked_otherwise(list_)


@command.command("list")
@SOURCE
@click.option("--after", type=click.IntRange(min=0), default=0, help="Only with a higher number.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many at most.")
@shared_options
def list_(source: str | None = None, after: int = 0, limit: int = 50) -> None:
    """List letters, oldest first, and what became of all that there were."""
    call = current_call()
    with call.open() as room:
        letters = room.store.dead_letters(source=source, after=after, limit=limit)
        counts = room.store.dead_letter_counts()

    def tell() -> None:
        for each in letters:
            click.echo(_line(each))
        for name, count in counts.items():
            click.echo(
                f"{name}: {count.held:,} waiting ({count.bytes / 1e6:.1f} MB) of {count.kept:,}; "
                f"{count.replayed:,} replayed, {count.discarded:,} thrown away, {count.dropped:,} dropped for room"
            )
        if not counts:
            click.echo("No dead letters.")

    def plain(kept: "KeptLetter") -> dict[str, object]:
        return {
            "number": kept.number,
            "source": kept.source,
            "kind": kept.letter.kind,
            "reason": kept.letter.reason,
            "arrived": kept.letter.arrived,
            "tries": kept.tries,
            "body": kept.letter.body.decode("utf-8", "replace"),
        }

    held = {name: {key: getattr(each, key) for key in each.__slots__} for name, each in counts.items()}
    call.show({"dead_letters": [plain(each) for each in letters], "sources": held}, tell)


@command.command()
@click.argument("number", type=click.IntRange(min=1))
@click.option("--raw", is_flag=True, help="Only the bytes as they came, for another program.")
@shared_options
def show(number: int, raw: bool) -> None:
    """Show letter NUMBER with all its bytes."""
    from base64 import b64encode

    call = current_call()
    with call.open() as room:
        kept = room.store.dead_letter(number)
    letter = kept.letter
    if raw:
        click.echo(letter.body, nl=False)
        return
    data = {
        "number": kept.number,
        "source": kept.source,
        "kind": letter.kind,
        "head": dict(letter.head),
        "reason": letter.reason,
        "arrived": letter.arrived,
        "tries": kept.tries,
        "base64": b64encode(letter.body).decode(),
    }

    def tell() -> None:
        click.echo(_line(kept))
        for name, value in letter.head.items():
            click.echo(f"{name}: {value}")
        click.echo(letter.body.decode("utf-8", "replace"))

    call.show(data, tell)


@command.command()
@SOURCE
@NUMBERS
@shared_options
def replay(source: str | None, numbers: tuple[int, ...]) -> None:
    """Read letters again by the plant file as it stands now: NUMBERS, those of a source, or all."""
    from dataclasses import asdict

    from ingest.replay import replay as read_again
    from ingest.stored_unit import hold_units

    call = current_call()
    with call.open() as room:
        hold_units(room.plant, room.store.units, wall_clock())
        report = read_again(room.store, room.plant, source=source, numbers=numbers or None)
    call.show(
        asdict(report),
        lambda: click.echo(
            f"{report.understood:,} of {report.tried:,} understood: {report.readings:,} readings, "
            f"{report.events:,} events; {report.staying:,} stay with the reason of today."
        ),
    )


@command.command()
@click.argument("numbers", type=click.IntRange(min=1), nargs=-1, required=True)
@shared_options
def drop(numbers: tuple[int, ...]) -> None:
    """Throw letters NUMBERS away for good."""
    call = current_call()
    with call.open() as room:
        dropped = room.store.discard_dead_letters(numbers)
    call.show({"dropped": dropped}, lambda: click.echo(f"{dropped:,} thrown away."))


def _line(kept: "KeptLetter") -> str:
    letter = kept.letter
    begin = letter.body[:60].decode("utf-8", "replace").replace("\n", "⏎")
    return f"{kept.number:>6}  {letter.arrived:%Y-%m-%d %H:%M}  {kept.source}  {letter.reason}  |  {begin}"
