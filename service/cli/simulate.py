"""Make a plant up, of any size: readings, events, a plant file, and the truth beside them."""

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from service.cli.call import current_call, progress, shared_options, wall_clock

if TYPE_CHECKING:
    from ingest.simulation.play import Played
    from ingest.simulation.scenario import Scenario
    from ingest.simulation.write import SimulationReport


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False)
@click.option("--machines", type=click.IntRange(1), help="How many machines in all.  [5]")
@click.option("--days", type=click.IntRange(1), help="How many days.  [90]")
@click.option("--seed", type=click.IntRange(0), help="The same seed makes the same plant.  [1]")
@click.option("--every", help="Time between two readings, such as '10 min'.  [10 min]")
@click.option("--scenario", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="All of it, as JSON.")
@click.option("--format", "suffix", type=click.Choice(["parquet", "csv"]), default="parquet", help="Of the readings.")
@click.option(
    "--to", "url", metavar="URL", help="Play it to mqtt://HOST or http://HOST:PORT, or as opc.tcp://HOST:PORT, instead."
)
@click.option(
    "--speed", type=click.IntRange(0), help="Plant seconds a second; 0: as fast as can be.  [60; 1 with --now]"
)
@click.option("--now", is_flag=True, help="Play with times of today: the last day ends when the play does.")
@shared_options
def command(
    folder: Path | None,
    scenario: Path | None,
    suffix: Any,
    url: str | None,
    speed: int | None,
    now: bool,
    **chosen: Any,
) -> None:
    """Write a made-up plant to FOLDER, and the truth about it; or play it to a URL as if it were running.

    truth.csv says when each degradation really began. With --to, FOLDER gets a plant file that reads
    what is played; without FOLDER, its tables are printed.
    """
    from ingest.simulation.scenario import scenario_from

    try:
        written = json.loads(scenario.read_text(encoding="utf-8")) if scenario else {}
    except ValueError as error:
        raise click.UsageError(f"{scenario}: not JSON ({error})") from error
    plan = scenario_from(written | {key: value for key, value in chosen.items() if value is not None})
    if url is not None:
        _play(plan, folder, url, speed=(1 if now else 60) if speed is None else speed, now=now)
    elif speed is not None or now:
        raise click.UsageError("--speed and --now are for a plant that is played; name where --to")
    elif folder is not None:
        _write(plan, folder, suffix)
    else:
        raise click.UsageError("name a FOLDER to write to, or a URL to play it --to")


def _write(plan: "Scenario", folder: Path, suffix: Any) -> None:
    from ingest.simulation.write import write_simulation

    call = current_call()
    with progress(call.as_json) as advance:
        report = write_simulation(plan, folder, suffix, progress=advance)
    call.show(report.to_dict(), lambda: _tell(report))


def _tell(report: "SimulationReport") -> None:
    click.echo(
        f"{report.folder}: {report.machines} machines, {report.readings:,} readings, {report.failures} failures"
        f" ({report.sudden} without any sign), {report.open} degradations under way at the end."
    )
    click.echo(f"Next: andon --plant {report.folder}/plant.toml ingest")


def _play(plan: "Scenario", folder: Path | None, url: str, *, speed: int, now: bool) -> None:
    """Play until all days are over, or Ctrl-C."""
    from time import sleep

    from ingest.simulation.play import play
    from ingest.simulation.targets.catalogue import target_at

    call = current_call()
    target = target_at(url, plan)
    reader = folder and _write_reader(plan, folder, target.tables)
    if not call.as_json:
        click.echo(f"Read by: andon --plant {reader} serve" if reader else target.tables.strip())
    played = None
    with target, progress(call.as_json) as advance, suppress(KeyboardInterrupt):
        for played in play(plan, target, speed=speed, now=now, clock=wall_clock, sleep=sleep):
            advance("playing", int(played.through * 100), 100)
    if played is not None:
        call.show({"plant": reader, "tables": target.tables, **played.to_dict()}, lambda: _tell_played(played, url))


def _write_reader(plan: "Scenario", folder: Path, tables: str) -> Path:
    """Write a plant file that reads what is played, and return where it is; never over another one."""
    from ingest.simulation.plant_text import plant_text

    path = folder / "plant.toml"
    text = plant_text(plan, tables, dict.fromkeys(plan.machines_per_kind, False), files=False)
    if path.exists() and path.read_text(encoding="utf-8") != text:
        raise click.UsageError(f"{path} is of another plant; name another FOLDER, or leave it out")
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _tell_played(played: "Played", url: str) -> None:
    click.echo(f"Played to {url} up to {played.until:%Y-%m-%d %H:%M} UTC: {played.readings:,} readings.")
    if played.taken < played.readings:
        click.echo(f"{played.readings - played.taken:,} of them were not taken; was Andon listening?")
