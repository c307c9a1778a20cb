"""A real OPC UA server for tests, in a thread of its own."""

import asyncio
import gc
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Thread
from typing import Any

from asyncua import Node, Server, ua

from tests.ports import free_port

SPACE = "http://works.example/"
_ANYTHING = ua.NodeId(ua.ObjectIds.Number)
"""A data type that the server does not compare with that of a value."""
Build = Callable[[Server, int], Coroutine[Any, Any, None]]


class OpcuaServer:
    """A server on a free port of its own that may be stopped and started again."""

    def __init__(self, *values: str, build: Build | None = None, users: Any = None, secure: Any = None) -> None:
        self.port = free_port()
        self.url = f"opc.tcp://127.0.0.1:{self.port}"
        self._values, self._build, self._users, self._secure = values, build, users, secure
        self._nodes: dict[str, Node] = {}
        self.start()

    def start(self) -> None:
        """Start, and return when it listens."""
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.do(self._start())

    def stop(self) -> None:
        """Stop; all subscriptions are lost."""
        self.do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run something in the server's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def set(self, name: str, value: object, *, time: datetime | None = None, status: int = 0) -> None:
        """Give a node a value, as its device would."""
        self.set_all([(name, value, time or datetime.now(UTC), status)])

    def set_all(self, values: list[tuple[str, object, datetime | None, int]]) -> None:
        """Give nodes values, one after the other, so fast that nothing is sent between them."""
        self.do(self._set(values))

    def write(self, name: str, value: ua.DataValue) -> None:
        """Write down a value as it is."""
        self.do(self._server.write_attribute_value(self._nodes[name].nodeid, value))

    def add(self, name: str, value: float) -> None:
        """Add a node to a server that runs."""
        self.do(self._server.nodes.objects.add_variable(ua.NodeId(name, 2), name, value))

    def take_away(self, name: str) -> None:
        """Remove a node, and tell nobody who watches it."""
        node = self._nodes.pop(name)
        self.do(self._take_away(node.nodeid))

    def put_back(self, name: str) -> None:
        """Add a node as at the beginning, with a first value."""
        self.do(self._put_back(name))

    async def _take_away(self, node: ua.NodeId) -> None:
        space = self._server.iserver.aspace
        # The library makes a coroutine to tell them, and never runs it.
        for handle in list(space[node].attributes[ua.AttributeIds.Value].datachange_callbacks):
            space.delete_datachange_callback(handle)
        await self._server.delete_nodes([self._server.get_node(node)])

    async def _put_back(self, name: str) -> None:
        objects, place = self._server.nodes.objects, ua.NodeId(name, 2)
        self._nodes[name] = node = await objects.add_variable(place, name, None, datatype=_ANYTHING)
        waiting = ua.DataValue(ua.Variant(), StatusCode=ua.StatusCode(ua.StatusCodes.BadWaitingForInitialData))
        await self._server.write_attribute_value(node.nodeid, waiting)

    def unacknowledged(self) -> int:
        """Return how many messages of all subscriptions are not acknowledged."""
        service = self._server.iserver.subscription_service
        return sum(len(each._not_acknowledged_results) for each in service.subscriptions.values())

    async def _end(self) -> None:
        await self._server.stop()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for each in left:
            each.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def reset(self) -> None:
        """Make all nodes wait for their first value."""
        self.do(self._reset())

    async def _reset(self) -> None:
        waiting = ua.DataValue(ua.Variant(), StatusCode=ua.StatusCode(ua.StatusCodes.BadWaitingForInitialData))
        for node in self._nodes.values():
            await self._server.write_attribute_value(node.nodeid, waiting)

    async def _set(self, values: list[tuple[str, object, datetime | None, int]]) -> None:
        for name, value, time, status in values:
            held = value if isinstance(value, ua.Variant) else ua.Variant(value)
            stamped = ua.DataValue(held, StatusCode=ua.StatusCode(status), SourceTimestamp=time)
            await self._server.write_attribute_value(self._nodes[name].nodeid, stamped)

    async def _start(self) -> None:
        self._server = server = Server(user_manager=self._users)
        gc.disable()  # what a server holds of the standard is made anew each time: a third of it is looking for garbage
        try:
            await server.init()
        finally:
            gc.enable()
        server.set_endpoint(self.url)
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        if self._secure is not None:
            await self._secure(server)
        space = await server.register_namespace(SPACE)
        objects = server.nodes.objects
        for name in self._values:
            node = await objects.add_variable(ua.NodeId(name, space), name, None, datatype=_ANYTHING)
            self._nodes[name] = node
        await self._reset()
        if self._build is not None:
            await self._build(server, space)
        await server.start()


@contextmanager
def running_server(*values: str, **options: Any) -> Iterator[OpcuaServer]:
    """Give a server with a node of any type for each name, and stop it at the end."""
    server = OpcuaServer(*values, **options)
    try:
        yield server
    finally:
        server.stop()
