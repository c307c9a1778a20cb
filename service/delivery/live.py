"""Live push: what happens to alerts, as it happens, to everybody who listens.

Each event is encoded once, and the same bytes go to all. The table of what happened to alerts is the source, so it
does not matter which process made the change; it is asked only while somebody listens.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass

import structlog
from anyio import to_thread
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from sqlalchemy import func, select

from ingest.database import Database
from ingest.errors import AndonError
from service.alerts.tables import alert_event_table, alert_table

POLL_SECONDS = 0.04
KEEP_ALIVE_SECONDS = 15.0
MOST_WAITING = 1_000
"""Events that wait for one listener; whoever is further behind is cut off, and goes on from where it was."""

RETRY_MILLISECONDS = 2_000
PAGE = 500

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Line:
    """One event as it goes over the wire."""

    id: int
    machine: str
    wire: bytes


def newest_line(state: Database) -> int:
    """Return the id of the newest event; 0 if there is none."""
    with state.read() as connection:
        return connection.scalar(select(func.max(alert_event_table.c.id))) or 0


def lines_after(state: Database, after: int, limit: int = PAGE) -> list[Line]:
    """Return what happened after an event, oldest first, with what the alerts say now."""
    event, alert = alert_event_table.c, alert_table.c
    query = (
        select(event.id, event.alert, event.at, event.happening, event.state, event.by, event.why, event.level)
        .add_columns(alert.machine, alert.kind, alert.cause, alert.sentence, alert.act_before)
        .join(alert_table, alert.number == event.alert)
        .where(event.id > after)
        .order_by(event.id)
        .limit(limit)
    )
    with state.read() as connection:
        rows = connection.execute(query).all()
    found = []
    for row in rows:
        data = {**row._mapping, "at": row.at.isoformat(), "act_before": row.act_before.isoformat()}
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        found.append(Line(row.id, row.machine, format_sse_event(data_str=text, event="alert", id=str(row.id))))
    return found


class Listener:
    """One who listens, and what waits for him."""

    def __init__(self, most: int) -> None:
        self._lines: deque[Line] = deque()
        self._most = most
        self._woken = asyncio.Event()
        self.over = asyncio.Event()
        """Set when nothing more comes: he was too slow, or the server ends."""

    def give(self, lines: Sequence[Line]) -> None:
        """Let lines wait for him; cut him off when they are too many."""
        if len(self._lines) + len(lines) > self._most:
            self.end()
            return
        self._lines.extend(lines)
        self._woken.set()

    def end(self) -> None:
        """Let nothing more come."""
        self._lines.clear()
        self.over.set()
        self._woken.set()

    async def next(self, seconds: float) -> list[Line]:
        """Return what waits, as soon as something does; nothing after so many seconds without."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), seconds)
        self._woken.clear()
        lines = list(self._lines)
        self._lines.clear()
        return lines


class LiveAlerts:
    """Tells all listeners what happens to alerts.

    Parameters
    ----------
    state : returns the database, once it is open
    poll_seconds : between two looks for new events, while somebody listens
    most_waiting : events that may wait for one listener
    """

    def __init__(
        self,
        state: Callable[[], Database],
        *,
        poll_seconds: float = POLL_SECONDS,
        most_waiting: int = MOST_WAITING,
        keep_alive_seconds: float = KEEP_ALIVE_SECONDS,
    ) -> None:
        self._state, self._poll_seconds, self._most = state, poll_seconds, most_waiting
        self._keep_alive = keep_alive_seconds
        self._listeners: set[Listener] = set()
        self._position = 0
        self._joining = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self.ending: Callable[[], bool] = lambda: False
        """Asked at each look: whether the server is about to end, which waits for all who listen."""

    async def join(self) -> Listener:
        """Return a new listener; all that happens from now on waits for him."""
        async with self._joining:
            if self._task is None or self._task.done():
                self._position = await to_thread.run_sync(newest_line, self._state())
                self._task = asyncio.create_task(self._poll())
            listener = Listener(self._most)
            self._listeners.add(listener)
            return listener

    def leave(self, listener: Listener) -> None:
        """Forget a listener."""
        self._listeners.discard(listener)

    async def batches(
        self, listener: Listener, after: int | None, silence: float
    ) -> AsyncGenerator[tuple[int, list[Line]]]:
        """Give how far a listener is, and what came since: first where he goes on from, then what happens.

        Parameters
        ----------
        after : the last event that he has: he gets all that came after it; only what is new when ``None``
        silence : seconds without an event after which he is told so, by a batch without any
        """
        joined = self._position
        position = joined if after is None else min(after, joined)
        yield position, []
        while position < joined:
            lines = await to_thread.run_sync(lines_after, self._state(), position)
            position = lines[-1].id if lines else joined
            yield position, lines
        while not listener.over.is_set():
            lines = await listener.next(silence)
            new = [each for each in lines if each.id > position]
            if new:
                position = new[-1].id
                yield position, new
            elif not lines and not listener.over.is_set():
                yield position, []

    async def stream(self, listener: Listener, after: int | None) -> AsyncIterator[bytes]:
        """Give what happens, as server-sent events, until the listener is cut off.

        Parameters
        ----------
        after : as for ``batches``
        """
        async with aclosing(self.batches(listener, after, self._keep_alive)) as batches:
            position, _ = await anext(batches)
            # An id without data tells a client where to go on from, even if nothing happens before it is cut off.
            yield format_sse_event(id=str(position), retry=RETRY_MILLISECONDS)
            async for _, lines in batches:
                if len(lines) == 1:
                    yield lines[0].wire
                else:
                    yield b"".join(each.wire for each in lines) or KEEPALIVE_COMMENT

    async def close(self) -> None:
        """End all streams; nothing is asked of the database any more once this returns."""
        self._end()
        if self._task is not None:
            await asyncio.wait([self._task])

    def _end(self) -> None:
        for each in self._listeners:
            each.end()
        self._listeners.clear()

    async def _poll(self) -> None:
        trouble = ""
        while self._listeners:
            if self.ending():
                self._end()
                return
            try:
                lines = await to_thread.run_sync(lines_after, self._state(), self._position)
                trouble = ""
            except AndonError as error:
                if str(error) != trouble:
                    _log.warning("live alerts cannot be read", why=str(error))
                lines, trouble = [], str(error)
            if lines:
                self._position = lines[-1].id
                for each in self._listeners:
                    each.give(lines)
            if len(lines) < PAGE:
                await asyncio.sleep(self._poll_seconds)
