"""A plant file as far as it can be read: what the checks work on, so that one mistake does not hide the next."""

from collections.abc import Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from ingest.part import Part
from ingest.plant import AlertSettings, Job, KnownEvent, Machine, MachineClass, ModelEntry, Plant, Source
from ingest.plant_energy import Meter
from ingest.plant_kafka import Kafka
from ingest.plant_mqtt import Mqtt
from ingest.plant_opcua import Opcua
from ingest.plant_production import Product, Production, Shift
from ingest.plant_route import Inhibit, Route
from ingest.plant_target import MessageTarget
from ingest.plant_words import Location

_PartOf = TypeVar("_PartOf", bound=Part)


@dataclass(frozen=True)
class Draft:
    """The parts of a plant file that can be read on their own, even if others cannot.

    Attributes
    ----------
    document : the file as it stands, machines written out one by one
    classes, machines, sources, mqtt, kafka, opcua, events, meters, models, jobs, products, shifts, routes, inhibits,
    targets : parts by their position in the file
    alerts, production : these settings; ``None`` where they cannot be read
    zone : the plant's zone; ``None`` where it cannot be read
    """

    document: Mapping[str, Any]
    classes: Mapping[int, MachineClass]
    machines: Mapping[int, Machine]
    sources: Mapping[int, Source]
    mqtt: Mapping[int, Mqtt]
    kafka: Mapping[int, Kafka]
    opcua: Mapping[int, Opcua]
    events: Mapping[int, KnownEvent]
    meters: Mapping[int, Meter]
    models: Mapping[int, ModelEntry]
    jobs: Mapping[int, Job]
    products: Mapping[int, Product]
    shifts: Mapping[int, Shift]
    routes: Mapping[int, Route]
    inhibits: Mapping[int, Inhibit]
    targets: Mapping[int, MessageTarget]
    alerts: AlertSettings | None
    production: Production | None
    zone: ZoneInfo | None

    @classmethod
    def of_plant(cls, document: Mapping[str, Any], plant: Plant) -> "Draft":
        """Take all parts of a plant without mistakes of form."""
        return cls(
            document=document,
            classes=dict(enumerate(plant.classes)),
            machines=dict(enumerate(plant.machines)),
            sources=dict(enumerate(plant.sources)),
            mqtt=dict(enumerate(plant.mqtt)),
            kafka=dict(enumerate(plant.kafka)),
            opcua=dict(enumerate(plant.opcua)),
            events=dict(enumerate(plant.events)),
            meters=dict(enumerate(plant.meters)),
            models=dict(enumerate(plant.models)),
            jobs=dict(enumerate(plant.jobs)),
            products=dict(enumerate(plant.products)),
            shifts=dict(enumerate(plant.shifts)),
            routes=dict(enumerate(plant.routes)),
            inhibits=dict(enumerate(plant.inhibits)),
            targets=dict(enumerate(plant.targets)),
            alerts=plant.alerts,
            production=plant.production,
            zone=plant.zone,
        )

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "Draft":
        """Take the readable parts of a file with mistakes."""
        return cls(
            document=document,
            classes=_readable(MachineClass, document.get("classes")),
            machines=_readable(Machine, document.get("machines")),
            sources=_readable(Source, document.get("sources")),
            mqtt=_readable(Mqtt, document.get("mqtt")),
            kafka=_readable(Kafka, document.get("kafka")),
            opcua=_readable(Opcua, document.get("opcua")),
            events=_readable(KnownEvent, document.get("events")),
            meters=_readable(Meter, document.get("meters")),
            models=_readable(ModelEntry, document.get("models")),
            jobs=_readable(Job, document.get("jobs")),
            products=_readable(Product, document.get("products")),
            shifts=_readable(Shift, document.get("shifts")),
            routes=_readable(Route, document.get("routes")),
            inhibits=_readable(Inhibit, document.get("inhibits")),
            targets=_readable(MessageTarget, document.get("targets")),
            alerts=_readable(AlertSettings, [document.get("alerts", {})]).get(0),
            production=_readable(Production, [document.get("production", {})]).get(0),
            zone=_zone(document.get("time_zone", "UTC")),
        )

    def names(self, table: str) -> list[str]:
        """Names of all entries of a table, also of those with mistakes."""
        return [each["name"] for each in _tables(self.document.get(table)) if isinstance(each.get("name"), str)]

    @cached_property
    def signals(self) -> dict[str, list[str]]:
        """Names of the signals of each class."""
        return {
            name: [signal["name"] for signal in _tables(each.get("signals")) if isinstance(signal.get("name"), str)]
            for name, each in self._classes.items()
        }

    @cached_property
    def components(self) -> dict[str, list[str]]:
        """Names of the components of each class."""
        return {
            name: [component for component in listed if isinstance(component, str)]
            for name, each in self._classes.items()
            if isinstance(listed := each.get("components", []), list)
        }

    @cached_property
    def machine_names(self) -> frozenset[str]:
        """Names of all machines."""
        return frozenset(self.names("machines"))

    @cached_property
    def class_of(self) -> dict[str, str]:
        """Class of each machine, where both can be read."""
        classes = ((each.get("name"), each.get("class", each.get("machine_class"))) for each in self._machines)
        return {name: kind for name, kind in classes if isinstance(name, str) and isinstance(kind, str)}

    @cached_property
    def line_of(self) -> dict[str, str]:
        """Line of each machine that has one."""
        lines = ((each.get("name"), each.get("line")) for each in self._machines)
        return {name: line for name, line in lines if isinstance(name, str) and isinstance(line, str) and line}

    @property
    def _machines(self) -> list[dict[str, Any]]:
        return _tables(self.document.get("machines"))

    @property
    def _classes(self) -> dict[str, dict[str, Any]]:
        tables = _tables(self.document.get("classes"))
        return {each["name"]: each for each in tables if isinstance(each.get("name"), str)}


def _tables(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _readable(kind: type[_PartOf], entries: object) -> dict[int, _PartOf]:
    found: dict[int, _PartOf] = {}
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        try:
            found[index] = kind.model_validate(entry)
        except ValidationError as error:
            for innermost in (True, False):
                rest = deepcopy(entry)
                for each in error.errors(include_url=False):
                    _leave_out(rest, each["loc"], innermost=innermost)
                with suppress(ValidationError):
                    found[index] = kind.model_validate(rest)
                    break
    return found


def _leave_out(entry: object, location: Location, *, innermost: bool) -> None:
    """Remove one key on the way to a mistake; the validation of the whole file reports it."""
    node: Any = entry
    keys: list[tuple[dict[str, Any], str]] = []
    for step in location:
        if isinstance(node, dict) and step in node:
            keys.append((node, str(step)))
            node = node[str(step)]
        elif isinstance(node, list) and isinstance(step, int) and step < len(node):
            node = node[step]
        else:
            break
    if keys:
        table, key = keys[-1 if innermost else 0]
        table.pop(key, None)


def _zone(name: object) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if isinstance(name, str) else None
    except (KeyError, ValueError, OSError):
        return None
