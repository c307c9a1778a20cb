"""A lane: the messages of one target under way, in threads of its own, so that no target holds up another."""

from collections.abc import Callable, Sequence
from datetime import datetime
from queue import SimpleQueue
from threading import Event, Lock, Thread

import structlog

from ingest.errors import DeliveryError
from ingest.plant_target import MessageTarget
from service.delivery.channels.channel import Channel
from service.delivery.claim import places
from service.delivery.notice import Notice
from service.delivery.outcome import GivenBack, Later, Outcome
from service.delivery.settle import Settled

_log = structlog.get_logger()


class Lane:
    """Sends claimed messages of one target.

    Parameters
    ----------
    open_channel : makes the channel when the first message comes
    done : where each message goes with what came of it
    """

    def __init__(
        self,
        target: MessageTarget,
        open_channel: Callable[[], Channel],
        *,
        clock: Callable[[], datetime],
        done: "SimpleQueue[Settled | None]",
    ) -> None:
        self.target = target
        self._open, self._clock, self._done = open_channel, clock, done
        self._waiting: SimpleQueue[Notice | None] = SimpleQueue()
        self._channel: Channel | None = None
        self._opening = Lock()
        self._stopping = Event()
        self._threads: list[Thread] = []
        self._under_way = 0

    @property
    def under_way(self) -> int:
        """Messages that were taken and of which nobody heard the end."""
        return self._under_way

    @property
    def room(self) -> int:
        """How many messages it can take: those that are being sent, and as many that wait, so that none is idle."""
        return 2 * places(self.target) - self._under_way

    def take(self, notices: Sequence[Notice]) -> None:
        """Send these, each as soon as there is a thread for it."""
        if notices and not self._threads:
            self._threads = [
                Thread(target=self._work, name=f"target {self.target.name}", daemon=True)
                for _ in range(places(self.target))
            ]
            for thread in self._threads:
                thread.start()
        self._under_way += len(notices)
        for each in notices:
            self._waiting.put(each)

    def heard(self) -> None:
        """Count one message less; for whoever takes from ``done``."""
        self._under_way -= 1

    def stop(self) -> None:
        """Begin no further message; those that wait are given back."""
        self._stopping.set()
        for _ in self._threads:
            self._waiting.put(None)

    def close(self) -> None:
        """Let go of the channel, once nothing is under way."""
        if self._channel is not None:
            self._channel.close()

    def _work(self) -> None:
        while (notice := self._waiting.get()) is not None:
            self._done.put(Settled(notice, self._try(notice)))

    def _try(self, notice: Notice) -> Outcome:
        now = self._clock()
        # Whoever waited for too long, or slept, might send while another process does so, too.
        if self._stopping.is_set() or notice.lease_until is None or now + self.target.timeout > notice.lease_until:
            return GivenBack()
        try:
            with self._opening:
                self._channel = self._channel or self._open()
            return self._channel.send(notice, now)
        except DeliveryError as error:
            return Later(str(error))
        except Exception as error:  # a mistake of ours in one message must not end the lane
            _log.exception("a message could not be sent", target=self.target.name, notice=notice.id)
            return Later(f"a mistake of Andon: {type(error).__name__}; the log says more")
