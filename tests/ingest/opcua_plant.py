"""A small plant that listens to an OPC UA server, for tests."""

from datetime import UTC, datetime
from typing import Any

from ingest.plant import Machine, MachineClass, Plant, Signal
from ingest.plant_opcua import Opcua, OpcuaNodes
from ingest.sources.opcua import OpcuaStream
from tests.opcua_server import SPACE

NODES = OpcuaNodes(node=f"nsu={SPACE};s={{machine}}.{{signal}}")
VALUES = ("m1.a", "m1.b", "m2.a", "m2.b")


def plant_at(url: str, *nodes: OpcuaNodes, **more: Any) -> Plant:
    press = MachineClass(name="press", signals=[Signal(name="a", range=(-1e6, 1e6)), Signal(name="b")])
    stream = Opcua.model_validate(
        {"name": "line", "url": url, "publishing_interval": "50 ms", "nodes": list(nodes or [NODES]), **more}
    )
    machines = [Machine(name=each, machine_class="press") for each in ("m1", "m2")]
    return Plant(name="Works", classes=[press], machines=machines, opcua=[stream])


def stream_of(plant: Plant, *, again_seconds: float = 0.2, **environment: str) -> OpcuaStream:
    return OpcuaStream(
        plant.opcua[0],
        plant,
        clock=lambda: datetime.now(UTC),
        environment=environment,
        again_seconds=again_seconds,
    )
