"""What the sources of a plant lack: files, columns, and signals that never came."""

from collections.abc import Mapping

from ingest.decode.mapping import resolve
from ingest.decode.sparkplug_payload import require_protobuf
from ingest.errors import SourceError
from ingest.plant import Plant
from ingest.plant_kafka import Kafka
from ingest.plant_mqtt import Mqtt
from ingest.plant_opcua import Opcua
from ingest.sources.files import files_of, open_file
from ingest.sources.kafka_connection import require_confluent
from ingest.sources.mqtt_connection import require_paho
from ingest.store import Store
from ingest.unit import doubt

_FILES = ("ca_file", "certificate_file", "key_file", "server_certificate_file")


def check_sources(plant: Plant) -> list[str]:
    """Return one line for each file that is missing, cannot be opened, or lacks a column, and for missing packages.

    Only the beginning of each file is read.
    """
    problems: list[str] = []
    needed = {
        require_paho: bool(plant.mqtt),
        require_protobuf: any(each.sparkplug is not None for each in plant.mqtt),
        require_confluent: bool(plant.kafka),
    }
    for require in [each for each, is_needed in needed.items() if is_needed]:
        try:
            require()
        except SourceError as error:
            problems.append(str(error))
    for source in plant.sources:
        try:
            files = files_of(source, plant.folder)
        except SourceError as error:
            problems.append(str(error))
            continue
        for path in files:
            try:
                resolve(source, plant, open_file(path, source).columns, str(path))
            except SourceError as error:
                problems.append(str(error))
    return problems


def check_streams(plant: Plant, environment: Mapping[str, str]) -> list[str]:
    """Return one line for each variable and file that a stream needs to connect and that is not there.

    Parameters
    ----------
    environment : where users and passwords would stand
    """
    problems: list[str] = []
    streams: list[Mqtt | Kafka | Opcua] = [*plant.mqtt, *plant.kafka, *plant.opcua]
    for stream in streams:
        for key in ("user_variable", "password_variable"):
            variable = getattr(stream, key)
            if variable and variable not in environment:
                problems.append(f"stream {stream.name!r}: the environment has no {variable}, which {key} names; set it")
        for key in _FILES:
            name = getattr(stream, key, "")
            if name and not (plant.folder / name).is_file():
                problems.append(
                    f"stream {stream.name!r}: {plant.folder / name}: no such file, which {key} names; the path is"
                    " relative to the plant file"
                )
    return problems


def doubtful_units(plant: Plant) -> list[str]:
    """Return one line for each unit of a signal that is not known or perhaps not what was meant."""
    return [
        f"signal {signal.name!r} of class {each.name!r}: {why}"
        for each in plant.classes
        for signal in each.signals
        if (why := doubt(signal.unit))
    ]


def silent_signals(plant: Plant, store: Store) -> list[str]:
    """Return one line for each signal that never came, of classes that have readings."""
    lines: list[str] = []
    for each in plant.classes:
        came = set(store.signals(each.name))
        lines += [
            f"signal {signal.name!r} of class {each.name!r}: no reading of it so far; give a source a column of that"
            f" name, or signals = {{ {signal.name} = 'column' }}, or take it out of the plant file"
            for signal in each.signals
            if came and signal.name not in came
        ]
    return lines
