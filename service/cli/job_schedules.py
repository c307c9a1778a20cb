"""When jobs run: the next fires, pause and resume, and jobs that left the plant file."""

import getpass
from dataclasses import asdict

import click

from service.cli.call import current_call, shared_options, wall_clock
from service.cli.named import named_job

_BY = click.option("--by", default=getpass.getuser, help="Who does it.  [your user name]")


@click.command("next")
@click.argument("job")
@click.option("--count", type=click.IntRange(1, 1000), default=10, help="How many.  [10]")
@shared_options
def next_(job: str, count: int) -> None:
    """List when JOB runs next, in the plant's time and in UTC."""
    from service.jobs.fires import next_fires

    call = current_call()
    with call.open() as room:
        fires = next_fires(named_job(room.plant.jobs, job), room.plant, wall_clock(), count)

    def tell() -> None:
        if not fires:
            click.echo(f"{job} never runs by itself.")
        for each in fires:
            click.echo(f"{each.local:%a %Y-%m-%d %H:%M:%S %Z}   {each.utc:%Y-%m-%d %H:%M:%S} UTC")

    call.show({"job": job, "next": [asdict(each) for each in fires]}, tell)


@click.command()
@click.argument("job")
@click.option("--why", required=True, help="The reason, for everybody who asks later.")
@_BY
@shared_options
def pause(job: str, why: str, by: str) -> None:
    """Let nobody begin what is due of JOB until it is resumed; people can still run it."""
    from service.jobs import pause as pausing

    call = current_call()
    with call.open() as room, room.state.write() as connection:
        wanted = named_job(room.plant.jobs, job)
        paused = pausing.pause(connection, wanted.name, by=by, why=why, at=wall_clock())
    call.show(
        {"paused": asdict(paused)}, lambda: click.echo(f"{job} is paused; resume it with: andon jobs resume {job}")
    )


@click.command()
@click.argument("job")
@shared_options
def resume(job: str) -> None:
    """Let what is due of JOB be begun again; what was missed is made up for as the job says."""
    from service.jobs import pause as pausing

    call = current_call()
    with call.open() as room, room.state.write() as connection:
        pausing.resume(connection, named_job(room.plant.jobs, job).name)
    call.show({"resumed": job}, lambda: click.echo(f"{job} runs again."))


@click.command()
@click.argument("job")
@shared_options
def retire(job: str) -> None:
    """Skip what waits of JOB, which left the plant file; its record is kept."""
    from service.jobs.planning import retire as retire_job

    call = current_call()
    with call.open() as room, room.state.write() as connection:
        count = retire_job(connection, job, [each.name for each in room.plant.jobs], at=wall_clock())
    call.show({"job": job, "skipped": count}, lambda: click.echo(f"{job}: {count} slots skipped."))


COMMANDS = (next_, pause, resume, retire)
"""Each is a subcommand of ``andon jobs``."""
