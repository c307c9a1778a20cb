"""What alerts of one machine should be, as simply as it can be said, beside what the book says.

The oracle knows no table, no row and no clock: only how much time has passed. A clock that goes back
lets no time pass, one that goes ahead lets as much pass as it jumps.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy.engine import Connection

from ingest.errors import IllegalTransitionError
from models.finding import Finding
from service.alerts import book, mutes
from service.alerts.alert import Verdict
from service.alerts.out_of_service import back_in_service, take_out_of_service
from service.alerts.shelve import shelve, unshelve
from service.alerts.suppress import RULES, Reason, hold
from service.alerts.timers import keep_time

START = datetime(2026, 1, 1, tzinfo=UTC)
MACHINE = "m1"
CAUSES = ("wear", "seal")
LONGEST = timedelta(hours=24)
LONGEST_OUT = timedelta(days=3)
DAY = timedelta(days=1)
KEYS = {(MACHINE, rule) for rule in RULES}


@dataclass
class Timer:
    """Something that is over after a while, and the time since it first began."""

    left: timedelta
    used: timedelta = timedelta(0)
    once: bool = False


@dataclass
class Occurrence:
    """One alert."""

    number: int
    latches: bool
    active: bool = True
    seen: bool = False
    normal: bool = False
    closed: bool = False

    @property
    def state(self) -> str:
        if self.normal:
            return "normal"
        if self.active:
            return "acknowledged" if self.seen else "unacknowledged"
        if self.latches:
            return "latched-acknowledged" if self.seen else "latched-unacknowledged"
        return "returned-unacknowledged"


@dataclass
class Beside:
    """The book in a transaction, and the oracle beside it; each step is done to both and compared."""

    connection: Connection
    now: datetime = START
    alerts: dict[str, Occurrence] = field(default_factory=dict)
    shelved: dict[str, Timer] = field(default_factory=dict)
    suppressed: dict[str, Timer] = field(default_factory=dict)
    out: dict[str, Timer] = field(default_factory=dict)
    steps: int = 0
    refused: int = 0

    def raise_it(self, cause: str, level: float, latches: bool) -> None:
        finding = Finding(
            machine=MACHINE,
            kind="anomaly",
            cause=cause,
            model="a",
            version="1",
            begin=self.now,
            end=None,
            level=level,
            act_before=self.now + DAY,
        )
        alert, new = book.raise_alert(self.connection, finding, at=self.now, latches=latches)
        held = self.alerts.get(cause)
        assert new == (held is None or held.normal)
        if held is None or held.normal:
            self.alerts[cause] = Occurrence(alert.number, latches)
        elif not held.active:
            held.active, held.seen = True, False

    def condition_over(self, cause: str) -> None:
        held = self.alerts.get(cause)
        if held is None:
            return
        legal = held.active and not held.normal
        self._try(legal, lambda: book.condition_over(self.connection, held.number, at=self.now))
        if legal:
            held.active = False
            held.normal = held.seen and not held.latches
            self._end_once(cause)

    def acknowledge(self, cause: str) -> None:
        held = self.alerts.get(cause)
        if held is None:
            return
        legal = not held.normal and not held.seen
        self._try(legal, lambda: book.acknowledge(self.connection, held.number, by="eva", at=self.now))
        if legal:
            held.seen = True
            held.normal = not held.active and not held.latches

    def reset(self, cause: str) -> None:
        held = self.alerts.get(cause)
        if held is None:
            return
        legal = not held.normal and not held.active and held.latches and held.seen
        self._try(legal, lambda: book.reset(self.connection, held.number, by="eva", at=self.now))
        held.normal = held.normal or legal

    def close(self, cause: str) -> None:
        held = self.alerts.get(cause)
        if held is None:
            return
        latched = not held.normal and not held.active and held.latches
        legal = not held.closed and not latched
        verdict = Verdict.RIGHT
        self._try(legal, lambda: book.close(self.connection, held.number, verdict=verdict, by="eva", at=self.now))
        if legal:
            held.normal = held.closed = True
            self._end_once(cause)

    def comment(self, cause: str) -> None:
        if (held := self.alerts.get(cause)) is not None:
            book.comment(self.connection, held.number, by="eva", at=self.now, text="seen")

    def shelve(self, cause: str, lasting: timedelta | None, once: bool) -> None:
        held = self.alerts.get(cause)
        if held is None:
            return
        timer = self.shelved.get(cause)
        used = timer.used if timer else timedelta(0)
        asked = LONGEST - used if lasting is None else lasting
        legal = not held.normal and (timer is None or timer.once != once)
        if legal and used + asked > LONGEST:
            return  # bounds have a test of their own
        until = None if lasting is None else self.now + lasting
        self._try(
            legal,
            lambda: shelve(
                self.connection,
                held.number,
                by="eva",
                why="known",
                at=self.now,
                longest=LONGEST,
                until=until,
                once=once,
            ),
        )
        if legal:
            self.shelved[cause] = Timer(asked, used, once)

    def unshelve(self, cause: str) -> None:
        held = self.alerts.get(cause)
        if held is None:
            return
        legal = cause in self.shelved
        self._try(legal, lambda: unshelve(self.connection, held.number, by="eva", why="repaired", at=self.now))
        self.shelved.pop(cause, None)

    def take_out(self, cause: str, lasting: timedelta) -> None:
        legal = cause not in self.out
        self._try(
            legal,
            lambda: take_out_of_service(
                self.connection,
                MACHINE,
                cause=cause,
                by="eva",
                why="rebuilt",
                at=self.now,
                longest=LONGEST_OUT,
                until=self.now + lasting,
            ),
        )
        if legal:
            self.out[cause] = Timer(lasting)

    def put_back(self, cause: str) -> None:
        found = [m.id for m in mutes.list_mutes(self.connection) if (m.kind, m.cause) == ("out of service", cause)]
        if not found:
            return
        legal = cause in self.out
        self._try(legal, lambda: back_in_service(self.connection, found[0], by="eva", why="done", at=self.now))
        self.out.pop(cause, None)

    def rules_say(self, rules: frozenset[str]) -> None:
        said = {(MACHINE, rule): Reason("it stands", self.now + DAY) for rule in rules}
        hold(self.connection, {MACHINE}, said, KEYS, at=self.now)
        self.suppressed = {rule: Timer(DAY) for rule in rules}

    def wait(self, span: timedelta, looked_at: bool) -> None:
        """Let time pass, or the clock jump ahead; nobody need look at the timers meanwhile."""
        self.now += span
        for timers in (self.shelved, self.suppressed, self.out):
            for name, timer in list(timers.items()):
                timer.left -= span
                timer.used += span
                if timer.left <= timedelta(0):
                    del timers[name]
        if looked_at:
            keep_time(self.connection, self.now)

    def set_back(self, span: timedelta) -> None:
        """Set the clock back; the timers are looked at before and after, as they are every few seconds."""
        keep_time(self.connection, self.now)
        self.now -= span
        keep_time(self.connection, self.now)

    def compare(self) -> None:
        """Check that the book says what the oracle says."""
        self.steps += 1
        for cause, held in self.alerts.items():
            alert = book.find_muted(self.connection, held.number, self.now)
            assert alert.state == held.state
            wanted = {"shelved once" if self.shelved[cause].once else "shelved"} if cause in self.shelved else set()
            wanted |= {f"suppressed: {rule}" for rule in self.suppressed}
            wanted |= {"out of service" for reach in self.out if reach in ("", cause)}
            assert {each.name for each in alert.mutes} == wanted
            strongest = [k for k in ("out of service", "suppressed", "shelved") if any(w.startswith(k) for w in wanted)]
            assert alert.visibility == (strongest[0] if strongest else "shown")
            for each in alert.mutes:
                assert each.by
                assert each.why
            (line,) = book.history(self.connection, held.number, limit=1, newest_first=True)
            assert line.state == alert.state
            assert line.by

    def _end_once(self, cause: str) -> None:
        if cause in self.shelved and self.shelved[cause].once:
            del self.shelved[cause]

    def _try(self, legal: bool, act: Callable[[], object]) -> None:
        try:
            act()
        except IllegalTransitionError:
            assert not legal
            self.refused += 1
        else:
            assert legal
