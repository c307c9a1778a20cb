"""The ``[[mqtt]]`` tables of a plant file: what they may say, and each mistake named."""

from pathlib import Path

import pytest

from ingest.errors import PlantFileError
from ingest.plant import Plant
from ingest.plant_file import load_plant

PLANT = """
[[classes]]
name = "press"
signals = [{ name = "temperature" }, { name = "force" }]

[[machines]]
name = "press-7"
class = "press"

[[sources]]
name = "file"
path = "x.csv"
machine = "machine"
time = "time"

"""
TOPIC = '[[mqtt.topics]]\ntemplate = "plant/{line}/{machine}/{signal}"\n'


def load(folder: Path, text: str) -> Plant:
    path = folder / "plant.toml"
    path.write_text(PLANT + text, encoding="utf-8")
    return load_plant(path)


def test_a_broker_needs_little(tmp_path: Path) -> None:
    plain = load(tmp_path, '[[mqtt]]\nname = "hall"\nhost = "broker"\n' + TOPIC).mqtt[0]
    nodes = load(tmp_path, '[[mqtt]]\nname = "hall"\nhost = "broker"\nsparkplug = {}\n').mqtt[0]
    mapped = load(
        tmp_path,
        '[[mqtt]]\nname = "hall"\nhost = "broker"\n[[mqtt.topics]]\ntemplate = "x/+/#"\nmachine = "press-7"\n'
        'payload = "json"\nsignals = { force = "F" }\n',
    ).mqtt[0]

    assert (plain.host, plain.topics[0].template, plain.sparkplug) == (
        "broker",
        "plant/{line}/{machine}/{signal}",
        None,
    )
    assert (nodes.topics, nodes.sparkplug is None) == ([], False)
    assert (mapped.topics[0].machine, mapped.topics[0].signals) == ("press-7", {"force": "F"})


STREAM = '[[mqtt]]\nname = "hall"\nhost = "b"\n'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (STREAM, "topics: is missing; add a [[mqtt.topics]] table, or sparkplug = {}"),
        (STREAM.replace("hall", "file") + TOPIC, "name: 'file' is the name of another source or stream"),
        (STREAM + TOPIC + STREAM + TOPIC, "mqtt[2].name: 'hall' stands here a second time"),
        (STREAM + "port = 70000\n" + TOPIC, "port: 70000 is too large; write 65535 or less"),
        (STREAM + 'ca_file = "ca.pem"\n' + TOPIC, "ca_file: has no meaning without tls"),
        (STREAM + 'password_variable = "P"\n' + TOPIC, "user_variable: is missing"),
        (STREAM + 'protocol = "4"\n' + TOPIC, "protocol: '4' is none of 5, 3.1.1"),
        (STREAM + TOPIC.replace("{line}", "a{line}"), "'a{line}' is only part of a level"),
        (STREAM + TOPIC.replace("{line}", "#"), "template: has '#' before its end"),
        (STREAM + TOPIC.replace("{line}", "{machine}"), "template: {machine} stands here twice"),
        (STREAM + TOPIC.replace("{signal}", "+"), "signal: there is no word {signal} to take the signal from"),
        (STREAM + TOPIC + 'machine = "press-8"\n', "machine: no machine 'press-8'; did you mean 'press-7'?"),
        (STREAM + TOPIC + 'machine = "{machin}"\n', "did you mean 'machine'?"),
        (STREAM + TOPIC + 'time_format = "epoch"\n', "time_format: 'epoch' is unknown"),
        (STREAM + TOPIC + 'signals = { forse = "F" }\n', "signals.forse: no signal 'forse'; did you mean 'force'?"),
        (STREAM + 'sparkplug = { machine = "{edge}" }\n', "there is no word {edge} to take the machine from"),
        (STREAM + 'sparkplug = { groups = ["a/b"] }\n', "'a/b' is no group"),
        (STREAM + TOPIC + TOPIC, "topics[2].template: is never used: topics[1] fits all its topics"),
        (
            STREAM + TOPIC + TOPIC.replace("plant/{line}", "{line}/hall"),
            "topics[2].template: has topics in common with topics[1], whose messages would come twice",
        ),
        (STREAM + 'user = "anna"\n' + TOPIC, "user: unknown key"),
    ],
)
def test_a_mistake_is_named_with_what_would_be_right(tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(PlantFileError) as caught:
        load(tmp_path, text)

    assert len(caught.value.problems) == 1
    assert line in caught.value.problems[0]
    assert '(stream "' in caught.value.problems[0] or "second time" in line
