"""The audit trail: every change is in it, and nothing that is in it can be changed unseen."""

import json
import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from ingest.database import Database
from ingest.errors import AuditError, StoreError
from models.finding import Finding
from models.registry.live_history import Change
from models.registry.signing import Keys
from service.alerts import book, mutes
from service.alerts.alert import Happening, Verdict
from service.alerts.line import remember
from service.alerts.mute import MuteKind
from service.alerts.out_of_service import take_out_of_service
from service.alerts.shelve import shelve, unshelve
from service.alerts.timers import keep_time
from service.audit.follow import follow_models, model_faults, see_plant
from service.audit.record import BEGIN, Entry, Subject, link
from service.audit.signed_head import Seal, SignedHead
from service.audit.trail import Asked, Head, append, head, list_records
from service.audit.verify import Report, verify
from tests.ready_state import open_state
from tests.trials.audit import ATTACKS, attacked, fill, fill_often, unguarded

NOW = datetime(2026, 3, 1, 6, tzinfo=UTC)
FINDING = Finding(
    machine="press-3",
    kind="anomaly",
    cause="bearing",
    model="risk",
    version="v1",
    begin=NOW,
    end=None,
    level=0.6,
    act_before=NOW + timedelta(hours=23),
)


@pytest.fixture
def state(tmp_path: Path, database: str) -> Iterator[Database]:
    opened = open_state(tmp_path / "state.db", database)
    yield opened
    opened.close()


@pytest.fixture
def seal(tmp_path: Path) -> Seal:
    return Seal(tmp_path / "audit.head", Keys(tmp_path / "audit.key"))


def entry(number: int = 1) -> Entry:
    return Entry(at=NOW, by="Ines", subject=Subject.JOB, name="score", what="run now", detail={"number": number})


def looked(state: Database, seal: Seal, begin: int = 1) -> Report:
    with state.read() as connection:
        return verify(connection, seal, begin=begin)


def tamper(state: Database, statement: str) -> None:
    with state.write() as connection:
        unguarded(connection)
        connection.execute(text(statement))


def test_the_chain_is_the_hash_of_the_one_before_and_of_plain_json(state: Database) -> None:
    with state.write() as connection:
        append(connection, [entry(), entry(2)])
    with state.read() as connection:
        second, first = list_records(connection, Asked())
    said = [1, 1772344800000000, "Ines", "job", "score", "run now", "", '{"number":1}']
    one = sha256(bytes(32) + json.dumps(said, separators=(",", ":")).encode()).hexdigest()
    said = [2, 1772344800000000, "Ines", "job", "score", "run now", "", '{"number":2}']
    assert first.chain == one
    assert second.chain == sha256(bytes.fromhex(one) + json.dumps(said, separators=(",", ":")).encode()).hexdigest()


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=2, max_size=2),
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=2, max_size=2),
)
def test_other_texts_have_another_chain_wherever_they_are_cut(one: list[str], other: list[str]) -> None:
    assert (link(BEGIN, tuple(one)) == link(BEGIN, tuple(other))) == (one == other)


def test_each_change_of_an_alert_and_of_a_mute_is_a_record(state: Database) -> None:
    with state.write() as connection:
        number = book.raise_alert(connection, FINDING, at=NOW)[0].number
        shelve(connection, number, by="Ines", why="known", at=NOW, longest=timedelta(hours=8))
        shelve(connection, number, by="Ines", why="once", at=NOW, longest=timedelta(hours=8), once=True)
        unshelve(connection, number, by="Ben", why="louder", at=NOW)
        book.acknowledge(connection, number, by="Ben", at=NOW, note="I go")
        book.close(connection, number, verdict=Verdict.RIGHT, by="Ben", at=NOW, note="bearing replaced")
    with state.read() as connection:
        found = list_records(connection, Asked())[::-1]
        history = book.history(connection, number)
    assert [(each.subject, each.what, each.by) for each in found] == [
        ("alert", "raised", "andon"),
        ("mute", "shelved", "Ines"),
        ("alert", "shelved", "Ines"),
        ("mute", "shelved once", "Ines"),
        ("alert", "shelved once", "Ines"),
        ("mute", "unshelved", "Ben"),
        ("alert", "unshelved", "Ben"),
        ("alert", "acknowledged", "Ben"),
        ("alert", "closed", "Ben"),
    ]
    assert found[-1].why == "right: bearing replaced"
    assert found[-1].detail == {
        "machine": "press-3",
        "cause": "bearing",
        "state": "normal",
        "level": 0.6,
        "verdict": "right",
        "line": len(history),
    }


def test_a_clock_that_goes_back_is_a_record_of_each_mute_that_it_moves(state: Database) -> None:
    with state.write() as connection:
        keep_time(connection, NOW)
        take_out_of_service(connection, "press-3", by="Ines", why="rebuilt", at=NOW, longest=timedelta(days=3))
        keep_time(connection, NOW - timedelta(hours=1))
        found = list_records(connection, Asked(subject=Subject.MUTE))
    assert [(each.what, each.why, each.detail["until"]) for each in found] == [
        ("moved with the clock", "the clock went back by 1:00:00", "2026-03-04T05:00:00+00:00"),
        ("out of service", "rebuilt", "2026-03-04T06:00:00+00:00"),
    ]


def test_a_change_that_fails_leaves_no_record(state: Database) -> None:
    def change_and_fail() -> None:
        with state.write() as connection:
            book.raise_alert(connection, FINDING, at=NOW)
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        change_and_fail()
    with state.read() as connection:
        assert head(connection) == Head()


def test_processes_that_write_at_once_never_fork_the_chain(tmp_path: Path, database: str, seal: Seal) -> None:
    path = tmp_path / "state.db"
    open_state(path, database).close()
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=fill_often, args=(path, database, 30)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    with closing(open_state(path, database)) as state:
        report = looked(state, seal)
    assert (report.head.count, report.faults) == (120, ())


def test_the_database_refuses_a_second_record_in_one_place(state: Database) -> None:
    again = "INSERT INTO audit SELECT * FROM audit"
    with state.write() as connection:
        append(connection, [entry()])
    with pytest.raises(IntegrityError), state.write() as connection:
        connection.execute(text(again))


@pytest.mark.parametrize("statement", ["UPDATE audit SET why = 'else'", "DELETE FROM audit"])
def test_the_database_refuses_to_change_or_remove_a_record(state: Database, statement: str) -> None:
    with state.write() as connection:
        append(connection, [entry()])
    with pytest.raises((StoreError, DBAPIError), match="only added to"), state.write() as connection:
        connection.execute(text(statement))


def test_a_trail_as_it_was_written_has_no_fault(state: Database, seal: Seal) -> None:
    with state.write() as connection:
        fill(connection, 50)
    seal.keep(state)
    assert looked(state, seal) == replace(looked(state, seal), faults=(), remarks=())


def test_each_attack_on_the_table_is_found(state: Database, seal: Seal) -> None:
    with state.write() as connection:
        fill(connection, 50)
    seal.keep(state)
    assert [name for name, attack in ATTACKS.items() if not attacked(state, seal, attack, 20)] == []
    assert looked(state, seal).faults == ()


@pytest.fixture(scope="module")
def lasting_trail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Seal]]:
    folder = tmp_path_factory.mktemp("trail")
    seal = Seal(folder / "audit.head", Keys(folder / "audit.key"))
    with closing(open_state(folder / "state.db")) as state:
        with state.write() as connection:
            fill(connection, 40)
        seal.keep(state)
        yield state, seal


@given(place=st.integers(1, 40), name=st.sampled_from(sorted(ATTACKS)))
def test_wherever_the_table_is_changed_it_is_found(lasting_trail: tuple[Database, Seal], place: int, name: str) -> None:
    assert attacked(*lasting_trail, ATTACKS[name], place)


def test_a_fault_names_the_record(state: Database, seal: Seal) -> None:
    with state.write() as connection:
        fill(connection, 50)
    tamper(state, "UPDATE audit SET by = 'Eve' WHERE number = 7")
    tamper(state, "DELETE FROM audit WHERE number IN (11, 12, 13)")
    assert looked(state, seal).faults[:2] == (
        "record 7 is not as it was written, or not in its place",
        "records 11 to 13 are missing",
    )


def test_reading_from_a_record_on_looks_at_no_earlier_one(state: Database, seal: Seal) -> None:
    with state.write() as connection:
        append(connection, [entry(each) for each in range(50)])
    tamper(state, "UPDATE audit SET by = 'Eve' WHERE number = 7")
    assert looked(state, seal, 20).faults == ()
    assert looked(state, seal, 7).faults == ("record 7 is not as it was written, or not in its place",)
    assert looked(state, seal, 90).faults == ("record 89 is missing, from which on the trail was to be read",)


def test_a_trail_that_was_cut_off_at_its_end_is_found_and_never_signed(state: Database, seal: Seal) -> None:
    with state.write() as connection:
        append(connection, [entry(each) for each in range(50)])
    seal.keep(state)
    tamper(state, "DELETE FROM audit WHERE number > 40")
    assert looked(state, seal).faults == ("the trail ends at record 40, and 51 were vouched for: its end was cut off",)
    with state.write() as connection:
        append(connection, [entry(each) for each in range(50)])
    assert "was written anew" in looked(state, seal).faults[0]
    with pytest.raises(AuditError, match="was written anew"):
        seal.keep(state)


def test_a_trail_that_was_written_anew_from_the_first_record_is_found(state: Database, seal: Seal) -> None:
    with state.write() as connection:
        append(connection, [entry(each) for each in range(50)])
    seal.keep(state)
    with state.write() as connection:
        unguarded(connection)
        connection.execute(text("DELETE FROM audit"))
        append(connection, [entry(each) for each in range(60)])
    assert "was written anew" in looked(state, seal).faults[0]


def test_what_is_newer_than_the_signed_head_is_said(state: Database, seal: Seal) -> None:
    with state.write() as connection:
        append(connection, [entry()])
    assert looked(state, seal).remarks == (
        "nobody vouched for the trail yet: that its end was not cut off is not sure",
    )
    seal.keep(state)
    with state.write() as connection:
        append(connection, [entry(), entry()])
    assert looked(state, seal).remarks == ("2 of them are newer than the signed head: they could be cut off",)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda line: line.replace(" ", "  ", 1), "is no signed head"),
        (lambda line: "1" + line, "it was altered after it was saved"),
        (lambda line: line[:-3] + ("00\n" if line[-3:] != "00\n" else "11\n"), "it was altered after it was saved"),
    ],
    ids=["torn", "another count", "another signature"],
)
def test_a_head_that_was_altered_vouches_for_nothing(
    state: Database, seal: Seal, change: Callable[[str], str], told: str
) -> None:
    with state.write() as connection:
        append(connection, [entry()])
    seal.keep(state)
    seal.path.write_text(change(seal.path.read_text()))
    assert told in looked(state, seal).faults[0]
    with state.write() as connection:
        append(connection, [entry()])
    with pytest.raises(AuditError, match=told):
        seal.keep(state)


def test_a_head_that_another_key_signed_vouches_for_nothing(state: Database, seal: Seal, tmp_path: Path) -> None:
    with state.write() as connection:
        append(connection, [entry()])
    seal.keep(state)
    Seal(seal.path, Keys(tmp_path / "other.key")).anew(state, at=NOW, by="Eve", why="mine")
    assert "signed with a key that is not trusted" in looked(state, seal).faults[0]


def test_a_head_that_is_gone_is_found_and_never_made_anew_by_itself(state: Database, seal: Seal) -> None:
    with state.write() as connection:
        append(connection, [entry()])
    seal.keep(state)
    seal.path.unlink()
    assert "is gone, which vouched for the trail since record 2" in looked(state, seal).faults[0]
    with pytest.raises(AuditError, match="is gone"):
        seal.keep(state)


def test_a_person_may_vouch_anew_and_what_stood_against_it_is_kept(state: Database, seal: Seal) -> None:
    with state.write() as connection:
        append(connection, [entry(each) for each in range(50)])
    seal.keep(state)
    tamper(state, "DELETE FROM audit WHERE number > 40")
    signed = seal.anew(state, at=NOW, by="Ines", why="the backup of Monday was restored")
    with state.read() as connection:
        newest = list_records(connection, Asked(subject=Subject.TRAIL), limit=1)[0]
    assert (newest.by, newest.why) == ("Ines", "the backup of Monday was restored")
    assert "its end was cut off" in newest.detail["against"]
    # It reaches as far as was signed, and one more record says for whom it was.
    assert looked(state, seal).faults == ()
    assert signed == seal.kept()


def test_a_head_that_was_kept_elsewhere_finds_who_has_the_key_and_the_file(state: Database, seal: Seal) -> None:
    with state.write() as connection:
        append(connection, [entry(each) for each in range(50)])
    kept = seal.keep(state)
    assert kept is not None
    tamper(state, "DELETE FROM audit WHERE number > 40")
    seal.anew(state, at=NOW, by="Eve", why="nothing")
    with state.read() as connection:
        assert verify(connection, seal, heads=[SignedHead.read(kept.line)]).faults != ()
        assert verify(connection, seal).faults == ()


def test_a_kill_at_the_first_signing_is_no_fault(state: Database, seal: Seal) -> None:
    with state.write() as connection:
        append(connection, [entry()])

    def sign_and_fail() -> None:
        with state.write() as connection:
            seal._write(connection)
            raise RuntimeError("killed before the record of it")

    with pytest.raises(RuntimeError, match="killed"):
        sign_and_fail()
    assert looked(state, seal).faults == ()
    assert seal.keep(state) is not None
    assert looked(state, seal).faults == ()


def _alert_with_history(state: Database) -> int:
    with state.write() as connection:
        number = book.raise_alert(connection, FINDING, at=NOW)[0].number
        book.comment(connection, number, by="Ben", at=NOW, text="it hums")
        book.acknowledge(connection, number, by="Ines", at=NOW)
    return number


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE alert_event SET by = 'Eve' WHERE id = 2", "line 2 of its history has another by than record 2"),
        (
            "UPDATE alert_event SET at = at + 1, why = 'no' WHERE id = 2",
            "line 2 of its history has another time and why than record 2",
        ),
        ("DELETE FROM alert_event WHERE id = 3", "line 3 of its history is gone, which record 3 has"),
        (
            "INSERT INTO alert_event (id, alert, at, happening, state, by, level)"
            " VALUES (9, 1, 0, 'reset', 'normal', '', 1)",
            "line 9 of its history stands in no record",
        ),
        ("UPDATE alert SET state = 'normal'", "is normal, and by the trail acknowledged"),
        ("UPDATE alert SET verdict = 'wrong'", "is acknowledged with verdict wrong, and by the trail acknowledged"),
    ],
)
def test_a_history_or_an_alert_that_was_changed_past_the_book_is_found(
    state: Database, seal: Seal, statement: str, told: str
) -> None:
    number = _alert_with_history(state)
    assert looked(state, seal).faults == ()
    tamper(state, statement)
    assert looked(state, seal).faults == (f"alert {number} {told}" if "is " in told[:3] else f"alert {number}: {told}",)


def test_ten_thousand_lines_are_one_look_and_one_insert(state: Database) -> None:
    with state.write() as connection:
        numbers = [
            book.raise_alert(connection, replace(FINDING, cause=f"c{each}"), at=NOW)[0].number for each in range(20)
        ]
        before = head(connection).count
        remember(connection, numbers, Happening.COMMENT, at=NOW, by="Ines", why="all of them")
        found = list_records(connection, Asked(), limit=20)
    assert [each.number for each in found] == list(range(before + 20, before, -1))
    assert [each.name for each in found] == [str(each) for each in reversed(numbers)]


def test_changes_of_what_is_live_are_taken_over_once(state: Database) -> None:
    one = Change("promote", "risk", "v1", NOW, "Ines", "first")
    two = Change("rollback", "risk", "v0", NOW, "Ben", "worse", "against")
    assert follow_models(state, [one]) == 1
    assert follow_models(state, [one]) == 0
    assert follow_models(state, [one, two]) == 1
    with state.read() as connection:
        found = list_records(connection, Asked(subject=Subject.MODEL))
        assert [(each.name, each.what, each.by, each.detail["version"]) for each in found] == [
            ("risk", "rollback", "Ben", "v0"),
            ("risk", "promote", "Ines", "v1"),
        ]
        assert model_faults(connection, [one, two]) == []
        assert "another change" in model_faults(connection, [replace(one, version="v2"), two])[0]
        assert model_faults(connection, [one]) == ["2 changes of models are in the trail, and 1 in their own history"]


def test_a_plant_file_that_changed_is_a_record_that_names_the_parts(state: Database, tmp_path: Path) -> None:
    path = tmp_path / "plant.toml"
    path.write_text('name = "Ulm"\n[costs]\nmissed_failure = 1\n')
    assert see_plant(state, path, at=NOW)
    assert not see_plant(state, path, at=NOW)
    path.write_text('name = "Ulm"\n[costs]\nmissed_failure = 2\n[alerts]\nlatch = []\n')
    assert see_plant(state, path, at=NOW)
    with state.read() as connection:
        newest, first = list_records(connection, Asked())
    assert (first.what, newest.what, newest.why) == ("first seen", "changed", "alerts, costs")
    assert "Ulm" not in json.dumps(dict(newest.detail))


def test_a_suppression_that_is_renewed_tells_nothing_new(state: Database) -> None:
    with state.write() as connection:
        kind = MuteKind.SUPPRESSED
        mute = mutes.begin(
            connection, kind, machine="m", rule="off", by="andon", why="", at=NOW, until=NOW + timedelta(days=1)
        )
        mutes.renew(connection, mute, {"until": NOW + timedelta(days=2)})
        assert head(connection).count == 1
