"""Make a plant up, of any size: readings, events, a plant file, and the truth beside them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from service.cli.call import current_call, progress, shared_options

if TYPE_CHECKING:
    from ingest.simulation.write import SimulationReport


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--machines", type=click.IntRange(1), help="How many machines in all.  [5]")
@click.option("--days", type=click.IntRange(1), help="How many days.  [90]")
@click.option("--seed", type=click.IntRange(0), help="The same seed makes the same plant.  [1]")
@click.option("--every", help="Time between two readings, such as '10 min'.  [10 min]")
@click.option("--scenario", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="All of it, as JSON.")
@click.option("--format", "suffix", type=click.Choice(["parquet", "csv"]), default="parquet", help="Of the readings.")
@shared_options
def command(folder: Path, scenario: Path | None, suffix: Any, **chosen: Any) -> None:
    """Write a made-up plant to FOLDER; truth.csv says when each degradation really began."""
    from ingest.simulation.scenario import scenario_from
    from ingest.simulation.write import write_simulation

    call = current_call()
    try:
        written = json.loads(scenario.read_text(encoding="utf-8")) if scenario else {}
    except ValueError as error:
        raise click.UsageError(f"{scenario}: not JSON ({error})") from error
    plan = scenario_from(written | {key: value for key, value in chosen.items() if value is not None})
    with progress(call.as_json) as advance:
        report = write_simulation(plan, folder, suffix, progress=advance)
    call.show(report.to_dict(), lambda: _tell(report))


def _tell(report: "SimulationReport") -> None:
    click.echo(
        f"{report.folder}: {report.machines} machines, {report.readings:,} readings, {report.failures} failures"
        f" ({report.sudden} without any sign), {report.open} degradations under way at the end."
    )
    click.echo(f"Next: andon --plant {report.folder}/plant.toml ingest")
