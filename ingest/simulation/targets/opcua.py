"""Play as an OPC UA server: a node for each machine and signal, whose value is that of the plant's present."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from itertools import islice
from threading import Thread
from time import monotonic, sleep
from typing import Any, Self
from urllib.parse import SplitResult

from ingest.errors import TargetError
from ingest.reading import KEY_COLUMNS
from ingest.simulation.scenario import Scenario
from ingest.simulation.stream import LiveBatch
from ingest.simulation.targets.target import place
from ingest.sources.opcua_connection import WAITING, require_asyncua

SPACE = "urn:andon:simulation"
WAIT_SECONDS = 30.0
_AT_ONCE = 50
"""Moments whose values are given before the clients must have taken them; they ask for a queue of 100."""
_LOOK_SECONDS = 0.02
_TABLES = """
[[opcua]]
name = "simulation"
url = "opc.tcp://{host}:{port}"
publishing_interval = "100 ms"

[[opcua.nodes]]
node = "nsu={space};s={{machine}}/{{signal}}"
"""

Value = tuple[str, float, Any]
"""Name of a node, value, time."""


class OpcuaTarget:
    """A server that is played by this process, as a ``Target``; it takes no events, and nobody may change its values.

    Parameters
    ----------
    patience : called again and again, until somebody listens; a plant that nobody listens to does not begin
    """

    def __init__(self, address: SplitResult, scenario: Scenario, patience: Callable[[float], object] = sleep) -> None:
        require_asyncua()
        self._host, self._port = place(address, 4840)
        self._plant = scenario.plant()
        self._patience = patience
        self._ids: dict[str, Any] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="andon-opcua-server", daemon=True)
        self._server: Any = None

    @property
    def tables(self) -> str:
        """See ``Target``."""
        return _TABLES.format(host=self._host, port=self._port, space=SPACE)

    def send(self, batch: LiveBatch) -> int:
        """See ``Target``; a reading is taken when all clients that listen to its node have acknowledged it."""
        while not self._heard():
            self._patience(_LOOK_SECONDS)
        values = _values(batch)
        moments = iter(sorted({time for _, _, time in values}))
        taken = 0
        while some := set(islice(moments, _AT_ONCE)):
            now = [each for each in values if each[2] in some]
            self._do(self._give(now))
            self._wait()
            heard = self._heard()
            taken += sum(self._ids[name] in heard for name, _, _ in now)
        return taken

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._do(self._start())
        except OSError as error:
            self._stop()
            why = f"no server can be started at {self._host}:{self._port} ({error.strerror or error})"
            raise TargetError(f"{why}; is another one running there?") from error
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._server.stop())
        self._stop()

    async def _start(self) -> None:
        from asyncua import ua
        from asyncua.server.server import Server

        self._server = server = Server()
        await server.init()
        server.set_endpoint(f"opc.tcp://{self._host}:{self._port}")
        server.set_server_name("Andon simulation")
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        space = await server.register_namespace(SPACE)
        lines: dict[str, Any] = {}
        for machine in self._plant:
            if machine.line not in lines:
                lines[machine.line] = await server.nodes.objects.add_folder(space, machine.line)
            owner = await lines[machine.line].add_object(space, machine.name)
            for signal in machine.kind.signals:
                name = f"{machine.name}/{signal.name}"
                node = ua.NodeId(ua.String(name), ua.Int16(space))
                variable = await owner.add_variable(node, signal.name, 0.0)
                await variable.add_property(space, "EngineeringUnits", _units(signal.unit))
                await server.write_attribute_value(node, _waiting())
                self._ids[name] = node
        await server.start()

    async def _give(self, values: Sequence[Value]) -> None:
        from asyncua import ua

        for name, value, time in values:
            held = ua.DataValue(ua.Variant(value, ua.VariantType.Double), SourceTimestamp=time)
            await self._server.write_attribute_value(self._ids[name], held)

    def _wait(self) -> None:
        """Wait until all clients have acknowledged what they were sent."""
        until = monotonic() + WAIT_SECONDS
        while any(each._triggered_datachanges or each._not_acknowledged_results for each in self._subscriptions()):
            if monotonic() > until:
                raise TargetError("a client acknowledges nothing any more; is Andon's disk full?")
            sleep(_LOOK_SECONDS)

    def _heard(self) -> set[Any]:
        """Return the nodes that clients listen to."""
        items = [list(each.monitored_item_srv._monitored_items.values()) for each in self._subscriptions()]
        return {item.read_value_id.NodeId for some in items for item in some}

    def _subscriptions(self) -> list[Any]:
        # The library has no other way to say what waits for its clients.
        return list(self._server.iserver.subscription_service.subscriptions.values())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _values(batch: LiveBatch) -> list[Value]:
    """Return the values of a batch in the order of their times."""
    found: list[Value] = []
    for readings in batch.readings:
        for row in readings.table.to_pylist():
            signals = [(name, value) for name, value in row.items() if name not in KEY_COLUMNS and value is not None]
            found += [(f"{row['machine']}/{name}", value, row["time"]) for name, value in signals]
    return sorted(found, key=lambda each: each[2])


def _units(unit: str) -> Any:
    from asyncua import ua

    return ua.EUInformation(DisplayName=ua.LocalizedText(unit))


def _waiting() -> Any:
    from asyncua import ua

    return ua.DataValue(ua.Variant(), StatusCode=ua.StatusCode(ua.UInt32(WAITING)))
