"""One run of an engine: which units wait, which are out, and which may have taken a worker with them."""

import time
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from typing import Any

from ingest.errors import EngineError, LostWorkError
from models.engine.place import Carrier, Place
from models.engine.work import Outcome, WorkUnit

CHECK_SECONDS = 5.0
"""How long nothing may get done before the place is asked whether anybody is there."""

_STARTS = 5


class Turn:
    """Hands out units and takes in what came of them.

    Attributes
    ----------
    outcomes : of the units that are through, by their number
    """

    def __init__(self, place: Place, carrier: Carrier, units: Sequence[WorkUnit]) -> None:
        self.outcomes: dict[int, Outcome[Any]] = {}
        self._place, self._carrier, self._units = place, carrier, units
        self._waiting = deque(range(len(units)))
        self._suspects: deque[int] = deque()
        self._out: dict[Future[Any], tuple[int, Executor]] = {}
        self._alone = False
        self._losses: Counter[int] = Counter()
        self._losses_alone: Counter[int] = Counter()

    def goes_on(self) -> bool:
        """Whether a unit is not through yet."""
        return bool(self._waiting or self._suspects or self._out)

    def hand_out(self) -> None:
        """Give out units, a few ahead; while there are suspects only one of them, once nothing else is out."""
        self._alone = bool(self._suspects) and not self._out
        if self._alone:
            self._give(self._suspects)
        while not self._suspects and not self._alone and self._waiting and len(self._out) < self._place.ahead:
            self._give(self._waiting)

    def take_in(self) -> None:
        """Wait until something is done, and keep it or suspect it."""
        begun = time.monotonic()
        while not (done := wait(self._out, timeout=CHECK_SECONDS, return_when=FIRST_COMPLETED).done):
            self._place.check(time.monotonic() - begun)
        for future in sorted(done, key=lambda each: self._out[each][0]):
            number, executor = self._out.pop(future)
            error = _error_of(future)
            if error is None:
                self._keep(number, *future.result())
            elif isinstance(error, (*self._place.lost, CancelledError)):
                self._suspect(number)
                self._place.renew(executor)
            else:
                raise EngineError(
                    f"{self._units[number].name}: {self._place.name} could not take it up"
                    f" ({type(error).__name__}: {error}); is the same Andon installed there?"
                ) from error

    def drop(self) -> None:
        """Take back what is still out, when the run ends early."""
        for future in self._out:
            future.cancel()

    def _give(self, queue: "deque[int]") -> None:
        for _ in range(_STARTS):
            executor = self._place.executor()
            try:
                future = executor.submit(self._carrier, self._units[queue[0]].arguments)
            except self._place.lost as error:
                # A worker died while it had nothing in hand, or a moment ago: then what is out will say so.
                self._place.renew(executor)
                why = error
            else:
                self._out[future] = queue.popleft(), executor
                return
        raise EngineError(f"{self._place.name}: workers die as soon as they start ({why}); work with --engine here")

    def _keep(self, number: int, done: bool, found: Any) -> None:
        unit = self._units[number]
        if done:
            self.outcomes[number] = Outcome(unit, result=found)
            return
        if isinstance(found, EngineError) and not isinstance(found, LostWorkError):
            raise found
        found.add_note(f"in {unit.name}")
        self.outcomes[number] = Outcome(unit, error=found)

    def _suspect(self, number: int) -> None:
        self._losses[number] += 1
        self._losses_alone[number] += self._alone
        if self._losses_alone[number] < self._place.alone:
            self._suspects.append(number)
            return
        error = LostWorkError(
            f"set aside, because {self._place.what_is_lost} {self._losses[number]} times"
            " (too little memory, or a crash in compiled code); all other work was done"
        )
        self._keep(number, False, error)


def _error_of(future: Future[Any]) -> BaseException | None:
    try:
        return future.exception()
    except CancelledError as error:
        return error
