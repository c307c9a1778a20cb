"""List jobs and their next slots, run one now, fill in missed ones, and see how runs went."""

import getpass
import os
import socket
from dataclasses import asdict
from typing import Any

import click

from service.cli.call import MOMENT, current_call, in_zone, shared_options, unless_asked_otherwise, wall_clock

BY = click.option("--by", default=getpass.getuser, help="Who does it.  [your user name]")


@click.group(invoke_without_command=True)
@shared_options
def command() -> None:
    """List jobs, run one now, fill in missed slots, and see how runs went; without a subcommand: list."""
    unless_asked_otherwise(list_)


@command.command("list")
@shared_options
def list_() -> None:
    """List the plant's jobs with their next slots."""
    from service.jobs.schedule import next_slot

    call = current_call()
    with call.open() as room:
        zone, now = room.plant.zone, wall_clock()
        rows: list[dict[str, Any]] = [
            {"job": job.name, "action": job.action, "models": job.models, "next": next_slot(job, zone, now)}
            for job in room.plant.jobs
        ]

    def tell() -> None:
        if not rows:
            click.echo("The plant file lists no job; add a [[jobs]] entry (see docs/plant_file.md).")
        for row in rows:
            coming = f"{row['next'].astimezone(zone):%Y-%m-%d %H:%M %Z}" if row["next"] else "never"
            click.echo(f"{row['job']}: {row['action']}, next {coming}")

    call.show({"jobs": rows}, tell)


@command.command()
@click.argument("job")
@BY
@shared_options
def run(job: str, by: str) -> None:
    """Run JOB now and wait for it; refused while a worker is at it already."""
    from service.jobs import ledger
    from service.jobs.planning import run_now
    from service.jobs.runner import tick

    call = current_call()
    with call.open() as room:
        wanted = _named(room.plant.jobs, job)
        with room.state.write() as connection:
            ledger.refuse_while_running(connection, wanted.name, at=wall_clock())
            number = run_now(connection, wanted, at=wall_clock(), by=by).id
        tick(room, [wanted], clock=wall_clock, worker=f"{socket.gethostname()}-{os.getpid()}")
        with room.state.read() as connection:
            # Another worker may have been faster.
            ledger.refuse_while_running(connection, wanted.name, at=wall_clock())
            done = ledger.show(connection, number)
    call.show({"run": asdict(done)}, lambda: click.echo(_line(done)))
    if done.state is ledger.RunState.FAILED:
        click.get_current_context().exit(1)


@command.command("back-fill")
@click.argument("job")
@click.option("--from", "start", type=MOMENT, required=True, help="After this time.")
@click.option("--to", "end", type=MOMENT, required=True, help="Up to this time.")
@BY
@shared_options
def back_fill(job: str, start: Any, end: Any, by: str) -> None:
    """Enter all slots of JOB in a span that were never done; the next tick of 'andon serve' does them."""
    from service.jobs.planning import back_fill as enter

    call = current_call()
    with call.open() as room:
        zone = room.plant.zone
        wanted, begin, until = _named(room.plant.jobs, job), in_zone(start, zone), in_zone(end, zone)
        with room.state.write() as connection:
            count = enter(connection, wanted, zone, begin, until, at=wall_clock(), by=by)
    call.show({"job": job, "entered": count}, lambda: click.echo(f"{job}: {count} slots entered."))


@command.command()
@click.option("--job", help="Of this job only.")
@click.option("--limit", type=click.IntRange(1), default=20, help="How many at most.  [20]")
@shared_options
def runs(job: str | None, limit: int) -> None:
    """List runs, newest first: how each went and what it cost."""
    from service.jobs import ledger

    call = current_call()
    with call.open() as room, room.state.read() as connection:
        found = ledger.list_runs(connection, job=job, limit=limit)
    lines = "\n".join(_line(each) for each in found) or "No run yet."
    call.show({"runs": [asdict(each) for each in found]}, lambda: click.echo(lines))


def _named(jobs: Any, name: str) -> Any:
    from ingest.errors import UnknownNameError

    known = {job.name: job for job in jobs}
    if name not in known:
        raise UnknownNameError(f"no job {name!r} in the plant file; there are: {', '.join(known) or 'none'}")
    return known[name]


def _line(run: Any) -> str:
    outcome = f" – {run.outcome}" if run.outcome else ""
    spent = f", {run.cpu_seconds:.1f} s of processor time" if run.cpu_seconds is not None else ""
    return f"{run.id:>5}  {run.slot:%Y-%m-%d %H:%M}  {run.job}: {run.state.value}{outcome}{spent}"
