"""Every state, mute and event of an alert together does what a table of the standard says, and nothing else."""

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import insert, text, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from ingest.database import Database
from ingest.errors import IllegalTransitionError, OutOfBoundsError
from models.finding import Finding
from service.alerts import book, mutes
from service.alerts.alert import Verdict
from service.alerts.offers import offers
from service.alerts.out_of_service import back_in_service, take_out_of_service
from service.alerts.shelve import shelve, unshelve
from service.alerts.tables import alert_event_table, alert_table
from service.alerts.timers import keep_time
from tests.ready_state import open_state
from tests.service.alert_oracle import CAUSES, Beside

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

# Written from ISA-18.2 and OPC UA Part 9, not from the code. "-" cannot be; "a / b" is b for an alert that latches.
STATES = """
                        | raise            | over                                             | acknowledge           | reset  | close  | comment
unacknowledged          | unacknowledged   | returned-unacknowledged / latched-unacknowledged | acknowledged          | -      | normal | unacknowledged
acknowledged            | acknowledged     | normal / latched-acknowledged                    | -                     | -      | normal | acknowledged
returned-unacknowledged | unacknowledged   | -                                                | normal                | -      | normal | returned-unacknowledged
latched-unacknowledged  | unacknowledged   | -                                                | latched-acknowledged  | -      | -      | latched-unacknowledged
latched-acknowledged    | unacknowledged   | -                                                | -                     | normal | -      | latched-acknowledged
normal                  | another          | -                                                | -                     | -      | normal | normal
closed                  | another          | -                                                | -                     | -      | -      | normal
"""  # noqa: E501 – a table
SHELVING = """
             | shelve  | shelve once  | unshelve  | due       | over         | close
unshelved    | shelved | shelved once | -         | unshelved | unshelved    | unshelved
shelved      | -       | shelved once | unshelved | unshelved | shelved      | shelved
shelved once | shelved | -            | unshelved | unshelved | unshelved    | unshelved
"""
EVENTS = ("raise", "over", "acknowledge", "reset", "close", "comment", "shelve", "shelve once", "unshelve", "due")


def table(drawn: str) -> dict[tuple[str, str], str]:
    head, *rows = [[cell.strip() for cell in line.split("|")] for line in drawn.strip("\n").splitlines()]
    return {(row[0], event): cell for row in rows for event, cell in zip(head[1:], row[1:], strict=True)}


WORDS = {"acknowledge": "acknowledged", "reset": "reset", "close": "closed", "comment": "comment"}
WORDS |= {"shelve": "shelved", "shelve once": "shelved once", "unshelve": "unshelved"}
WANTED, WANTED_SHELVING = table(STATES), table(SHELVING)
STARTS = sorted({state for state, _ in WANTED})


class UndoError(Exception):
    """Ends a transaction without a trace."""


@contextmanager
def undone(database: Database) -> Iterator[Connection]:
    """Give a transaction that leaves nothing behind."""
    with suppress(UndoError), database.write() as connection:
        yield connection
        raise UndoError


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    state = open_state(tmp_path_factory.mktemp("states") / "state.db")
    yield state
    state.close()


def put(connection: Connection, state: str, latches: bool) -> int:
    """Put an alert into a state without asking the code that is tested."""
    closed = state == "closed"
    row = {
        "machine": "m1",
        "cause": "wear",
        "kind": "anomaly",
        "model": "a",
        "version": "1",
        "state": "normal" if closed else state,
        "raised_at": NOW,
        "condition_begin": NOW,
        "act_before": NOW,
        "level": 0.5,
        "sentence": "",
        "evidence": [],
        "latches": latches,
        "verdict": "wrong" if closed else None,
    }
    number = connection.execute(insert(alert_table).values(row).returning(alert_table.c.number)).scalar_one()
    line = {"alert": number, "at": NOW, "happening": "raised", "state": row["state"], "by": "andon", "level": 0.5}
    connection.execute(insert(alert_event_table).values(line))
    return int(number)


def mute(connection: Connection, kind: str, *, once: bool = False, rule: str = "", until: datetime = NOW + DAY) -> None:
    names = "uuid, kind, machine, cause, rule, once, by, why, since, until, matchers"
    values = "(:uuid, :kind, :machine, :cause, :rule, :once, 'eva', 'known', :since, :until, :matchers)"
    silenced = kind == "silenced"
    connection.execute(
        text(f"INSERT INTO mute ({names}) VALUES {values}"),  # noqa: S608
        {
            "uuid": str(uuid4()),
            "machine": "" if silenced else "m1",
            "matchers": json.dumps([{"name": "cause", "value": "we.*", "is_regex": True}] if silenced else []),
            "kind": kind,
            "cause": "wear" if kind == "shelved" else "",
            "rule": rule,
            "once": once,
            "since": microseconds(NOW - HOUR),
            "until": microseconds(until),
        },
    )


def microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def do(connection: Connection, event: str, number: int, at: datetime) -> Any:
    again = Finding(
        machine="m1",
        kind="anomaly",
        cause="wear",
        model="a",
        version="1",
        begin=at,
        end=None,
        level=0.5,
        act_before=at,
    )
    acts: dict[str, Callable[[], Any]] = {
        "raise": lambda: book.raise_alert(connection, again, at=at),
        "over": lambda: book.condition_over(connection, number, at=at),
        "acknowledge": lambda: book.acknowledge(connection, number, by="ines", at=at),
        "reset": lambda: book.reset(connection, number, by="ines", at=at),
        "close": lambda: book.close(connection, number, verdict=Verdict.RIGHT, by="ines", at=at),
        "comment": lambda: book.comment(connection, number, by="ines", at=at, text="seen"),
        "shelve": lambda: shelve(connection, number, by="ines", why="known", at=at, longest=DAY),
        "shelve once": lambda: shelve(connection, number, by="ines", why="known", at=at, longest=DAY, once=True),
        "unshelve": lambda: unshelve(connection, number, by="ines", why="mended", at=at),
        "due": lambda: keep_time(connection, at),
    }
    return acts[event]()


def wanted_after(start: str, latches: bool, shelving: str, event: str) -> tuple[str, str] | None:
    """Return state and shelving that the drawn tables lead to; ``None`` where it cannot be."""
    state = "normal" if start == "closed" else start
    cell = WANTED.get((start, event), state)
    if " / " in cell:
        cell = cell.split(" / ")[latches]
    shelved = WANTED_SHELVING.get((shelving, event), shelving)
    if "-" in (cell, shelved) or (event in ("shelve", "shelve once") and state == "normal"):
        return None
    return cell, shelved


@pytest.mark.parametrize("event", EVENTS)
def test_the_product_of_all_states_and_events_is_as_drawn(kept: Database, event: str) -> None:
    tried = 0
    guards = product(STARTS, (False, True), ("unshelved", "shelved", "shelved once"), (False, True), (False, True))
    for (start, latches, shelving, suppressed, out), silenced in product(guards, (False, True)):
        mutes_before = {
            *([shelving] if shelving != "unshelved" else []),
            *(["suppressed: off"] if suppressed else []),
            *(["out of service"] if out else []),
            *(["silenced"] if silenced else []),
        }
        with undone(kept) as connection:
            number = put(connection, start, latches)
            # What is shelved is due within the hour: nothing else is when "due" comes.
            if shelving != "unshelved":
                mute(connection, "shelved", once=shelving == "shelved once", until=NOW + HOUR)
            if suppressed:
                mute(connection, "suppressed", rule="off")
            if out:
                mute(connection, "out of service")
            if silenced:
                mute(connection, "silenced")
            wanted = wanted_after(start, latches, shelving, event)
            check_event(connection, number, event, wanted, mutes_before - {shelving})
        tried += 1
    assert tried == 7 * 2 * 3 * 2 * 2 * 2


def check_event(
    connection: Connection, number: int, event: str, wanted: tuple[str, str] | None, others: set[str]
) -> None:
    at = NOW + HOUR if event == "due" else NOW
    offered = offers(book.find_muted(connection, number, NOW))
    if event in WORDS:
        assert (WORDS[event] in offered) == (wanted is not None), "what is offered is what can be done"
    if wanted is None:
        with pytest.raises(IllegalTransitionError, match="not possible") as caught:
            do(connection, event, number, at)
        assert "\n" not in str(caught.value)
        return
    done = do(connection, event, number, at)
    state, shelved = wanted
    if state == "another":
        alert, new = done
        assert new
        assert alert.number != number
        state = "normal"
    alert = book.find_muted(connection, number, at)
    assert alert.state == state
    assert {each.name for each in alert.mutes} == others | ({shelved} - {"unshelved"})


def raised(connection: Connection, cause: str = "wear") -> int:
    finding = Finding(
        machine="m1",
        kind="anomaly",
        cause=cause,
        model="a",
        version="1",
        begin=NOW,
        end=None,
        level=0.5,
        act_before=NOW + DAY,
    )
    return book.raise_alert(connection, finding, at=NOW)[0].number


@pytest.fixture
def state(tmp_path: Path, database: str) -> Iterator[Database]:
    opened = open_state(tmp_path / "state.db", database)
    yield opened
    opened.close()


def test_timed_shelving_reaches_the_next_alert_of_the_cause_and_one_shot_does_not(state: Database) -> None:
    with state.write() as connection:
        timed, once = raised(connection, "wear"), raised(connection, "seal")
        shelve(connection, timed, by="eva", why="known", at=NOW, longest=DAY)
        shelve(connection, once, by="eva", why="known", at=NOW, longest=DAY, once=True)
        for number in (timed, once):
            book.acknowledge(connection, number, by="eva", at=NOW)
            book.condition_over(connection, number, at=NOW)
        seen = [book.find_muted(connection, raised(connection, cause), NOW) for cause in ("wear", "seal")]
        lines = book.history(connection, seen[0].number)
    assert [each.visibility for each in seen] == ["shelved", "shown"]
    assert [(each.happening, each.by, each.why) for each in lines] == [
        ("raised", "andon", ""),
        ("shelved", "eva", "known"),
    ]


def test_a_one_shot_of_a_returned_alert_lasts_for_its_next_active_period(state: Database) -> None:
    with state.write() as connection:
        number = raised(connection)
        book.condition_over(connection, number, at=NOW)
        shelve(connection, number, by="eva", why="known", at=NOW, longest=DAY, once=True)
        raised(connection)
        assert book.find_muted(connection, number, NOW).visibility == "shelved"
        book.condition_over(connection, number, at=NOW)
        assert book.find_muted(connection, number, NOW).visibility == "shown"


def test_no_shelving_is_longer_than_the_plant_allows_also_not_by_turns(state: Database) -> None:
    with state.write() as connection:
        number = raised(connection)
        with pytest.raises(OutOfBoundsError, match="shelving lasts 24 h at most"):
            shelve(connection, number, by="eva", why="x", at=NOW, longest=DAY, until=NOW + DAY + HOUR)
        with pytest.raises(OutOfBoundsError, match="later than it begins"):
            shelve(connection, number, by="eva", why="x", at=NOW, longest=DAY, until=NOW)
        shelve(connection, number, by="eva", why="x", at=NOW, longest=DAY)
        later = NOW + 23 * HOUR
        with pytest.raises(OutOfBoundsError):
            shelve(connection, number, by="eva", why="x", at=later, longest=DAY, until=later + 2 * HOUR, once=True)
        alert = shelve(connection, number, by="eva", why="x", at=later, longest=DAY, once=True)
    assert alert.mutes[0].until == NOW + DAY


def test_a_restart_changes_no_timer_and_the_true_state_is_back_without_any_process(
    tmp_path: Path, database: str
) -> None:
    first = open_state(tmp_path / "state.db", database)
    with first.write() as connection:
        number = raised(connection)
        shelve(connection, number, by="eva", why="known", at=NOW, longest=DAY, until=NOW + 8 * HOUR)
        book.acknowledge(connection, number, by="eva", at=NOW)
    first.close()
    again = open_state(tmp_path / "state.db", database)
    with again.read() as connection:
        just_before = book.find_muted(connection, number, NOW + 8 * HOUR - timedelta(microseconds=1))
        due = book.find_muted(connection, number, NOW + 8 * HOUR)
    with again.write() as connection:
        assert keep_time(connection, NOW + 9 * HOUR) == 1
        line = book.history(connection, number)[-1]
    again.close()
    assert (just_before.visibility, due.visibility, due.state) == ("shelved", "shown", "acknowledged")
    assert (line.happening, line.at, line.by) == ("shelving over", NOW + 8 * HOUR, "andon")


def test_a_shelved_alert_is_evaluated_as_any_other(state: Database) -> None:
    with state.write() as connection:
        number = raised(connection)
        shelve(connection, number, by="eva", why="known", at=NOW, longest=DAY)
        book.condition_over(connection, number, at=NOW + HOUR)
        over = book.find_muted(connection, number, NOW + HOUR)
        raised(connection)
        back = book.find_muted(connection, number, NOW + HOUR)
    assert (over.state, over.visibility) == ("returned-unacknowledged", "shelved")
    assert (back.state, back.visibility) == ("unacknowledged", "shelved")


@pytest.mark.parametrize("step", [DAY, -DAY], ids=["a day ahead", "a day back"])
def test_shelving_never_outlives_its_limit_when_the_clock_steps(state: Database, step: timedelta) -> None:
    with state.write() as connection:
        number = raised(connection)
        shelve(connection, number, by="eva", why="known", at=NOW, longest=DAY)
        keep_time(connection, NOW + 23 * HOUR)
        stepped = NOW + 23 * HOUR + step
        keep_time(connection, stepped)
        after = [book.find_muted(connection, number, stepped + hours * HOUR).visibility for hours in (0, 0.5, 1, 25)]
    assert after[2:] == ["shown", "shown"], "an hour after the step its day is over"
    assert after[:2] == (["shown", "shown"] if step > timedelta(0) else ["shelved", "shelved"])


def test_out_of_service_reaches_what_is_raised_later_and_of_one_cause_only_that(state: Database) -> None:
    with state.write() as connection:
        before = raised(connection, "wear")
        whole = take_out_of_service(connection, "m1", by="eva", why="rebuilt", at=NOW, longest=DAY)
        after = raised(connection, "seal")
        with pytest.raises(IllegalTransitionError, match=r"m1 is out of service already.*rebuilt"):
            take_out_of_service(connection, "m1", by="ines", why="again", at=NOW, longest=DAY)
        take_out_of_service(connection, "m1", cause="seal", by="ines", why="leaks anyway", at=NOW, longest=DAY)
        back_in_service(connection, whole.id, by="eva", why="done", at=NOW + HOUR)
        with pytest.raises(IllegalTransitionError, match=r"m1 is back in service since .* by eva"):
            back_in_service(connection, whole.id, by="eva", why="done", at=NOW + HOUR)
        seen = {n: book.find_muted(connection, n, NOW + HOUR).visibility for n in (before, after)}
        told = [(line.happening, line.by, line.why) for line in book.history(connection, after)]
    assert seen == {before: "shown", after: "out of service"}
    assert told == [
        ("raised", "andon", ""),
        ("out of service", "eva", "rebuilt"),
        ("out of service", "ines", "leaks anyway"),
        ("back in service", "eva", "done"),
    ]


def test_mutes_are_listed_as_of_any_moment(state: Database) -> None:
    with state.write() as connection:
        number = raised(connection)
        shelve(connection, number, by="eva", why="known", at=NOW, longest=DAY)
        unshelve(connection, number, by="ines", why="mended", at=NOW + HOUR)
        held = [len(mutes.list_mutes(connection, at=NOW + hours * HOUR)) for hours in (-1, 0, 0.5, 1)]
        (whole,) = mutes.list_mutes(connection)
    assert held == [0, 1, 1, 0]
    assert (whole.by, whole.ended_by, whole.ended_why) == ("eva", "ines", "mended")


def test_two_computers_whose_clocks_differ_a_little_shorten_nothing(state: Database) -> None:
    with state.write() as connection:
        number = raised(connection)
        shelve(connection, number, by="eva", why="known", at=NOW, longest=DAY, until=NOW + HOUR)
        for tick in range(50):
            keep_time(connection, NOW + timedelta(seconds=5 * tick))
            keep_time(connection, NOW + timedelta(seconds=5 * tick - 4))
        assert book.find_muted(connection, number, NOW + HOUR / 2).mutes[0].until == NOW + HOUR


def test_many_small_steps_back_prolong_no_more_than_one(state: Database) -> None:
    with state.write() as connection:
        number = raised(connection)
        shelve(connection, number, by="eva", why="known", at=NOW, longest=DAY, until=NOW + HOUR)
        for step in range(1, 101):
            keep_time(connection, NOW - timedelta(seconds=4 * step))
        (held,) = mutes.lasting(connection)
    prolonged = held.until - (NOW - timedelta(seconds=400)) - HOUR
    assert timedelta(0) <= prolonged <= timedelta(seconds=10)


def test_what_was_over_stays_over_when_the_clock_goes_back(state: Database) -> None:
    with state.write() as connection:
        number = raised(connection)
        shelve(connection, number, by="eva", why="known", at=NOW, longest=DAY, until=NOW + HOUR)
        keep_time(connection, NOW + HOUR)
        keep_time(connection, NOW + HOUR / 2)
        assert book.find_muted(connection, number, NOW + HOUR / 2).visibility == "shown"


def test_a_second_mute_of_the_same_reach_is_refused_by_the_database(kept: Database) -> None:
    with undone(kept) as connection:
        mute(connection, "out of service")
        with pytest.raises(IntegrityError, match="UNIQUE"):
            mute(connection, "out of service")


def test_a_level_that_moves_is_no_reason_to_shelve_anew(state: Database) -> None:
    with state.write() as connection:
        number = raised(connection)
        shelve(connection, number, by="eva", why="known", at=NOW, longest=DAY)
        connection.execute(update(alert_table).values(level=0.9))
        assert book.find_muted(connection, number, NOW).visibility == "shelved"


@cache
def lasting_state() -> Database:
    return open_state(Path(tempfile.mkdtemp()) / "state.db")


CAUSE = st.sampled_from(CAUSES)
SPAN = st.sampled_from([timedelta(minutes=1), HOUR, 7 * HOUR, DAY])


class AlertsBesideTheOracle(RuleBasedStateMachine):
    """Two causes of one machine among people, rules, a monitor and a clock that steps by a day."""

    def __init__(self) -> None:
        super().__init__()
        self.transaction = ExitStack()
        self.beside = Beside(self.transaction.enter_context(undone(lasting_state())))

    def teardown(self) -> None:
        self.transaction.close()

    @rule(cause=CAUSE, level=st.sampled_from([0.5, 0.9]), latches=st.booleans())
    def raise_it(self, cause: str, level: float, latches: bool) -> None:
        self.beside.raise_it(cause, level, latches)

    @rule(cause=CAUSE, what=st.sampled_from(["condition_over", "acknowledge", "reset", "close", "comment", "unshelve"]))
    def happen(self, cause: str, what: str) -> None:
        getattr(self.beside, what)(cause)

    @rule(cause=CAUSE, lasting=st.sampled_from([None, HOUR, 8 * HOUR]), once=st.booleans())
    def shelve(self, cause: str, lasting: timedelta | None, once: bool) -> None:
        self.beside.shelve(cause, lasting, once)

    @rule(cause=st.sampled_from(["", *CAUSES]), lasting=st.sampled_from([HOUR, 2 * DAY]))
    def take_out(self, cause: str, lasting: timedelta) -> None:
        self.beside.take_out(cause, lasting)

    @rule(cause=st.sampled_from(["", *CAUSES]))
    def put_back(self, cause: str) -> None:
        self.beside.put_back(cause)

    @rule(rules=st.frozensets(st.sampled_from(["maintenance", "off", "starting"])))
    def rules_say(self, rules: frozenset[str]) -> None:
        self.beside.rules_say(rules)

    @rule(span=SPAN, looked_at=st.booleans())
    def wait(self, span: timedelta, looked_at: bool) -> None:
        self.beside.wait(span, looked_at)

    @rule(span=SPAN)
    def set_back(self, span: timedelta) -> None:
        self.beside.set_back(span)

    @invariant()
    def the_book_says_the_same(self) -> None:
        self.beside.compare()


TestAlertsBesideTheOracle = AlertsBesideTheOracle.TestCase
TestAlertsBesideTheOracle.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
