"""Small pushes, decoded in a thread of its own, many at once: what all of them cost they pay together.

The event loop only takes bodies in and gives answers out, so that it is free for whoever looks at alerts.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from threading import Thread

from ingest.decode.clean.decoder import BodyDecoder
from ingest.decode.cut import Body, dead_letters
from ingest.decode.rows import Decoded
from ingest.delivery import Delivery, Receipt
from ingest.intake import Inlet

SOURCE = "api"
IN_HAND = 16
"""Bodies that are decoded or written at a time: more share what a commit costs, and come back as more answers at once,
for which whoever looks at alerts has to wait."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a push gave, and the receipt for it."""

    decoded: Decoded
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class _Push:
    body: Body
    key: str | None
    kept: asyncio.Future[Kept | None]


class PushQueue:
    """Decodes clean bodies, and gives each its answer once it is on disk; made and used on one event loop.

    Close it before the intake.
    """

    def __init__(self, decoder: BodyDecoder, intake: Inlet) -> None:
        self._decoder, self._intake = decoder, intake
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Push] = deque()
        self._in_hand = 0
        self._came: SimpleQueue[_Push | None] = SimpleQueue()
        self._done: deque[tuple[_Push, Kept | Exception | None]] = deque()
        self._told = False
        self._thread = Thread(target=self._work, name="andon-pushes", daemon=True)
        self._thread.start()

    def put(self, body: Body, key: str | None) -> asyncio.Future[Kept | None]:
        """Return what will come of a body: ``None`` if it is not clean and nothing was done with it."""
        push = _Push(body, key, self._loop.create_future())
        self._waiting.append(push)
        self._take_in_hand()
        return push.kept

    def close(self) -> None:
        """Hand over what came, then stop."""
        self._came.put(None)
        self._thread.join()

    def _take_in_hand(self) -> None:
        while self._waiting and self._in_hand < IN_HAND:
            push = self._waiting.popleft()
            if not push.kept.done():  # or the client went away
                self._in_hand += 1
                self._came.put(push)

    def _work(self) -> None:
        closed = False
        while not closed:
            came = [self._came.get()]
            while not self._came.empty():
                came.append(self._came.get())
            some = [each for each in came if each is not None]
            closed = len(some) < len(came)
            made = [(push, self._made(push, decoded)) for push, decoded in zip(some, self._decoded(some), strict=True)]
            # All at once, so that they come into one commit.
            for push, delivery in made:
                self._hand_over(push, delivery)

    def _decoded(self, some: Sequence[_Push]) -> Sequence[Decoded | None]:
        try:
            return self._decoder.clean_each([push.body for push in some])
        except Exception:  # a mistake of ours: each is decoded alone then, and says what it was
            return [None] * len(some)

    def _made(self, push: _Push, decoded: Decoded | None) -> tuple[Delivery, Decoded] | None:
        try:
            return None if decoded is None else (delivery_of(push.body, decoded, push.key), decoded)
        except Exception:  # a mistake of ours, as above
            return None

    def _hand_over(self, push: _Push, made: tuple[Delivery, Decoded] | None) -> None:
        if made is None:
            self._answer(push, None)
            return
        try:
            future = self._intake.put(made[0])
        except Exception as error:
            self._answer(push, error)
            return
        future.add_done_callback(partial(self._settle, push, made[1]))

    def _settle(self, push: _Push, decoded: Decoded, future: Future[Receipt]) -> None:
        failed = future.exception()
        self._answer(push, failed if isinstance(failed, Exception) else Kept(decoded, future.result()))

    def _answer(self, push: _Push, outcome: Kept | Exception | None) -> None:
        """Let the event loop answer; it is woken once for all that are kept by one commit."""
        self._done.append((push, outcome))
        if not self._told:
            self._told = True
            self._loop.call_soon_threadsafe(self._answer_all)

    def _answer_all(self) -> None:
        self._told = False
        while self._done:
            push, outcome = self._done.popleft()
            self._in_hand -= 1
            if push.kept.done():  # the client went away
                continue
            if isinstance(outcome, Exception):
                push.kept.set_exception(outcome)
            else:
                push.kept.set_result(outcome)
        self._take_in_hand()


def delivery_of(body: Body, decoded: Decoded, key: str | None) -> Delivery:
    """Return what to keep of a body."""
    # What gave no reading may be sent again, once the plant file is mended.
    digest = body.digest
    position = (key or f"sha256:{digest}") if decoded.readings else ""
    return Delivery(
        source=SOURCE,
        readings=tuple(decoded.readings),
        rejections=tuple(decoded.rejections),
        turned_away=decoded.turned_away,
        position=position,
        remembered="key" if key else "body",
        digest=digest,
        dead_letters=dead_letters(body, decoded),
    )
