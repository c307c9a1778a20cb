"""List jobs and their next slots, run one now, fill in missed ones, and see how runs went."""

import getpass
import os
import socket
from dataclasses import asdict
from typing import Any

import click

from service.cli import job_schedules
from service.cli.call import MOMENT, SPAN, current_call, in_zone, shared_options, unless_asked_otherwise, wall_clock
from service.cli.named import named_job

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
    from service.jobs.pause import pauses
    from service.jobs.schedule import next_slot

    call = current_call()
    with call.open() as room:
        zone, now = room.plant.zone, wall_clock()
        with room.state.read() as connection:
            paused = pauses(connection)
        rows: list[dict[str, Any]] = [
            {
                "job": job.name,
                "action": job.action,
                "models": job.models,
                "next": next_slot(job, zone, now),
                "paused": asdict(paused[job.name]) if job.name in paused else None,
            }
            for job in room.plant.jobs
        ]

    def tell() -> None:
        if not rows:
            click.echo("The plant file lists no job; add a [[jobs]] entry (see docs/plant_file.md).")
        for row in rows:
            coming = f"{row['next'].astimezone(zone):%Y-%m-%d %H:%M %Z}" if row["next"] else "never"
            held = f", paused by {row['paused']['by']} ({row['paused']['why']})" if row["paused"] else ""
            click.echo(f"{row['job']}: {row['action']}, next {coming}{held}")

    call.show({"jobs": rows}, tell)


@command.command()
@click.argument("job")
@click.option("--at", type=MOMENT, help="As of this time.  [the present]")
@click.option("--model", "models", multiple=True, help="Only this model of the job's; several times for several.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done, and what holds it back.")
@BY
@shared_options
def run(job: str, at: Any, models: tuple[str, ...], dry_run: bool, by: str) -> None:
    """Run JOB now and wait for it; refused while a worker is at it already."""
    from service.jobs import ledger
    from service.jobs.asked import Asked
    from service.jobs.planning import run_now
    from service.jobs.runner import tick

    call = current_call()
    with call.open() as room:
        wanted = named_job(room.plant.jobs, job)
        asked = Asked(in_zone(at, room.plant.zone), models)
        asked.refuse_what_cannot_be(wall_clock(), wanted.models or [each.name for each in room.plant.models])
        if dry_run:
            _tell_plan(room, wanted, asked)
            return
        with room.state.write() as connection:
            ledger.refuse_while_running(connection, wanted.name, at=wall_clock())
            number = run_now(connection, wanted, at=wall_clock(), by=by, parameters=asked.to_dict()).id
        tick(room, [wanted], clock=wall_clock, worker=f"{socket.gethostname()}-{os.getpid()}")
        with room.state.read() as connection:
            # Another worker may have been faster.
            ledger.refuse_while_running(connection, wanted.name, at=wall_clock())
            done = ledger.show(connection, number)
    call.show({"run": asdict(done)}, lambda: click.echo(_line(done)))
    if done.state is ledger.RunState.FAILED:
        click.get_current_context().exit(1)


def _tell_plan(room: Any, job: Any, asked: Any) -> None:
    from service.jobs.asked import named
    from service.jobs.fires import held_back

    with room.state.read() as connection:
        held = held_back(connection, room.plant, job)
    as_of = asked.at or wall_clock()
    models = asked.models or tuple(job.models)
    plan = {"job": job.name, "action": job.action, "as_of": as_of, "models": list(models), "held_back": held}

    def tell() -> None:
        click.echo(f"{job.name}: would {job.action} as of {as_of:%Y-%m-%d %H:%M} UTC, models: {named(models)}")
        for line in held:
            click.echo(f"  held back: {line}")

    current_call().show({"would": plan}, tell)


@command.command("back-fill")
@click.argument("job")
@click.option("--from", "start", type=MOMENT, required=True, help="After this time.")
@click.option("--to", "end", type=MOMENT, required=True, help="Up to this time.")
@click.option("--chunk", type=SPAN, default=None, help="A job that scores: how much at once.  [1 d]")
@click.option("--again", is_flag=True, help="A job that scores: also windows that were scored before.")
@click.option("--alerts", is_flag=True, help="Raise alerts on history, where no round has looked yet.")
@click.option("--dry-run", is_flag=True, help="Only say how much would be entered.")
@BY
@shared_options
def back_fill(job: str, start: Any, end: Any, chunk: Any, again: bool, alerts: bool, dry_run: bool, by: str) -> None:
    """Enter the work of JOB for a span of the past; the next tick of 'andon serve' does it."""
    from service.jobs.asked import CHUNK, Filling
    from service.jobs.planning import count_made_up_for, make_up_for

    call = current_call()
    with call.open() as room:
        zone, now = room.plant.zone, wall_clock()
        wanted, begin = named_job(room.plant.jobs, job), in_zone(start, zone)
        filling = Filling(
            start=begin, end=in_zone(end, zone), done=begin, chunk=chunk or CHUNK, again=again, alerts=alerts
        )
        counted = count_made_up_for(wanted, zone, filling, at=now)
        count = 0
        if not dry_run:
            with room.state.write() as connection:
                count = make_up_for(connection, wanted, zone, filling, at=now, by=by)
    what = f"{counted} {'chunks' if wanted.action == 'score' else 'slots'}"
    call.show(
        {"job": job, "entered": count, "parts": counted},
        lambda: click.echo(f"{job}: {what} {'would be' if dry_run else 'are'} entered."),
    )


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


def _line(run: Any) -> str:
    outcome = f" – {run.outcome}" if run.outcome else ""
    spent = f", {run.cpu_seconds:.1f} s of processor time" if run.cpu_seconds is not None else ""
    return f"{run.id:>5}  {run.slot:%Y-%m-%d %H:%M}  {run.job}: {run.state.value}{outcome}{spent}"


for each in job_schedules.COMMANDS:
    command.add_command(each)
