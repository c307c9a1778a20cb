"""The digest of a shift adds up, and reaches each route that wants it once."""

from collections import Counter
from contextlib import closing
from datetime import UTC
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from service.alerts import book
from service.alerts.pipeline.decide import keep_calls
from service.alerts.pipeline.digest import NOT_CONFIRMED, Digest, digest_of
from service.alerts.shelve import shelve
from service.database import assessment_table
from service.delivery.mail import mail_of
from service.delivery.notice import notice_of
from service.delivery.tables import notice_table
from tests.service.called_plant import DAY, HOUR, MINUTE, MONDAY, Called, called, plant_of

SHIFTS: dict[str, Any] = {
    "shifts": [{"name": "early", "hours": "06:00-14:00"}, {"name": "late", "hours": "14:00-22:00"}]
}
ROUTE: dict[str, Any] = {
    "name": "all",
    "targets": "phone",
    "group_wait": "0 s",
    "group_interval": "0 s",
    "digest": True,
}
SAID = st.sampled_from([None, 0.1, 0.9])
LEVELS = st.lists(st.tuples(st.integers(0, 5), st.integers(-30, 500), SAID), max_size=20)
RAISED = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["call", "shelve", "over"])), max_size=5)


def assess(world: Called, machine: str, minute: int, level: float | None) -> None:
    row = {"model": "risk", "machine": machine, "time": MONDAY + minute * MINUTE, "version": "v1", "threshold": 0.5}
    said = {"level": level, "reason": "ok" if level is not None else "no readings"}
    with world.state.write() as connection:
        connection.execute(insert(assessment_table).prefix_with("OR REPLACE"), row | said)


def digest(world: Called, shift: str = "early") -> Digest:
    worked = world.rules.roster.newest(world.now, shift)
    assert worked is not None
    with world.state.read() as connection:
        return digest_of(connection, world.rules, worked)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(LEVELS, RAISED)
def test_raised_and_suppressed_and_below_threshold_are_what_was_scored(levels: Any, raised: Any) -> None:
    with TemporaryDirectory() as folder:
        world = called(Path(folder), plant_of([ROUTE | {"budget": 1}], **SHIFTS))
        with closing(world.state):
            for machine, minute, level in levels:
                assess(world, f"press-{machine}", minute, level)
            world.now = MONDAY + HOUR
            for machine, deed in raised:
                with world.calling.write() as connection:
                    finding = world.finding(f"press-{machine}", hours=2000)
                    number, new = book.raise_alert(connection, finding, at=world.now)
                    if deed == "shelve" and new:
                        shelve(connection, number.number, by="eva", why="known", at=world.now, longest=DAY)
                if deed == "over" and new:
                    world.over(number.number)
            world.now = MONDAY + 8 * HOUR
            found = digest(world)

    within: dict[int, dict[int, float | None]] = {}
    for machine, minute, level in levels:
        if 0 < minute <= 480:
            within.setdefault(machine, {})[minute] = level
    scored = {machine: [each for each in own.values() if each is not None] for machine, own in within.items()}
    watched = found.watched
    assert watched.scored == sum(bool(each) for each in scored.values())
    assert watched.below_threshold == sum(bool(each) and max(each) < 0.5 for each in scored.values())
    assert watched.raised + sum(watched.suppressed.values()) + watched.below_threshold == watched.scored
    assert sum(watched.not_scored.values()) == sum(not each for each in scored.values())
    assert found.raised == len(found.called) + sum(found.held_back.values()) == len(found.called) + len(found.held)
    assert len(found.called) <= 1
    assert Counter(each.reason for each in found.held) == Counter(found.held_back)


def test_a_level_that_did_not_last_is_suppressed_and_named(tmp_path: Path) -> None:
    with closing((world := called(tmp_path, plant_of([ROUTE], **SHIFTS))).state):
        assess(world, "press-1", 10, 0.9)
        assess(world, "press-2", 10, 0.1)
        assess(world, "press-3", 10, None)
        world.now = MONDAY + 9 * HOUR
        watched = digest(world).watched

    assert (watched.scored, watched.raised, watched.below_threshold) == (2, 0, 1)
    assert watched.suppressed == {NOT_CONFIRMED: 1}
    assert watched.not_scored == {"no readings": 1}


def test_what_is_held_back_stands_with_its_reason_those_worth_most_first_and_critical_ones_are_counted(
    tmp_path: Path,
) -> None:
    with closing((world := called(tmp_path, plant_of([ROUTE | {"budget": 0}], **SHIFTS))).state):
        world.now = MONDAY + HOUR
        little, much = (world.alert(f"press-{each}", level=level, hours=2000) for each, level in ((1, 0.2), (2, 0.6)))
        critical = world.alert("press-3", level=0.9, hours=2)
        world.now = MONDAY + 9 * HOUR
        found = digest(world)

    assert [each.number for each in found.called] == [critical]
    assert [each.number for each in found.held] == [much, little]
    assert found.held_back == {"budget spent": 2}
    (spent,) = found.budgets
    assert (spent.budget, spent.spent, spent.critical) == (0, 0, 1)


def test_at_the_end_of_each_shift_the_digest_is_sent_once(tmp_path: Path) -> None:
    with closing((world := called(tmp_path, plant_of([ROUTE], **SHIFTS))).state):
        world.now = MONDAY + 8 * HOUR - MINUTE
        keep_calls(world.state, world.rules, world.now)
        before = len(world.messages())
        world.after(2 * MINUTE, step=MINUTE)
        world.after(8 * HOUR, step=HOUR)
        with world.state.read() as connection:
            rows = connection.execute(select(notice_table).order_by(notice_table.c.id)).all()[before:]

    assert [(row.kind, row.target, row.body["shift"]["name"]) for row in rows] == [
        ("digest", "phone", "early"),
        ("digest", "phone", "late"),
    ]
    assert rows[0].body["shift"]["end"] == (MONDAY + 8 * HOUR).isoformat()
    mail = mail_of(notice_of(rows[0]), sender="a@b.example", to=["c@d.example"], zone=UTC, link="")
    assert mail["Subject"] == "[Plant] Digest: early, 2026-03-02 06:00 to 2026-03-02 14:00"
    assert "0 alerts raised: 0 called, 0 held back" in str(mail.get_content())
