"""Propose a plant file from your own files, or from an OPC UA server."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from service.cli.call import current_call, shared_options

if TYPE_CHECKING:
    from ingest.proposal import Proposal


@click.command()
@click.argument("files", nargs=-1, required=True)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Where to write it.  [./plant.toml]"
)
@click.option("--force", is_flag=True, help="Write over a plant file that is there.")
@shared_options
def command(files: tuple[str, ...], output: Path | None, force: bool) -> None:
    """Propose a plant file from your own FILES, or from opc.tcp://HOST:PORT, and say how sure each guess is."""
    call = current_call()
    output = output or call.settings().plant
    if output.exists() and not force:
        raise click.UsageError(f"{output} is there already; name another with -o, or write over it with --force.")
    proposal = _propose(files, output.parent)
    output.write_text(proposal.toml, encoding="utf-8")
    guesses = [{"key": g.key, "value": g.value, "confidence": g.confidence, "why": g.why} for g in proposal.guesses]
    call.show({"plant": output, "guesses": guesses}, lambda: _tell(output, guesses))


def _propose(files: tuple[str, ...], folder: Path) -> "Proposal":
    from ingest.proposal import propose
    from ingest.proposal.address_space import propose_server
    from ingest.sources.opcua_browse import browse

    servers = [each for each in files if each.startswith("opc.tcp://")]
    if not servers:
        return propose([Path(each) for each in files], beside=folder)
    if len(files) > 1:
        raise click.UsageError("Name one server, or files; not both. Copy the [[opcua]] table over afterwards.")
    return propose_server(servers[0], browse(servers[0]))


def _tell(output: Path, guesses: list[dict[str, object]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("sure", "key", "value", "why", box=None, padding=(0, 2, 0, 0))
    for guess in sorted(guesses, key=lambda guess: float(str(guess["confidence"]))):
        table.add_row(
            f"{float(str(guess['confidence'])):.0%}", str(guess["key"]), str(guess["value"]), str(guess["why"])
        )
    Console().print(table)
    place = "" if output == Path("plant.toml") else f" --plant {output}"
    click.echo(f"\nWrote {output}. Read it, put right what is wrong (least sure first), then: andon{place} check")
