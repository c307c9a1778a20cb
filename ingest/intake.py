"""The intake: deliveries from many sources made durable together, each answered when it is on disk.

One transaction, and so one sync of the disk, serves all deliveries that came while the one before it was
under way. What waits in memory and what waits in the log are both bounded: when either is full, sources
are told so and have to wait, and nothing that was acknowledged is at stake.
"""

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Literal, Protocol, Self

from ingest.delivery import Delivery, Receipt, settle
from ingest.errors import AndonError, IntakeFullError, StoreError
from ingest.store import Store

CELLS_IN_MEMORY = 8_000_000
CELLS_IN_A_COMMIT = 4_000_000
CELLS_TO_SEAL = 12_000_000
CELLS_IN_THE_LOG = 120_000_000
SEAL_SECONDS = 60.0
DELIVERIES_IN_MEMORY = 20_000

Work = Literal["writing", "sealing"]
"""What the intake does all the time: into the log, and from there to the lake."""


class Inlet(Protocol):
    """Where sources put what they receive: the intake of a plant, or the spool of an edge."""

    def put(self, delivery: Delivery, *, wait: float = 0.0) -> Future[Receipt]:
        """Take a delivery; the future has its receipt once it is durable, or the error why it is not.

        Parameters
        ----------
        wait : seconds to wait for room

        Raises
        ------
        IntakeFullError
            When there is no room after ``wait`` seconds; nothing of the delivery was kept.
        """

    def refuses(self) -> str:
        """Return why nothing is taken at the moment; empty when there is room for one delivery at least.

        Whoever asks first spares the work on what would be refused.
        """

    def notes(self, source: str) -> dict[str, str]:
        """Return what a source noted with its deliveries, by name."""


class Intake:
    """Writes deliveries into a store from one thread, and seals the log from another.

    Close it when done, or use it as a context: what was taken is made durable first.

    Parameters
    ----------
    cells_in_memory : how much may wait to be written
    cells_in_the_log : how much may wait to be sealed before deliveries are refused
    seal_seconds : how long readings lie in the log before they are sealed, when few come
    tell : called with the work and the reason when writing or sealing begins to fail, or fails for another one,
        and with ``None`` when it works again

    Attributes
    ----------
    failed : why writing or sealing failed the last time; nothing while all is well
    """

    def __init__(
        self,
        store: Store,
        *,
        cells_in_memory: int = CELLS_IN_MEMORY,
        cells_in_the_log: int = CELLS_IN_THE_LOG,
        seal_seconds: float = SEAL_SECONDS,
        tell: Callable[[Work, str | None], None] = lambda *_: None,
    ) -> None:
        self._store = store
        self._memory_limit, self._log_limit = cells_in_memory, cells_in_the_log
        self._seal_at = min(CELLS_TO_SEAL, max(1, cells_in_the_log // 2))
        self._seal_seconds = seal_seconds
        self._tell = tell
        # One lock, and a condition for each who waits: whoever puts something in wakes the writer only.
        lock = threading.Lock()
        self._came, self._room, self._full = (threading.Condition(lock) for _ in range(3))
        self._waiting: deque[tuple[Delivery, Future[Receipt]]] = deque()
        self._cells = 0
        self._in_the_log = store.waiting()
        self._closing = False
        self.failed: dict[Work, str] = {}
        self._writer = threading.Thread(target=self._write_all, name="andon-intake", daemon=True)
        self._sealer = threading.Thread(target=self._seal_all, name="andon-sealer", daemon=True)
        self._writer.start()
        self._sealer.start()

    def put(self, delivery: Delivery, *, wait: float = 0.0) -> Future[Receipt]:
        """Take a delivery; see ``Inlet.put``."""
        future: Future[Receipt] = Future()
        with self._room:
            if not self._room.wait_for(lambda: self._has_room(delivery.cells) or self._closing, timeout=wait):
                raise IntakeFullError(self._why_full())
            if self._closing:
                raise IntakeFullError("the intake is closing; send it again in a moment")
            self._waiting.append((delivery, future))
            self._cells += delivery.cells
            self._came.notify()
        return future

    def refuses(self) -> str:
        """Return why nothing is taken; see ``Inlet.refuses``."""
        # Without the lock: an answer that is late by one delivery is as good.
        return "" if self._has_room(1) else self._why_full()

    def notes(self, source: str) -> dict[str, str]:
        """Return what a source noted; see ``Inlet.notes``."""
        return self._store.notes(source)

    def close(self) -> None:
        """Make durable what was taken, then stop; deliveries that come later are refused."""
        with self._room:
            self._closing = True
            for each in (self._came, self._room, self._full):
                each.notify_all()
        self._writer.join()
        self._sealer.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _has_room(self, cells: int) -> bool:
        if self._in_the_log >= self._log_limit or len(self._waiting) >= DELIVERIES_IN_MEMORY:
            return False
        return not self._waiting or self._cells + cells <= self._memory_limit

    def _why_full(self) -> str:
        if self._in_the_log >= self._log_limit:
            why = f" ({self.failed['sealing']})" if "sealing" in self.failed else ""
            return f"the log is full until more of it is sealed{why}; send it again in a moment"
        return "more comes than can be written; send it again in a moment"

    def _write_all(self) -> None:
        while (taken := self._take()) is not None:
            self._write(taken)
            with self._room:
                self._room.notify_all()
                if self._in_the_log >= self._seal_at:
                    self._full.notify()

    def _take(self) -> Sequence[tuple[Delivery, Future[Receipt]]] | None:
        """Return the deliveries of the next transaction; ``None`` when all is written and no more will come."""
        with self._came:
            self._came.wait_for(lambda: self._waiting or self._closing)
            if not self._waiting:
                return None
            taken = [self._waiting.popleft()]
            cells = taken[0][0].cells
            while self._waiting and cells + self._waiting[0][0].cells <= CELLS_IN_A_COMMIT:
                taken.append(self._waiting.popleft())
                cells += taken[-1][0].cells
            self._cells -= cells
            self._in_the_log += cells
            return taken

    def _write(self, taken: Sequence[tuple[Delivery, Future[Receipt]]]) -> None:
        try:
            receipts = self._store.deliver([delivery for delivery, _ in taken])
        except Exception as error:
            if len(taken) > 1 and not isinstance(error, StoreError):
                # One of them is at fault: the others must not suffer for it.
                for each in taken:
                    self._write([each])
                return
            if isinstance(error, StoreError):
                self._note("writing", str(error))
            for _, future in taken:
                settle(future, error)
            return
        self._note("writing", None)
        for (_, future), receipt in zip(taken, receipts, strict=True):
            settle(future, receipt)

    def _seal_all(self) -> None:
        while not self._closing:
            with self._full:
                self._full.wait_for(
                    lambda: self._in_the_log >= self._seal_at or self._closing, timeout=self._seal_seconds
                )
                if self._closing:
                    return
            try:
                self._store.seal()
                self._note("sealing", None)
                held = self._store.waiting()
            except Exception as error:  # a mistake of ours, too: sealing must go on, or nothing is taken any more
                self._note("sealing", str(error) if isinstance(error, AndonError) else repr(error))
                with self._full:
                    self._full.wait_for(lambda: self._closing, timeout=1.0)
                continue
            with self._room:
                self._in_the_log = held
                self._room.notify_all()

    def _note(self, work: Work, failed: str | None) -> None:
        if failed == self.failed.get(work):
            return
        if failed is None:
            del self.failed[work]
        else:
            self.failed[work] = failed
        # Whoever is told may fail for the same full disk: the thread that works must go on.
        with contextlib.suppress(Exception):
            self._tell(work, failed)
