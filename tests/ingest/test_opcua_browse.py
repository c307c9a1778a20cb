"""A plant file proposed from a real OPC UA server, however large or crooked it is."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from asyncua import Server, ua
from asyncua.common.methods import uamethod

from ingest.decode.opcua import owners_of
from ingest.errors import SourceError
from ingest.plant_file import load_plant
from ingest.proposal.address_space import propose_server
from ingest.sources.opcua_browse import Found, Variable, browse
from service.cli.main import main
from tests.opcua_server import SPACE, OpcuaServer, running_server
from tests.opcua_wire import READING, wire_to


async def hall(server: Server, space: int) -> None:
    """Two lines of presses with sensors, a robot whose ids are numbers, texts and arrays, and a loop."""
    objects = server.nodes.objects
    for line, presses in (("L1", ("Press1", "Press2")), ("L2", ("Press3",))):
        hall = await objects.add_folder(ua.NodeId(line, space), line)
        for press in presses:
            machine = await hall.add_object(ua.NodeId(f"{line}/{press}", space), press)
            for signal, unit in (("Temperature", "°C"), ("Force", "kN"), ("Count", "")):
                node = ua.NodeId(f"{line}/{press}/{signal}", space)
                variable = await machine.add_variable(node, signal, 1.0)
                if unit:
                    units = ua.EUInformation(DisplayName=ua.LocalizedText(unit))
                    await variable.add_property(space, "EngineeringUnits", units)
            await machine.add_variable(ua.NodeId(f"{line}/{press}/Recipe", space), "Recipe", "steel")
            await machine.add_variable(ua.NodeId(f"{line}/{press}/Curve", space), "Curve", [1.0, 2.0])
            await machine.add_reference(hall, ua.ObjectIds.HasComponent)
        await hall.add_reference(objects, ua.ObjectIds.HasComponent)
    robot = await objects.add_object(ua.NodeId(7000, space), "Robot")
    await robot.add_variable(ua.NodeId(7001, space), "Torque", 1, ua.VariantType.Int16)

    @uamethod
    def stop_the_plant(parent: object) -> None:
        raise AssertionError("nobody may call this")

    await robot.add_method(ua.NodeId(7002, space), "Stop", stop_the_plant, [], [])


def andon(arguments: list[str]) -> object:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code or 0


@pytest.fixture(scope="module")
def server() -> Iterator[OpcuaServer]:
    with running_server(build=hall) as server:
        yield server


def test_a_plant_file_is_proposed_that_reads_the_server(
    server: OpcuaServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plant_file = tmp_path / "plant.toml"

    assert andon(["init", server.url, "-o", str(plant_file), "--json"]) == 0

    plant = load_plant(plant_file)
    assert [(each.name, [signal.name for signal in each.signals]) for each in plant.classes] == [
        ("robot", ["Torque"]),
        ("press", ["Temperature", "Force", "Count"]),
    ]
    assert [signal.unit for signal in plant.classes[1].signals] == ["°C", "kN", ""]
    assert [(each.name, each.line) for each in plant.machines] == [
        ("Robot", ""), ("Press1", "L1"), ("Press2", "L1"), ("Press3", "L2"),
    ]  # fmt: skip
    nodes = owners_of(plant.opcua[0], plant)
    assert nodes[f"nsu={SPACE};s=L2/Press3/Force"] == ("Press3", "Force")
    assert nodes[f"nsu={SPACE};i=7001"] == ("Robot", "Torque")
    assert len(nodes) == 10
    assert plant.opcua[0].nodes[1].node == f"nsu={SPACE};s={{line}}/{{machine}}/{{signal}}"
    guesses = json.loads(capsys.readouterr().out)["guesses"]
    assert {"key": "classes[2].signals[1].unit", "value": '"°C"', "confidence": 0.95,
            "why": "EngineeringUnits of the node"} in guesses  # fmt: skip
    assert "Left out: 6 variables that are no single numbers" in plant_file.read_text(encoding="utf-8")


def test_nothing_is_asked_for_that_could_change_anything(server: OpcuaServer) -> None:
    with wire_to(server.port) as wire:
        assert len(browse(wire.url).variables) == 10

    assert {"Browse", "Read"} <= wire.services <= READING


def test_nodes_depth_and_time_are_bounded_and_what_was_left_out_is_said(server: OpcuaServer) -> None:
    few = browse(server.url, most_nodes=8)
    shallow = browse(server.url, deepest=2)
    slow = browse(server.url, longest_seconds=0.0)

    assert few.seen <= 8
    assert few.cut == "only the first 8 nodes were looked at"
    assert shallow.cut == "what lies deeper than 2 levels was not looked at"
    assert [each.path for each in shallow.variables] == [("Robot", "Torque")]
    assert slow.cut == "the server is too slow to look at all of it"


def test_a_huge_server_is_looked_at_in_pieces_up_to_the_bound() -> None:
    async def huge(server: Server, space: int) -> None:
        folder = await server.nodes.objects.add_folder(ua.NodeId("Huge", space), "Huge")
        for number in range(1_100):
            await folder.add_variable(ua.NodeId(f"V{number}", space), f"V{number}", 0.0)

    with running_server(build=huge) as server:
        whole = browse(server.url)
        assert len(whole.variables) == 1_100  # more than a server is asked for at once
        assert whole.cut == ""
        part = browse(server.url, most_nodes=700)
        assert len(part.variables) <= 700
        assert "only the first 700 nodes" in part.cut


def test_a_server_without_numbers_is_said(server: OpcuaServer) -> None:
    with pytest.raises(SourceError, match="no object has numeric variables"):
        propose_server("opc.tcp://plc:4840", Found())


def test_parts_of_a_machine_are_not_machines_and_equal_names_on_two_lines_are_two_machines(tmp_path: Path) -> None:
    parts = [Variable(f"ns=2;i={n}", ("Line", press, "Sensors", "T")) for n, press in enumerate(("P1", "P2"))]
    equal = [Variable(f"ns=2;i={n}", (line, "Saw 1", "T")) for n, line in enumerate(("A", "B"))]

    for number, (variables, machines, signal) in enumerate(
        [(parts, ["P1", "P2"], "Sensors_T"), (equal, ["A/Saw 1", "B/Saw 1"], "T")]
    ):
        path = tmp_path / f"{number}.toml"
        path.write_text(propose_server("opc.tcp://plc:4840", Found(variables)).toml, encoding="utf-8")
        plant = load_plant(path)
        assert [each.name for each in plant.machines] == machines
        assert [each.name for each in plant.classes[0].signals] == [signal]
        assert len(owners_of(plant.opcua[0], plant)) == 2


def test_hostile_names_become_a_file_that_can_be_read(tmp_path: Path) -> None:
    names = ['a"b', "x\ny", "1..9", "{machine}", "time", "", "ü" * 300, "{signal}"]
    variables = [Variable(f"ns=2;i={n}", ("Hall", name, each)) for n, name in enumerate(names) for each in names]
    variables = [Variable(f"ns=2;i={n}", each.path) for n, each in enumerate(variables)]
    path = tmp_path / "plant.toml"

    path.write_text(propose_server("opc.tcp://plc:4840", Found(variables)).toml, encoding="utf-8")

    plant = load_plant(path)
    assert len(plant.machines) == len(names)
    assert len(owners_of(plant.opcua[0], plant)) == len(names) ** 2


def test_a_server_that_is_not_there_is_said_and_files_are_not_mixed_with_servers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = ["-o", str(tmp_path / "plant.toml")]

    assert andon(["init", "opc.tcp://127.0.0.1:9", *output]) == 1
    assert "opc.tcp://127.0.0.1:9: no server answers" in capsys.readouterr().err

    assert andon(["init", "opc.tcp://127.0.0.1:9", "x.csv", *output]) == 2
    assert "Name one server, or files" in capsys.readouterr().err
