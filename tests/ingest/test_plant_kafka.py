"""The ``[[kafka]]`` tables of a plant file: what they may say, and each mistake named."""

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
STREAM = '[[kafka]]\nname = "bus"\nservers = ["k:9092"]\n'
TOPIC = '[[kafka.topics]]\ntopic = "presses"\n'
LINES = TOPIC + 'format = "line_protocol"\n'


def load(folder: Path, text: str) -> Plant:
    path = folder / "plant.toml"
    path.write_text(PLANT + text, encoding="utf-8")
    return load_plant(path)


@pytest.mark.parametrize(
    "text",
    [
        STREAM + TOPIC,
        STREAM + TOPIC + 'machine = ["line", "device"]\nsignals = { force = "F" }\n',
        STREAM + TOPIC + 'machine_is = "press-{key}"\n',
        STREAM + TOPIC + 'format = "csv"\ncolumns = ["m", "t", "force"]\nmachine = "m"\ntime = "t"\ndelimiter = ";"\n',
        STREAM + LINES + 'machine = "host"\ntime_format = "ms"\n',
    ],
)
def test_a_cluster_needs_little(tmp_path: Path, text: str) -> None:
    (stream,) = load(tmp_path, text).kafka

    assert (stream.name, stream.servers, len(stream.topics)) == ("bus", ["k:9092"], 1)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (STREAM, "kafka[1].topics: is missing"),
        (STREAM.replace('"k:9092"', "") + TOPIC, "servers: "),
        (STREAM.replace("k:9092", "kafka://k") + TOPIC, "servers[1]: 'kafka://k' is no address; write one such as"),
        (STREAM.replace("bus", "file") + TOPIC, "name: 'file' is the name of another source or stream"),
        (STREAM + TOPIC + STREAM + TOPIC, "kafka[2].name: 'bus' stands here a second time"),
        (STREAM + TOPIC + TOPIC, "topics[2].topic: 'presses' stands here a second time"),
        (STREAM + TOPIC.replace("presses", "a/b"), "topic: 'a/b' is no topic"),
        (STREAM + 'ca_file = "ca.pem"\n' + TOPIC, "ca_file: has no meaning without tls"),
        (STREAM + 'password_variable = "P"\n' + TOPIC, "user_variable: is missing"),
        (STREAM + TOPIC + 'machine = "m"\nmachine_is = "press-7"\n', "machine: stands beside 'machine_is'"),
        (STREAM + TOPIC + "machine = []\n", "machine: is empty; write the key that names the machine"),
        (STREAM + TOPIC + 'machine_is = "press-8"\n', "machine_is: no machine 'press-8'; did you mean 'press-7'?"),
        (STREAM + TOPIC + 'machine_is = "{topic}"\n', "there is no word {topic} to take the machine from"),
        (STREAM + TOPIC + 'signals = { forse = "F" }\n', "signals.forse: no signal 'forse'; did you mean 'force'?"),
        (STREAM + TOPIC + 'signal_column = "s"\n', "value_column: is missing"),
        (STREAM + TOPIC + 'time_format = "epoch"\n', "time_format: 'epoch' is unknown"),
        (STREAM + TOPIC + 'delimiter = ";"\n', "delimiter: has a meaning for format = 'csv' only"),
        (STREAM + TOPIC + 'format = "csv"\ndelimiter = "."\n', "delimiter: '.' must be one character"),
        (STREAM + LINES + 'time_format = "iso"\n', "time_format: 'iso' is unknown in line protocol; "),
        (STREAM + LINES + 'machine = ["a", "b"]\n', "machine: names several"),
        (STREAM + LINES + 'time = "ts"\n', "time: has no meaning in line protocol"),
    ],
)
def test_a_mistake_is_named_with_what_would_be_right(tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(PlantFileError) as caught:
        load(tmp_path, text)

    assert len(caught.value.problems) == 1, caught.value.problems
    assert line in caught.value.problems[0]
    assert '(stream "' in caught.value.problems[0] or "second time" in line
