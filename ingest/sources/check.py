"""What the sources of a plant lack: files, columns, and signals that never came."""

from ingest.decode.mapping import resolve
from ingest.decode.sparkplug_payload import require_protobuf
from ingest.errors import SourceError
from ingest.plant import Plant
from ingest.sources.files import files_of, open_file
from ingest.sources.kafka_connection import require_confluent
from ingest.sources.mqtt_connection import require_paho
from ingest.store import Store


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
