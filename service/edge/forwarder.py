"""Forward: send what a spool holds to the centre, oldest first, until each record is settled."""

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random
from threading import Event, Lock

import structlog

from ingest.spool import Spool
from service.edge.aside import Aside
from service.edge.centre import Answer, Centre, Outcome
from service.edge.load import (
    Load,
    first_arrival,
    is_letters,
    letters_load,
    loads_of,
    refused_letter,
    turned_away_letters,
)
from service.edge.piece_size import PieceSize

BYTES_IN_A_REQUEST = 4 << 20
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
PATIENT_PAUSE_SECONDS = 60.0
LONGEST_ASKED_SECONDS = 3600.0
_LOOK_SECONDS = 0.5

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Progress:
    """How the sending goes, since this process began.

    Attributes
    ----------
    accepted : readings, events and letters that the centre has on disk
    rejected : rows and cells that it turned away, and keeps as dead letters
    sent : when it last took something
    waiting_since : when the oldest of what waits came to the edge; ``None`` if nothing waits or it is unknown
    problem : why nothing is sent; empty while all is well
    problem_since : since when
    """

    accepted: int = 0
    rejected: int = 0
    sent: datetime | None = None
    waiting_since: datetime | None = None
    problem: str = ""
    problem_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """Seconds between tries.

    Attributes
    ----------
    first, longest : where the centre is away or busy; doubles from one to the other
    patient : where a person has to look
    """

    first: float = FIRST_PAUSE_SECONDS
    longest: float = LONGEST_PAUSE_SECONDS
    patient: float = PATIENT_PAUSE_SECONDS


@dataclass(slots=True)
class _Tries:
    """Tries of one piece that were in vain."""

    pauses: Pauses
    random: Random
    _pause: float = field(init=False)

    def __post_init__(self) -> None:
        self._pause = self.pauses.first

    def pause(self, answer: Answer) -> float:
        """Return the seconds until the next try; never all edges at once, never sooner than asked."""
        if answer.outcome is Outcome.ASTRAY:
            return self.pauses.patient * self.random.uniform(1.0, 1.5)
        pause, self._pause = self._pause, min(2 * self._pause, self.pauses.longest)
        asked = min(answer.wait or 0.0, LONGEST_ASKED_SECONDS)
        return max(asked, pause * self.random.uniform(0.5, 1.0)) + asked * self.random.uniform(0.0, 0.1)


class Forwarder:
    """Sends one piece at a time, so that the order of each machine is kept.

    Parameters
    ----------
    aside : where that is put which the centre takes neither as readings nor as a dead letter
    clock : tells the time of the edge
    random : spreads the tries of many edges
    """

    def __init__(
        self,
        spool: Spool,
        centre: Centre,
        aside: Aside,
        *,
        clock: Callable[[], datetime],
        random: Random | None = None,
        pauses: Pauses | None = None,
    ) -> None:
        self._spool, self._centre, self._aside, self._clock = spool, centre, aside, clock
        self._random = random or Random()  # noqa: S311 - nothing secret
        self._pauses = pauses or Pauses()
        self._sizes: dict[str, PieceSize] = defaultdict(PieceSize)
        self._lock = Lock()
        self._progress = Progress()

    @property
    def progress(self) -> Progress:
        """How it goes; may be asked from any thread."""
        with self._lock:
            return self._progress

    def run(self, stop: Event) -> None:
        """Send what comes until told to stop; what is not sent then stays in the spool."""
        try:
            while not stop.is_set():
                records = self._spool.take(BYTES_IN_A_REQUEST, wait=_LOOK_SECONDS)
                if not records:
                    self._note(waiting_since=None)
                    continue
                self._note(waiting_since=first_arrival(records[0].delivery))
                if all(self._send(load, stop) for load in loads_of(self._spool.name, records)):
                    self._spool.settle(records[-1].number)
        finally:
            self._centre.close()

    def _send(self, load: Load, stop: Event) -> bool:
        """Send a load, in as many pieces as it takes; return whether all of it is settled."""
        pieces = deque([load])
        while pieces:
            piece = pieces.popleft()
            if len(piece) > (most := self._sizes[piece.path].most(len(piece))):
                pieces.extendleft(reversed(list(piece.parts(most))))
                continue
            answer = self._answer(piece, stop)
            if answer is None:
                return False
            pieces.extendleft(reversed(self._left(piece, answer)))
        return True

    def _answer(self, piece: Load, stop: Event) -> Answer | None:
        """Return what the centre says at last; ``None`` when told to stop before."""
        tries = _Tries(self._pauses, self._random)
        while not stop.is_set():
            now = self._clock()
            answer = self._centre.send(piece, now)
            if _taken_in_no_form(piece, answer):
                answer = self._put_aside(piece, answer, now)
            if answer.outcome not in (Outcome.BUSY, Outcome.ASTRAY):
                self._trouble("")
                return answer
            self._trouble(answer.why)
            stop.wait(tries.pause(answer))
        return None

    def _left(self, piece: Load, answer: Answer) -> Sequence[Load]:
        """Return what is still to be sent of a piece after its answer."""
        now = self._clock()
        match answer.outcome:
            case Outcome.TOO_LARGE:
                self._sizes[piece.path].too_large(len(piece))
                _log.info("smaller pieces", rows=len(piece) // 2, why=answer.why)
                return [piece]
            case Outcome.REFUSED if is_letters(piece):
                return list(piece.parts(1))
            case Outcome.REFUSED:
                _log.warning("refused, sent as a dead letter", rows=len(piece), why=answer.why)
                return [letters_load(f"{piece.key}:x", "edge", [refused_letter(piece, answer.why, now)])]
        self._sizes[piece.path].taken(len(piece))
        self._note(accepted=answer.accepted, rejected=answer.rejected, sent=now)
        if answer.rejected:
            where, why = answer.faults[0] if answer.faults else ("", "")
            _log.warning("rows turned away at the centre", rejected=answer.rejected, where=where, why=why)
        letters = turned_away_letters(piece, answer.faults, now)
        return [letters_load(f"{piece.key}:x", "edge", letters)] if letters else []

    def _put_aside(self, piece: Load, answer: Answer, now: datetime) -> Answer:
        """Keep a piece at the edge for a person; where that is impossible, it must be sent again."""
        why = self._aside.put(piece, answer.why, now)
        if why:
            return Answer(Outcome.ASTRAY, f"{answer.why}; {why}")
        _log.warning("put aside", key=piece.key, why=answer.why, folder=str(self._aside.folder))
        return Answer(Outcome.KEPT)

    def _trouble(self, why: str) -> None:
        """Note why nothing is sent, and log each change once."""
        before = self.progress
        if why == before.problem:
            return
        self._note(problem=why, problem_since=self._clock() if why else None)
        if why:
            _log.warning("the centre takes nothing", to=self._centre.address, why=why, waiting=self._spool.unsettled)
        else:
            _log.info("the centre takes again", to=self._centre.address, waiting=self._spool.unsettled)

    def _note(self, *, accepted: int = 0, rejected: int = 0, **changes: object) -> None:
        with self._lock:
            before = self._progress
            counts = {"accepted": before.accepted + accepted, "rejected": before.rejected + rejected}
            self._progress = replace(before, **counts, **changes)  # type: ignore[arg-type]


def _taken_in_no_form(piece: Load, answer: Answer) -> bool:
    refused = answer.outcome is Outcome.REFUSED and is_letters(piece)
    return len(piece) == 1 and (refused or answer.outcome is Outcome.TOO_LARGE)
