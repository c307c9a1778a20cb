"""The dispatcher: claims messages for the lanes, and writes down what came of them, many in one transaction."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from random import Random
from threading import Event
from time import monotonic

import structlog

from ingest.database import Database
from ingest.errors import AndonError
from ingest.plant_target import MessageTarget
from service.delivery.channels.channel import Channel
from service.delivery.claim import claim, with_something_ready
from service.delivery.lane import Lane
from service.delivery.notice import Notice
from service.delivery.outcome import GivenBack, Later, Never, Outcome, Sent
from service.delivery.settle import Settled, settle
from service.delivery.tend import tend

POLL_SECONDS = 0.25
"""Between two looks at the outbox while nothing happens."""

_TEND_EVERY = timedelta(minutes=1)
_WORDS: Mapping[type[Outcome], str] = {Sent: "sent", Later: "failed", Never: "dead", GivenBack: "given back"}

_log = structlog.get_logger()


class Dispatcher:
    """Delivers the messages of an outbox to targets; any number of processes may do so.

    Killed at any moment, it loses nothing: what it had claimed is ready for others when its lease is over.

    Parameters
    ----------
    clock : returns the present moment; messages are due by it
    random : spreads the tries, so that not all knock at once when a target is back
    """

    def __init__(
        self,
        state: Database,
        targets: Sequence[MessageTarget],
        *,
        open_channel: Callable[[MessageTarget], Channel],
        clock: Callable[[], datetime],
        random: Random | None = None,
    ) -> None:
        self._state, self._clock = state, clock
        self._random = random or Random()  # noqa: S311 - nothing secret
        self._done: SimpleQueue[Settled | None] = SimpleQueue()
        self._lanes = {
            each.name: Lane(each, lambda each=each: open_channel(each), clock=clock, done=self._done)  # type: ignore[misc]
            for each in targets
        }
        self._settled: list[Settled] = []
        self._tend_next: datetime | None = None

    def run(self, stop: Event) -> None:
        """Deliver until told to stop (see ``wake``); then wait for what is under way, and give the rest back."""
        trouble = ""
        while not stop.is_set():
            try:
                self._turn(POLL_SECONDS)
                trouble = ""
            except AndonError as error:
                if str(error) != trouble:
                    _log.error("the outbox cannot be used", why=str(error))
                trouble = str(error)
                stop.wait(POLL_SECONDS)
            except Exception:  # messages must go out, whatever happened in this turn
                _log.exception("a turn of the dispatcher failed")
                stop.wait(1.0)
        self.close()

    def drain(self) -> Counter[str]:
        """Deliver what is ready now and what becomes ready by that; return how many were sent, failed and so on."""
        counts: Counter[str] = Counter()
        while True:
            settled, busy = self._turn(POLL_SECONDS if self._under_way else 0)
            counts.update(_WORDS[type(each.outcome)] for each in settled)
            if not busy:
                return counts

    def wake(self) -> None:
        """End the wait for the next look; may be called from any thread."""
        self._done.put(None)

    def close(self) -> None:
        """Wait for what is under way, write down what came of it, and let go of all channels."""
        for lane in self._lanes.values():
            lane.stop()
        longest = max((each.target.timeout for each in self._lanes.values()), default=timedelta(0))
        until = monotonic() + 2 * longest.total_seconds()
        while self._under_way and monotonic() < until:
            self._settled += self._collect(POLL_SECONDS)
        try:
            with self._state.write() as connection:
                settle(connection, self._settled, at=self._clock(), random=self._random)
        except AndonError as error:
            # Their leases end, and then somebody sends them again; by their ids they are told apart.
            _log.error("what was sent could not be written down", why=str(error))
        for lane in self._lanes.values():
            lane.close()

    @property
    def _under_way(self) -> int:
        return sum(each.under_way for each in self._lanes.values())

    def _turn(self, wait: float) -> tuple[list[Settled], bool]:
        """Write down what is done, claim what there is room for.

        Returns
        -------
        what was written down, and whether anything is under way now
        """
        self._settled += self._collect(wait)
        now = self._clock()
        tending = self._tend_next is None or not now < self._tend_next <= now + _TEND_EVERY
        free = [each for each in self._lanes.values() if each.room > 0]
        if not self._settled and not tending:
            with self._state.read() as connection:
                ready = with_something_ready(connection, [each.target for each in free], now)
            free = [each for each in free if each.target.name in ready]
            if not free:
                return [], bool(self._under_way)
        claimed: dict[str, list[Notice]] = {}
        with self._state.write() as connection:
            settle(connection, self._settled, at=now, random=self._random)
            if tending:
                tend(connection, self._lanes, at=now)
            for lane in free:
                claimed[lane.target.name] = claim(connection, lane.target, room=lane.room, at=now)
        settled, self._settled = self._settled, []
        self._tend_next = now + _TEND_EVERY if tending else self._tend_next
        for name, notices in claimed.items():
            self._lanes[name].take(notices)
        _tell(settled)
        return settled, bool(self._under_way)

    def _collect(self, wait: float) -> list[Settled]:
        found = []
        try:
            each = self._done.get(timeout=wait) if wait else self._done.get_nowait()
            while True:
                if each is not None:
                    self._lanes[each.notice.target].heard()
                    found.append(each)
                each = self._done.get_nowait()
        except Empty:
            return found


def _tell(settled: Sequence[Settled]) -> None:
    for notice, outcome in settled:
        if isinstance(outcome, Never):
            _log.error("a message is dead", target=notice.target, notice=notice.id, why=outcome.why)
