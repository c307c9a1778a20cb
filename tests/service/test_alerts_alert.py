"""Alerts move between the states of ISA-18.2, and only as it says; a machine of transitions checks all paths."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ingest.errors import IllegalTransitionError
from models.finding import Finding
from service.alerts import book
from service.alerts.alert import LIVE_STATES, TRANSITIONS, Alert, AlertState, Happening, Verdict
from service.database import open_state

START = datetime(2026, 1, 1, tzinfo=UTC)


def alert_in(state: AlertState, verdict: Verdict | None = None) -> Alert:
    return Alert(
        number=7,
        machine="m1",
        cause="wear",
        kind="anomaly",
        model="a",
        version="1",
        state=state,
        raised_at=START,
        condition_begin=START,
        act_before=START,
        level=0.5,
        closed_by="eva" if verdict else "",
        verdict=verdict,
    )


@pytest.mark.parametrize(
    ("state", "happening", "target"),
    [
        ("unacknowledged", "acknowledged", "acknowledged"),
        ("unacknowledged", "condition over", "returned-unacknowledged"),
        ("acknowledged", "condition over", "normal"),
        ("returned-unacknowledged", "acknowledged", "normal"),
        ("returned-unacknowledged", "condition back", "unacknowledged"),
        ("unacknowledged", "closed", "normal"),
        ("acknowledged", "closed", "normal"),
        ("returned-unacknowledged", "closed", "normal"),
        ("normal", "closed", "normal"),
    ],
)
def test_each_transition_of_the_drawing_is_possible(state: str, happening: str, target: str) -> None:
    assert alert_in(AlertState(state)).after(Happening(happening)) == target


@pytest.mark.parametrize("state", AlertState)
@pytest.mark.parametrize("happening", Happening)
def test_everything_else_is_illegal_and_says_what_is_possible(state: AlertState, happening: Happening) -> None:
    if (state, happening) in TRANSITIONS:
        return
    with pytest.raises(IllegalTransitionError) as caught:
        alert_in(state).after(happening)
    assert "\n" not in str(caught.value)
    assert f"alert 7 is {state.value}; '{happening.value}' is not possible, only " in str(caught.value)
    assert "'closed', 'comment'" in str(caught.value)


def test_a_closed_alert_takes_comments_only() -> None:
    closed = alert_in(AlertState.NORMAL, Verdict.RIGHT)
    assert closed.after(Happening.COMMENT) is AlertState.NORMAL
    with pytest.raises(IllegalTransitionError, match="alert 7 was closed as 'right' by eva; 'closed' is not possible"):
        closed.after(Happening.CLOSED)


class AlertLife(RuleBasedStateMachine):
    """One machine and cause among people and a monitor; a small model in memory says what must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.state = open_state(Path(self.folder.name) / "state.db")
        self.now = START
        self.open: int | None = None
        self.expected = AlertState.NORMAL
        self.events: list[Happening] = []
        self.verdicts: dict[int, Verdict] = {}

    def teardown(self) -> None:
        self.state.close()
        self.folder.cleanup()

    def _finding(self, level: float) -> Finding:
        return Finding(
            machine="m1",
            kind="anomaly",
            cause="wear",
            model="a",
            version="1",
            begin=self.now,
            end=None,
            level=level,
            act_before=self.now + timedelta(days=1),
        )

    @rule(level=st.sampled_from([0.5, 0.55, 0.9]))
    def raise_it(self, level: float) -> None:
        self.now += timedelta(hours=1)
        with self.state.write() as connection:
            alert, new = book.raise_alert(connection, self._finding(level), at=self.now)
        assert new == (self.open is None)
        assert alert.level == level
        if new:
            self.open, self.expected, self.events = alert.number, AlertState.UNACKNOWLEDGED, [Happening.RAISED]
        elif self.expected is AlertState.RETURNED:
            self.expected = AlertState.UNACKNOWLEDGED
            self.events.append(Happening.CONDITION_BACK)
        assert alert.number == self.open
        assert alert.condition_end is None or self.expected is not AlertState.UNACKNOWLEDGED

    @precondition(lambda self: self.open is not None)
    @rule()
    def acknowledge(self) -> None:
        self._try(Happening.ACKNOWLEDGED, lambda c, n: book.acknowledge(c, n, by="eva", at=self.now))

    @precondition(lambda self: self.open is not None)
    @rule()
    def condition_over(self) -> None:
        self._try(Happening.CONDITION_OVER, lambda c, n: book.condition_over(c, n, at=self.now))

    @precondition(lambda self: self.open is not None)
    @rule(verdict=st.sampled_from(Verdict))
    def close(self, verdict: Verdict) -> None:
        assert self.open is not None
        self.verdicts[self.open] = verdict
        self._try(Happening.CLOSED, lambda c, n: book.close(c, n, verdict=verdict, by="eva", at=self.now))

    @precondition(lambda self: self.open is not None)
    @rule()
    def comment(self) -> None:
        self._try(Happening.COMMENT, lambda c, n: book.comment(c, n, by="eva", at=self.now, text="seen"))

    def _try(self, happening: Happening, act: "object") -> None:
        target = TRANSITIONS.get((self.expected, happening))
        with self.state.write() as connection:
            if target is None:
                with pytest.raises(IllegalTransitionError):
                    act(connection, self.open)  # type: ignore[operator]
                return
            act(connection, self.open)  # type: ignore[operator]
        self.expected = target
        self.events.append(happening)

    @invariant()
    def the_book_says_the_same(self) -> None:
        with self.state.read() as connection:
            live = book.list_alerts(connection)
            everything = book.list_alerts(connection, states=tuple(AlertState))
            assert len(live) == (self.expected in LIVE_STATES)
            if self.open is None:
                return
            alert, lines = book.show(connection, self.open), book.history(connection, self.open)
        assert alert.state is self.expected
        assert [line.happening for line in lines if line.happening is not Happening.CHANGED] == self.events
        assert lines[-1].state is alert.state
        assert {each.number: each.verdict for each in everything if each.verdict} == self.verdicts
        if alert.state is AlertState.NORMAL:
            self.open = None


TestAlertLife = AlertLife.TestCase
TestAlertLife.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
