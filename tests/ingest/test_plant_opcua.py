"""The ``[[opcua]]`` tables of a plant file: what they may say, and each mistake named."""

from pathlib import Path

import pytest

from ingest.decode.opcua import owners_of
from ingest.errors import PlantFileError
from ingest.plant import Plant
from ingest.plant_file import load_plant

PLANT = """
[[classes]]
name = "press"
signals = [{ name = "temperature" }, { name = "force" }]

[[classes]]
name = "robot"
signals = [{ name = "temperature" }]

[[machines]]
names = ["press-7", "press-8"]
class = "press"
line = "L1"

[[machines]]
name = "robot"
class = "robot"

[[sources]]
name = "file"
path = "x.csv"
machine = "machine"
time = "time"

"""
STREAM = '[[opcua]]\nname = "line"\nurl = "opc.tcp://plc:4840"\n'
NODES = '[[opcua.nodes]]\nnode = "ns=2;s={line}/{machine}/{signal}"\n'


def load(folder: Path, text: str) -> Plant:
    path = folder / "plant.toml"
    path.write_text(PLANT + text, encoding="utf-8")
    return load_plant(path)


def nodes(plant: Plant) -> dict[str, tuple[str, str]]:
    return owners_of(plant.opcua[0], plant)


def test_a_template_stands_for_all_machines_and_signals(tmp_path: Path) -> None:
    assert nodes(load(tmp_path, STREAM + NODES)) == {
        "ns=2;s=L1/press-7/temperature": ("press-7", "temperature"),
        "ns=2;s=L1/press-7/force": ("press-7", "force"),
        "ns=2;s=L1/press-8/temperature": ("press-8", "temperature"),
        "ns=2;s=L1/press-8/force": ("press-8", "force"),
        "ns=2;s=/robot/temperature": ("robot", "temperature"),
    }


def test_ids_may_stand_alone_and_words_may_differ(tmp_path: Path) -> None:
    alone = '[[opcua.nodes]]\nmachine = "press-7"\nsignals = { force = "ns=2;i=1001", temperature = "nsu=urn:x;s=T" }\n'
    words = NODES + 'class = "press"\nmachines = { "press-8" = "P8" }\nsignals = { force = "F" }\n'

    assert nodes(load(tmp_path, STREAM + alone + words)) == {
        "ns=2;i=1001": ("press-7", "force"),
        "nsu=urn:x;s=T": ("press-7", "temperature"),
        "ns=2;s=L1/P8/F": ("press-8", "force"),
    }


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (STREAM, "nodes: is missing; add a [[opcua.nodes]] table"),
        (STREAM.replace('"line"', '"file"') + NODES, "name: 'file' is the name of another source or stream"),
        (STREAM + NODES + STREAM + NODES, "opcua[2].name: 'line' stands here a second time"),
        (STREAM.replace("opc.tcp", "http") + NODES, "url: 'http://plc:4840' is no address; write one such as"),
        (STREAM.replace("plc", "anna:geheim@plc") + NODES, "is no address"),
        (STREAM.replace("4840", "99999") + NODES, "is no address"),
        (STREAM + 'key_file = "k.pem"\n' + NODES, "key_file: has no meaning without security"),
        (STREAM + 'security = "sign"\ncertificate_file = "c"\n' + NODES, "key_file: is missing; security = 'sign'"),
        (STREAM + 'security = "Basic"\n' + NODES, "security: 'Basic' is none of none, sign, sign_and_encrypt"),
        (STREAM + 'password_variable = "P"\n' + NODES, "user_variable: is missing; a password needs a user"),
        (STREAM + 'publishing_interval = "0 s"\n' + NODES, "publishing_interval: is not above zero"),
        (STREAM + 'sampling_interval = "0 s"\n' + NODES, "sampling_interval: is not above zero"),
        (STREAM + "queue_size = 0\n" + NODES, "queue_size: 0 is too small; write 1 or more"),
        (STREAM + NODES.replace("{line}", "{hall}"), "node: there is no word {hall}"),
        (STREAM + NODES.replace("ns=2;s=", ""), "'L1/press-7/temperature' of press-7/temperature is no node id"),
        (STREAM + NODES.replace("s=", "i="), "is no node id; write one such as 'ns=2;s=Press7.Temperature'"),
        (
            STREAM + NODES.replace("/{machine}", ""),
            "stands for press-7/temperature and press-8/temperature; put {machine}",
        ),
        (STREAM + NODES.replace("/{signal}", ""), "stands for press-7/temperature and press-7/force"),
        (STREAM + NODES + 'machine = "press-9"\n', "machine: no machine 'press-9'"),
        (STREAM + NODES + 'machine = "press-7"\nclass = "press"\n', "class: stands beside 'machine'"),
        (STREAM + NODES + 'class = "presss"\n', "class: no class 'presss'; did you mean 'press'?"),
        (STREAM + NODES + 'signals = { forse = "F" }\n', "signals.forse: no signal 'forse'; did you mean 'force'?"),
        (STREAM + NODES + 'machines = { press = "P" }\n', "machines.press: no machine 'press'"),
        (STREAM + NODES + 'machine = "robot"\nsignals = { force = "F" }\n', "names no node: no machine that is meant"),
        (STREAM + NODES + NODES, "nodes[2].node: press-7/temperature has a node in nodes[1] already"),
        (STREAM + 'user = "anna"\n' + NODES, "user: unknown key"),
    ],
)
def test_a_mistake_is_named_with_what_would_be_right(tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(PlantFileError) as caught:
        load(tmp_path, text)

    assert len(caught.value.problems) == 1
    assert line in caught.value.problems[0]
    assert '(stream "' in caught.value.problems[0] or "second time" in line
