"""Show how signals stand on their control charts, and how well they keep a tolerance."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from service.cli.call import MOMENT, current_call, in_zone, shared_options, wall_clock

if TYPE_CHECKING:
    from models.efficiency.characteristic import Watched

_INDICES = ("cp", "cpk", "pp", "ppk", "beyond")


@click.command()
@click.option("--machine", help="Of this machine only.")
@click.option("--to", "stop", type=MOMENT, help="Up to this moment.  [default: now]")
@shared_options
def command(machine: str | None, stop: datetime | None) -> None:
    """Show how each characteristic of the plant file stands; a chart that no job has learnt yet takes seconds."""
    from ingest.errors import NotEnoughDataError
    from service.characteristics import look_at, standing
    from service.losses import machines_in

    call = current_call()
    found: list[Watched] = []
    unknown: list[str] = []
    with call.open() as room:
        machines_in(room.plant, None, machine)
        end = min(in_zone(stop, room.plant.zone) or wall_clock(), wall_clock())
        for name, each, _ in standing(room.plant, room.state, machine):
            try:
                found.append(look_at(room.plant, room.store, room.state, name, each.signal, end))
            except NotEnoughDataError as error:
                unknown.append(str(error))
    shown = {"charts": [_document(each) for each in found], "unknown": unknown}
    call.show(shown, lambda: _tell(found, unknown))


def _document(watched: "Watched") -> dict[str, Any]:
    able = watched.capability
    indices = {} if able is None else {name: getattr(able, name) for name in _INDICES}
    return {
        "machine": watched.machine,
        "signal": watched.characteristic.signal,
        "state": watched.state,
        "says": watched.says,
        "capability": {name: None if index is None else index.to_dict() for name, index in indices.items()},
        "why": {"capability": watched.no_capability} if able is None else able.why,
    }


def _tell(found: "Sequence[Watched]", unknown: Sequence[str]) -> None:
    if not found and not unknown:
        click.echo("No signal is on a control chart; declare some under [[classes.characteristics]].")
    for each in found:
        click.echo(f"{each.machine}, {each.characteristic.signal}: {each.state}. {each.says}")
        able = each.capability
        if able is None:
            click.echo(f"  Ppk not known: {each.no_capability}")
        else:
            index = able.ppk
            told = f"{index.value:.2f} [{index.low:.2f}-{index.high:.2f}]" if index else f"not known: {able.why['ppk']}"
            click.echo(f"  Ppk {told}")
    for reason in unknown:
        click.echo(reason)
