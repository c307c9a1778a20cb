"""A connection to an OPC UA server through asyncua: it subscribes to values and can do nothing else.

It knows no way to write a value or to call a method, and a test sees to it that none comes in.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from ingest.decode.opcua import Point, status_name
from ingest.errors import SourceError
from ingest.plant_opcua import Opcua
from ingest.sources.opcua_security import secure
from ingest.sources.opcua_value import plain, time_of

ANSWER_SECONDS = 5.0
LOOK_SECONDS = 5.0
KEEP_ALIVE_SECONDS = 10.0
LIFETIME_SECONDS = 600.0
"""So long the server keeps a subscription, and what waits in it, while we take nothing."""
MOST_VALUES = 10_000
LARGEST_MESSAGE = 64 << 20
_ITEMS_AT_ONCE = 500
_OVERFLOW = 0x480
WAITING = 0x80320000
"""BadWaitingForInitialData: there is no value yet."""
_GONE = (0x80330000, 0x80340000)
"""BadNodeIdInvalid, BadNodeIdUnknown: the server took the node away, and what watched it is dead."""


class Came(NamedTuple):
    """What a server sent at once.

    Attributes
    ----------
    missing : nodes of which it dropped values before, because its queue was full
    """

    points: list[Point]
    missing: list[str]


Take = Callable[[Came], Awaitable[None]]
"""Called with what came; when it returns, what came is acknowledged."""


class Connection:
    """One connection; its methods are called in the order in which they stand here.

    Parameters
    ----------
    stream, folder : the table of the plant file, and the folder of that file
    user, password : as the environment has them
    clock : returns the present moment, aware, for values without a time

    Raises
    ------
    SourceError
        When there is no server, it refuses, or the connection is lost; this may come from every method.
    """

    def __init__(
        self, stream: Opcua, folder: Path, user: str | None, password: str | None, clock: Callable[[], datetime]
    ) -> None:
        self._stream, self._folder, self._clock = stream, folder, clock
        self._client = quiet_client(stream.url)
        self._client.connection_lost_callback = self._on_lost
        if user is not None:
            self._client.set_user(user)
        if password is not None:
            self._client.set_password(password)
        self._nodes: list[str] = []
        self._handles: dict[str, int] = {}
        self._items: dict[int, int] = {}
        self._gone: dict[str, None] = {}
        self._lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._silence = 0.0
        self._heard = 0.0
        self._taking = False
        self._take: Take | None = None
        self._subscription = 0
        self._number = 0

    async def begin(self) -> None:
        """Connect and begin a session."""
        try:
            if self._stream.security != "none":
                await secure(self._client, self._stream, self._folder)
            await self._client.connect()
        except Exception as error:
            raise SourceError(why_not(error)) from error

    async def subscribe(self, take: Take) -> None:
        """Begin a subscription; ``take`` gets what comes, one after the other."""
        from asyncua import ua

        interval = self._stream.publishing_interval.total_seconds()
        wishes = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=interval * 1000,
            RequestedLifetimeCount=_count(LIFETIME_SECONDS / interval, least=30),
            RequestedMaxKeepAliveCount=_count(KEEP_ALIVE_SECONDS / interval, least=1),
            MaxNotificationsPerPublish=MOST_VALUES,
            PublishingEnabled=True,
        )
        self._take = take
        self._hear()
        try:
            granted = await self._client.uaclient.create_subscription(wishes, self._came)
        except Exception as error:
            raise SourceError(why_not(error)) from error
        self._subscription = granted.SubscriptionId
        keep_alive = granted.RevisedMaxKeepAliveCount * granted.RevisedPublishingInterval / 1000
        self._silence = 2 * keep_alive + ANSWER_SECONDS

    async def watch(self, nodes: Sequence[str]) -> dict[str, str]:
        """Add nodes to the subscription; return why, for each node that the server refuses."""
        spaces = await self._namespaces() if any(each.startswith("nsu=") for each in nodes) else {}
        refused: dict[str, str] = {}
        for at in range(0, len(nodes), _ITEMS_AT_ONCE):
            refused |= await self._watch(nodes[at : at + _ITEMS_AT_ONCE], spaces)
        return refused

    def gone(self) -> list[str]:
        """Return the nodes that the server took away since this was asked; they are to be watched anew."""
        gone, self._gone = list(self._gone), {}
        return gone

    async def lost(self, wait: float) -> str:
        """Wait; return why the connection is lost, or nothing if it is not."""
        done, _ = await asyncio.wait([self._lost], timeout=wait)
        if done:
            return self._lost.result()
        silent = asyncio.get_running_loop().time() - self._heard
        return "the server sends nothing any more" if not self._taking and silent > self._silence else ""

    async def leave(self) -> None:
        """End the session, and with it the subscription."""
        with contextlib.suppress(Exception):  # it is over in any case
            await asyncio.wait_for(self._client.disconnect(), 2 * ANSWER_SECONDS)

    async def _namespaces(self) -> dict[str, int]:
        try:
            return {uri: place for place, uri in enumerate(await self._client.get_namespace_array())}
        except Exception as error:
            raise SourceError(why_not(error)) from error

    async def _watch(self, nodes: Sequence[str], spaces: Mapping[str, int]) -> dict[str, str]:
        from asyncua import ua

        refused: dict[str, str] = {}
        items: list[ua.MonitoredItemCreateRequest] = []
        await self._forget(nodes)
        for node in nodes:
            text = _numbered(node, spaces)
            if not text:
                refused[node] = "the server has no such namespace"
                continue
            if node not in self._handles:
                self._handles[node] = len(self._nodes)
                self._nodes.append(node)
            items.append(self._item(ua.NodeId.from_string(text), self._handles[node]))
        wishes = ua.CreateMonitoredItemsParameters(
            SubscriptionId=self._subscription,
            TimestampsToReturn=ua.TimestampsToReturn.Both,
            ItemsToCreate=items,
        )
        try:
            results = await self._client.uaclient.create_monitored_items(wishes) if items else []
        except Exception as error:
            raise SourceError(why_not(error)) from error
        for item, result in zip(items, results, strict=True):
            handle = item.RequestedParameters.ClientHandle
            if result.StatusCode.is_good():
                self._items[handle] = result.MonitoredItemId
            else:
                refused[self._nodes[handle]] = status_name(result.StatusCode.value)
        return refused

    async def _forget(self, nodes: Sequence[str]) -> None:
        """Let the server forget what watched these nodes, if anything did."""
        from asyncua import ua

        handles = [self._handles[each] for each in nodes if each in self._handles]
        dead = [self._items.pop(each) for each in handles if each in self._items]
        if not dead:
            return
        wishes = ua.DeleteMonitoredItemsParameters(SubscriptionId=self._subscription, MonitoredItemIds=dead)
        with contextlib.suppress(Exception):  # a server may have forgotten them itself
            await self._client.uaclient.delete_monitored_items(wishes)

    def _item(self, node: Any, handle: int) -> Any:
        from asyncua import ua
        from asyncua.ua.attribute_ids import AttributeIds

        stream = self._stream
        trigger = ua.DataChangeTrigger.StatusValue if stream.changes_only else ua.DataChangeTrigger.StatusValueTimestamp
        interval = stream.sampling_interval or stream.publishing_interval
        return ua.MonitoredItemCreateRequest(
            ItemToMonitor=ua.ReadValueId(NodeId=node, AttributeId=AttributeIds.Value),
            MonitoringMode=ua.MonitoringMode.Reporting,
            RequestedParameters=ua.MonitoringParameters(
                ClientHandle=handle,
                SamplingInterval=interval.total_seconds() * 1000,
                Filter=ua.DataChangeFilter(Trigger=trigger),
                QueueSize=stream.queue_size,
                DiscardOldest=True,
            ),
        )

    async def _came(self, result: Any) -> None:
        """Take what the server sent; the library acknowledges it when this returns, and asks for more only then."""
        from asyncua import ua

        self._hear()
        self._taking = True
        for part in result.NotificationMessage.NotificationData or []:
            if isinstance(part, ua.DataChangeNotification):
                await self._hand_over(part, int(result.NotificationMessage.SequenceNumber))
            elif isinstance(part, ua.StatusChangeNotification):
                self._lose(f"the server ended the subscription: {status_name(part.Status.value)}")
        self._taking = False
        self._hear()

    async def _hand_over(self, changes: Any, number: int) -> None:
        assert self._take is not None  # noqa: S101 - nothing comes before there is a subscription
        try:
            came = self._read(changes)
            # A message may have several parts, all of its number.
            if self._number and number > self._number + 1:
                # The library passes over what it cannot read, and says so nowhere else.
                came.missing.append(f"nodes in {number - self._number - 1} messages that cannot be read")
            self._number = number
            await self._take(came)
        except Exception as error:
            self._lose(str(error), error)
            await asyncio.Event().wait()  # for ever: what is not durable must not be acknowledged

    def _read(self, changes: Any) -> Came:
        points: list[Point] = []
        missing: list[str] = []
        now = self._clock()
        for item in changes.MonitoredItems or []:
            node, value = self._nodes[item.ClientHandle], item.Value
            status = value.StatusCode.value if value.StatusCode is not None else 0
            if status & _OVERFLOW == _OVERFLOW:
                missing.append(node)
            if status & 0xFFFF0000 in _GONE:
                self._gone[node] = None
            if status & 0xFFFF0000 != WAITING:
                held = None if value.Value is None else plain(value.Value.Value)
                points.append(Point(node, time_of(value, now), held, status))
        return Came(points, missing)

    def _hear(self) -> None:
        self._heard = asyncio.get_running_loop().time()

    def _lose(self, why: str, error: Exception | None = None) -> None:
        if not self._lost.done():
            if error is None:
                self._lost.set_result(why)
            else:
                self._lost.set_exception(error)
                self._lost.exception()  # heard, even if nobody asks for it any more

    async def _on_lost(self, error: Exception) -> None:
        self._lose(f"the connection is lost ({_said(error)})")


def require_asyncua() -> None:
    """Raise ``SourceError`` if ``asyncua`` is not installed."""
    try:
        import asyncua  # noqa: F401
    except ImportError as error:
        raise SourceError("OPC UA needs a package that is not installed; run: pip install 'andon[opcua]'") from error


def quiet_client(url: str) -> Any:
    """Return a client that is not connected yet.

    What goes wrong is said by who uses it, once, and not by lines of the library.
    """
    require_asyncua()
    from asyncua.client.client import Client

    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    client = Client(url, timeout=ANSWER_SECONDS, watchdog_intervall=LOOK_SECONDS)
    client.name = client.description = "Andon"
    client.application_uri = "urn:andon:client"
    client.max_messagesize = LARGEST_MESSAGE
    return client


def _numbered(node: str, spaces: Mapping[str, int]) -> str:
    """Return a node id with the number of its namespace in place of its name; empty if there is none."""
    if not node.startswith("nsu="):
        return node
    space, _, rest = node.removeprefix("nsu=").partition(";")
    return f"ns={spaces[space]};{rest}" if space in spaces else ""


def _count(number: float, *, least: int) -> int:
    return min(max(round(number), least), 2**32 - 1)


def why_not(error: Exception) -> str:
    """Say why a server could not be talked to."""
    from asyncua.ua.uaerrors import UaStatusCodeError

    if isinstance(error, SourceError):
        return str(error)
    if isinstance(error, UaStatusCodeError):
        return f"the server refuses: {status_name(error.code)}"
    if isinstance(error, TimeoutError):
        return "the server does not answer"
    if isinstance(error, ConnectionError):
        return f"no server answers ({_said(error)})"
    if isinstance(error, OSError):
        return f"no server can be reached ({_said(error)})"
    return f"no session with the server ({_said(error)})"


def _said(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
