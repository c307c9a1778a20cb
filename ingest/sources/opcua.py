"""OPC UA: the values of declared nodes, read and never written, and acknowledged when they are durable.

The server sends what is new, and sends more only when that is durable: meanwhile it keeps what comes, as many
values of each node as was agreed, and says so when it had to drop some. A new connection begins with the present
value of every node; one that is known already is the same reading.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from threading import Event
from time import monotonic

from ingest.dead_letter import DeadLetter
from ingest.decode.opcua import Point, PointDecoder, written
from ingest.delivery import Delivery
from ingest.errors import IntakeFullError, SourceError
from ingest.intake import Inlet
from ingest.plant import Plant
from ingest.plant_opcua import Opcua
from ingest.sources.credentials import credentials
from ingest.sources.opcua_connection import Came, Connection
from ingest.sources.stream import Standing, StreamState

_LOOK_SECONDS = 0.2
_FULL_SECONDS = 0.05
AGAIN_SECONDS = 60.0
"""So often nodes are asked for anew that the server refused."""
_NAMED = 5


class OpcuaStream:
    """Listens to one server, as a ``Stream``.

    Parameters
    ----------
    clock : returns the present moment, aware
    environment : holds user and password, if the plant file names variables
    again_seconds : how often nodes are asked for anew that the server refused
    """

    def __init__(
        self,
        stream: Opcua,
        plant: Plant,
        *,
        clock: Callable[[], datetime],
        environment: Mapping[str, str],
        again_seconds: float = AGAIN_SECONDS,
    ) -> None:
        self.name = stream.name
        self._config, self._plant, self._clock, self._environment = stream, plant, clock, environment
        self._again_seconds = again_seconds
        self._decoder = PointDecoder(stream, plant)
        self._standing = Standing(clock)

    @property
    def state(self) -> StreamState:
        """How it is; see ``Stream``."""
        return self._standing.state

    def run(self, inlet: Inlet, stop: Event) -> None:
        """Listen until told to stop; see ``Stream``."""
        try:
            asyncio.run(self._listen(inlet, stop))
        except SourceError as error:
            why = f"{self._config.url}: {error}"
            self._standing.say(connected=False, why=why)
            raise SourceError(why) from error
        except Exception as error:
            self._standing.say(connected=False, why=str(error))
            raise
        self._standing.say(connected=False, why="stopped")

    async def _listen(self, inlet: Inlet, stop: Event) -> None:
        user, password = credentials(self._config, self._environment)
        connection = Connection(self._config, self._plant.folder, user, password, self._clock)
        settled = asyncio.Lock()

        async def take(came: Came) -> None:
            async with settled:
                await self._take(came, inlet, stop)

        try:
            await connection.begin()
            await connection.subscribe(take)
            await self._watch(connection, stop)
        finally:
            async with settled:
                await connection.leave()

    async def _watch(self, connection: Connection, stop: Event) -> None:
        """Add all nodes, and from time to time those that were refused or taken away, until told to stop."""
        missing: Sequence[str] = list(self._decoder.owners)
        asked = -self._again_seconds
        while not stop.is_set():
            missing = list(dict.fromkeys([*missing, *connection.gone()]))
            if missing and monotonic() - asked >= self._again_seconds:
                refused = await connection.watch(missing)
                if len(refused) == len(self._decoder.owners):
                    raise SourceError(f"the server refuses all nodes: {_listed(refused)}")
                self._standing.say(connected=True)
                self._standing.notice(f"nodes are refused: {_listed(refused)}" if refused else "")
                missing, asked = list(refused), monotonic()
            why = await connection.lost(_LOOK_SECONDS)
            if why:
                raise SourceError(why)

    async def _take(self, came: Came, inlet: Inlet, stop: Event) -> None:
        """Make durable what came; returns when it is."""
        if not came.points and not came.missing:
            return
        delivery = self._delivery(came.points)
        while True:
            try:
                future = inlet.put(delivery)
                break
            except IntakeFullError:
                if stop.is_set():
                    raise
                await asyncio.sleep(_FULL_SECONDS)
        await asyncio.wrap_future(future)
        count = len(came.points)
        self._standing.count(
            received=count, kept=count, letters=len(delivery.dead_letters), overflowed=len(came.missing)
        )
        if came.missing:
            which = ", ".join(dict.fromkeys(came.missing[:_NAMED]))
            what = f"values are missing of {which}; if the server's queue was full, raise queue_size"
            self._standing.notice(what)

    def _delivery(self, points: Sequence[Point]) -> Delivery:
        now = self._clock()
        decoded = self._decoder.decode(points, now)
        those: dict[tuple[str, str], list[Point]] = {}
        for each in decoded.rejections:
            point = points[each.line - 1]
            those.setdefault((point.node, each.reason), []).append(point)
        letters = [self._letter(node, reason, some, now) for (node, reason), some in those.items()]
        return Delivery(
            source=self.name,
            readings=tuple(decoded.readings),
            dead_letters=tuple(letters),
            turned_away=decoded.turned_away,
        )

    def _letter(self, node: str, reason: str, points: Sequence[Point], now: datetime) -> DeadLetter:
        machine, signal = self._decoder.owners[node]
        what = f"{machine}/{signal}: {reason}"
        head = {"stream": self.name, "node": node}
        return DeadLetter(kind="opcua", body=written(points), reason=what, arrived=now, head=head)


def _listed(refused: Mapping[str, str]) -> str:
    some = [f"{node} ({why})" for node, why in list(refused.items())[:_NAMED]]
    more = f" and {len(refused) - _NAMED:,} more" if len(refused) > _NAMED else ""
    return f"{', '.join(some)}{more}"
