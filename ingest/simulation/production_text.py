"""What the plant file of a simulated plant says of production: products, shifts, words and what an hour is worth."""

import json
from collections.abc import Iterator, Sequence

from ingest.simulation.floor import BLOCKED, OFF, RUNNING, SETUP, STARVED
from ingest.simulation.kind import MachineKind
from ingest.simulation.planted_loss import PlantedLoss
from ingest.simulation.scenario import Scenario

HOUR_VALUE = 120
FLOOR_EVENTS = """\
    { kind = "state", where = { kind = ["state"] }, code = "code" },
    { kind = "order", where = { kind = ["order"] }, product = "component", code = "code" },
    { kind = "count", where = { kind = ["count"] }, product = "component", code = "code", value = "value" },
"""
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def production_text(scenario: Scenario, kinds: Sequence[MachineKind]) -> Iterator[str]:
    """Yield the tables of products, shifts and production; nothing where no machine makes pieces."""
    if not any(product.cycle_seconds for kind in kinds for product in kind.products):
        return
    yield from _products(scenario, kinds)
    yield from _shifts(scenario, kinds)
    yield _production(scenario, kinds)


def _products(scenario: Scenario, kinds: Sequence[MachineKind]) -> Iterator[str]:
    wrong = [each for each in scenario.losses if each.kind == "wrong ideal cycle"]
    for name in dict.fromkeys(product.name for kind in kinds for product in kind.products if product.cycle_seconds):
        cycles = {
            kind.name: product.cycle_seconds for kind in kinds for product in kind.products if product.name == name
        }
        cycles |= {each.machine: _told(scenario, each, name) for each in wrong if each.product in ("", name)}
        listed = ", ".join(f'{json.dumps(of)} = "{seconds:g} s"' for of, seconds in cycles.items() if seconds)
        yield f"\n[[products]]\nname = {json.dumps(name)}\nideal_cycles = {{ {listed} }}\n"


def _told(scenario: Scenario, loss: PlantedLoss, product: str) -> float:
    """Return the wrong ideal cycle time that the plant file tells, in seconds; 0 where it does not make the product."""
    kind = next(each.kind for each in scenario.plant() if each.name == loss.machine)
    return sum(each.cycle_seconds for each in kind.products if each.name == product) / (1 + loss.size)


def _shifts(scenario: Scenario, kinds: Sequence[MachineKind]) -> Iterator[str]:
    """Yield the shifts of each kind that makes pieces; machines whose shifts nobody declares are never planned."""
    for kind in kinds:
        pattern = scenario.pattern(kind)
        machines = json.dumps([each.name for each in scenario.plant() if each.kind is kind])
        days = json.dumps([_DAYS[day] for day in pattern.days])
        for begin, end in pattern.hours:
            hours = f"{begin:02d}:00-{end:02d}:00"
            yield (
                f'\n[[shifts]]\nname = "{kind.name} {hours}"\nhours = "{hours}"\ndays = {days}\nmachines = {machines}\n'
            )


def _production(scenario: Scenario, kinds: Sequence[MachineKind]) -> str:
    text = f"\n[production]\nhour_value = {HOUR_VALUE}\n"
    planned, broken = "planned maintenance", "breakdown"
    if not scenario.floor:
        return text + f'words = {{ breakdown = ["{broken}"], planned_stop = ["{planned}"] }}\n'
    reasons = [error for kind in kinds for error in kind.errors]
    reasons += ["stop", *(each.reason for each in scenario.losses if each.reason)]
    words = {
        "running": [RUNNING],
        "changeover": [SETUP],
        "breakdown": [broken],
        "stopped": list(dict.fromkeys(reasons)),
        "idle": [OFF],
        "starved": [STARVED],
        "blocked": [BLOCKED],
        "planned_stop": [planned],
    }
    listed = ", ".join(f"{meaning} = {json.dumps(said)}" for meaning, said in words.items())
    return f"{text}words = {{ {listed} }}\n"
