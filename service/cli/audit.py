"""See who changed what, and verify that nobody changed the record of it."""

import getpass
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from service.cli.call import MOMENT, current_call, in_zone, shared_options, unless_asked_otherwise, wall_clock

if TYPE_CHECKING:
    from service.audit.record import Record
    from service.audit.verify import Report

SUBJECTS = ("alert", "mute", "model", "job", "plant", "floor", "work order", "trail")


@click.group(invoke_without_command=True)
@shared_options
def command() -> None:
    """List and verify the audit trail; without a subcommand: list its newest records."""
    unless_asked_otherwise(list_)


@command.command("list")
@click.option("--of", "subject", type=click.Choice(SUBJECTS), help="Changes of this kind of thing only.")
@click.option("--name", help="Of this one only: the number of an alert or mute, the name of a model or job.")
@click.option("--by", help="By this person only.")
@click.option("--from", "start", type=MOMENT, help="After this time.")
@click.option("--to", "end", type=MOMENT, help="Up to this time.")
@click.option("--limit", type=click.IntRange(1), default=20, help="How many at most.  [20]")
@shared_options
def list_(
    subject: str | None = None,
    name: str | None = None,
    by: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    limit: int = 20,
) -> None:
    """List changes, newest first: when, who, what and why."""
    from service.audit.record import Subject
    from service.audit.trail import Asked, list_records

    call = current_call()
    with call.open() as room, room.state.read() as connection:
        zone = room.plant.zone
        asked = Asked(
            subject=None if subject is None else Subject(subject),
            name=name,
            by=by,
            start=in_zone(start, zone),
            end=in_zone(end, zone),
        )
        found = list_records(connection, asked, limit=limit)
    lines = "\n".join(map(_line, found)) or "No change was recorded yet."
    call.show({"records": [asdict(each) for each in found]}, lambda: click.echo(lines))


@command.command()
@click.option("--from", "begin", type=click.IntRange(1), default=1, help="Read from this record on.  [1]")
@click.option(
    "--heads",
    type=click.Path(path_type=Path, dir_okay=False, exists=True, allow_dash=True),
    help="A file of heads that were kept elsewhere, one a line, as 'andon audit head' prints them; - reads them here.",
)
@shared_options
def verify(begin: int, heads: Path | None) -> None:
    """Read the whole trail; exit 1 if any record was altered, removed, moved or put in, or its end was cut off."""
    from service.audit.follow import model_faults
    from service.audit.signed_head import SignedHead
    from service.audit.verify import verify as look

    call = current_call()
    kept = [] if heads is None else _lines(heads)
    # Of the trail as it lies there: nothing is added to it, nor signed, before it is read.
    with call.open() as room:
        with room.state.read() as connection:
            changes = room.registry.history.changes()
            wanted = [SignedHead.read(line) for line in kept]
            report = look(connection, room.seal, begin=begin, heads=wanted)
            faults = [*report.faults, *model_faults(connection, changes)]
        call.show(
            {"from": report.begin, "records": report.head.count, "faults": faults, "remarks": report.remarks},
            lambda: _tell(report, faults),
        )
    if faults:
        click.get_current_context().exit(1)


@command.command()
@shared_options
def head() -> None:
    """Print the signed head: keep it where nobody who can write here reaches, and verify with it later."""
    call = current_call()
    with call.open() as room:
        signed = room.keep_audit()
    line = "" if signed is None else signed.line
    call.show({"head": line or None}, lambda: click.echo(line or "The trail is empty."))


@command.command()
@click.option("--why", required=True, help="Why the trail is as it is; it is kept with what stood against it.")
@click.option("--by", default=getpass.getuser, help="Who does it.  [your user name]")
@shared_options
def sign(why: str, by: str) -> None:
    """Vouch for the trail as it is now, such as after an older backup was restored."""
    call = current_call()
    with call.open() as room:
        signed = room.seal.anew(room.state, at=wall_clock(), by=by, why=why)
    call.show({"head": signed.line}, lambda: click.echo(signed.line))


def _lines(path: Path) -> list[str]:
    with click.open_file(str(path)) as file:
        return [line.strip() for line in file if line.strip()]


def _line(record: "Record") -> str:
    why = f" – {record.why}" if record.why else ""
    said = f"{record.subject} {record.name}: {record.what} by {record.by}{why}"
    return f"{record.number:>6}  {record.at:%Y-%m-%d %H:%M:%S}  {said}"


def _tell(report: "Report", faults: list[str]) -> None:
    count = report.head.count - report.begin + 1
    for fault in faults:
        click.echo(fault)
    if not faults:
        click.echo(f"{max(count, 0):,} records are as they were written; the chain ends with {report.head.chain}.")
    for remark in report.remarks:
        click.echo(f"Note: {remark}.")
