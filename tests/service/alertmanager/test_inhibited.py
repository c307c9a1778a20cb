"""What something worse makes needless is shown as inhibited, by the same rules that decide whom it calls."""

from contextlib import closing
from pathlib import Path
from typing import Any

from service.alerts.labels import fingerprint
from service.alerts.pipeline.tables import stopped_line_table
from service.api.alertmanager.alerts import alert_shown
from service.api.alertmanager.firing import firing
from service.control_room import ControlRoom
from service.settings import Settings
from tests.service.called_plant import HOUR, Called, called, plant_of

ROUTE = {"name": "shift", "targets": ["phone"], "group_by": ["machine"]}
TARGET = {"name": "phone", "kind": "webhook", "address": "https://phone.example/hook"}
RULE = {"name": "worse", "when": {"causes": ["gearbox"]}, "quiet": {"causes": ["belt"]}, "same": ["machine"]}


def shown(world: Called) -> dict[str, Any]:
    class Card:
        def card(self, model: str, version: str) -> Any:
            return world.card

    room = ControlRoom(Settings(), world.plant, None, Card(), world.state)  # type: ignore[arg-type]
    with world.state.read() as connection:
        return {each.labels["cause"]: alert_shown(each) for each in firing(connection, room, world.now)}


def test_a_rule_names_the_fingerprint_of_what_is_worse(tmp_path: Path) -> None:
    world = called(tmp_path, plant_of([ROUTE], targets=[TARGET], inhibits=[RULE]))
    with closing(world.state):
        worse = world.alert("press-0", "gearbox", level=0.9, hours=40)
        world.alert("press-0", "belt", level=0.2, hours=400)
        found = shown(world)
        name = fingerprint(world.show(worse).labels)

    assert (found["belt"].status.state, found["belt"].status.inhibited_by) == ("suppressed", [name])
    assert (found["gearbox"].status.state, found["gearbox"].status.inhibited_by) == ("active", [])
    assert [each.name for each in found["belt"].receivers] == ["phone"]


def test_a_line_that_stands_says_so(tmp_path: Path) -> None:
    world = called(tmp_path, plant_of([ROUTE], targets=[TARGET]))
    with closing(world.state):
        world.alert("press-0", "belt", level=0.2, hours=400)
        with world.state.write() as connection:
            row = {"line": "A", "since": world.now, "until": world.now + HOUR, "why": "no pieces"}
            connection.execute(stopped_line_table.insert(), [row])
        found = shown(world)

    assert (found["belt"].status.state, found["belt"].status.inhibited_by) == ("suppressed", ["line stopped"])
