"""The state database is made, brought up to date and guarded when it is opened."""

import os
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import IntegrityError

from ingest.database import open_database
from ingest.errors import StoreError
from ingest.sqlite import SqliteDatabase
from models.persistence import Condition
from service import database as service_database
from service.database import NEWEST_REVISION, Moment, open_state, watch_table
from service.late_looks import LateLooks, late_looks
from service.migrations.every_table import metadata
from service.watch import Watch, watches


def test_the_migrations_make_exactly_the_tables_of_the_code(tmp_path: Path) -> None:
    state = open_state(tmp_path / "state.db")
    with state.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata) == []
        checks = connection.scalar(text("SELECT sql FROM sqlite_master WHERE name = 'alert'"))
        assert checks is not None
        assert "alert_state" in checks
    state.close()


def test_the_newest_revision_is_the_head_of_the_migrations() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(service_database.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [NEWEST_REVISION]


def test_a_watch_of_the_first_tables_is_kept_and_says_that_nobody_knows_where_it_began(tmp_path: Path) -> None:
    old = SqliteDatabase(tmp_path / "state.db")
    config = Config()
    config.set_main_option("script_location", str(Path(service_database.__file__).parent / "migrations"))
    with old.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        condition = '{"active": true, "flags": [true], "clean": 1}'
        row = ("risk", "m1", 1_000_000, condition)
        connection.exec_driver_sql("INSERT INTO watch (model, machine, until, condition) VALUES (?, ?, ?, ?)", row)
    old.close()
    state = open_state(tmp_path / "state.db")
    with state.read() as connection:
        until = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
        assert watches(connection, "risk") == {"m1": Watch(until, Condition(True, (True,), 1))}
        assert late_looks(connection, "risk") == LateLooks()
    state.close()


def test_open_alerts_of_before_mutes_are_kept_with_history_and_watches(tmp_path: Path, empty_database: str) -> None:
    from service.alerts import book, mutes
    from service.alerts.alert import AlertState

    old = open_database(tmp_path / "state.db", empty_database)
    config = Config()
    config.set_main_option("script_location", str(Path(service_database.__file__).parent / "migrations"))
    moments = {"raised_at": 0, "condition_begin": 0, "act_before": 0}
    same = {"machine": "m", "kind": "anomaly", "model": "a", "version": "1", "level": 0.5, "sentence": "s"}
    with old.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0007")
        names = ", ".join([*same, *moments, "cause", "state", "evidence"])
        values = ", ".join(f":{name}" for name in [*same, *moments, "cause", "state", "evidence"])
        insert_alert = text(f"INSERT INTO alert ({names}) VALUES ({values})")  # noqa: S608 – our own names
        for number, state in enumerate(("normal", "acknowledged", "returned-unacknowledged", "unacknowledged"), 1):
            row = {**same, **moments, "cause": f"c{number}", "state": state, "evidence": "[]"}
            connection.execute(insert_alert, row)
            line = (
                "INSERT INTO alert_event (alert, at, happening, state, by, level) VALUES (:n, 0, 'raised', :s, 'a', 1)"
            )
            connection.execute(text(line), {"n": number, "s": state})
        watch = "INSERT INTO watch (model, machine, until, condition, alert) VALUES ('a', 'm', 0, :condition, 4)"
        connection.execute(text(watch), {"condition": '{"active": true, "flags": [true], "clean": 0}'})
    old.close()
    state = open_state(tmp_path / "state.db", empty_database)
    with state.write() as connection:
        alerts = book.list_alerts(connection, states=tuple(AlertState))
        assert [(each.number, each.cause, each.state.value, each.latches, each.sentence) for each in alerts] == [
            (4, "c4", "unacknowledged", False, "s"),
            (3, "c3", "returned-unacknowledged", False, "s"),
            (2, "c2", "acknowledged", False, "s"),
            (1, "c1", "normal", False, "s"),
        ]
        assert [len(book.history(connection, each.number)) for each in alerts] == [1, 1, 1, 1]
        assert watches(connection, "a")["m"].alert == 4
        assert mutes.list_mutes(connection) == []
        again = {**same, **moments, "cause": "c4", "state": "normal", "evidence": "[]"}
        assert connection.execute(text(f"{insert_alert.text} RETURNING number"), again).scalar_one() == 5
    with pytest.raises(IntegrityError), state.write() as connection:
        connection.execute(insert_alert, {**again, "state": "latched-acknowledged"})
    with pytest.raises(IntegrityError), state.write() as connection:
        connection.execute(insert_alert, {**again, "state": "gone"})
    with pytest.raises(IntegrityError), state.write() as connection:
        connection.execute(text("DELETE FROM alert WHERE number = 4"))
    state.close()


def test_opening_again_keeps_what_was_written(tmp_path: Path) -> None:
    state = open_state(tmp_path / "state.db")
    until = datetime(2026, 1, 1, tzinfo=UTC)
    with state.write() as connection:
        connection.execute(insert(watch_table).values(model="a", machine="m", until=until, condition={}))
    state.close()
    again = open_state(tmp_path / "state.db")
    with again.read() as connection:
        assert connection.scalar(select(watch_table.c.until)) == until
    again.close()


def test_a_database_of_a_newer_andon_is_refused_in_one_line(tmp_path: Path) -> None:
    state = open_state(tmp_path / "state.db")
    with state.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    state.close()
    with pytest.raises(StoreError, match=r"state\.db: written by a newer Andon \(tables 9999,.*install that version"):
        open_state(tmp_path / "state.db")


def test_a_data_folder_with_a_percent_sign_is_no_problem(tmp_path: Path) -> None:
    state = open_state(tmp_path / "100%25" / "state.db")
    with state.read() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == NEWEST_REVISION
    state.close()
    assert [path.name for path in tmp_path.iterdir()] == ["100%25"]


def test_code_in_a_folder_with_a_percent_sign_finds_its_migrations(tmp_path: Path) -> None:
    (tmp_path / "100%d").symlink_to(Path(service_database.__file__).parents[1])
    opening = "import sys, pathlib; from service.database import open_state; open_state(pathlib.Path(sys.argv[1]))"
    where = {**os.environ, "PYTHONPATH": str(tmp_path / "100%d")}
    subprocess.run([sys.executable, "-c", opening, tmp_path / "state.db"], env=where, cwd=tmp_path, check=True)
    with sqlite3.connect(tmp_path / "state.db") as made:
        assert made.execute("SELECT version_num FROM alembic_version").fetchall() == [(NEWEST_REVISION,)]
    made.close()


def test_two_live_alerts_of_one_machine_and_cause_are_refused_by_the_database(tmp_path: Path) -> None:
    state = open_state(tmp_path / "state.db")
    row = (
        "INSERT INTO alert (machine, cause, kind, model, version, state, raised_at, condition_begin, act_before,"
        " level, sentence, evidence) VALUES ('m', 'c', 'anomaly', 'a', '1', :state, 0, 0, 0, 0.5, '', '[]')"
    )
    with state.write() as connection:
        connection.execute(text(row), {"state": "normal"})
        connection.execute(text(row), {"state": "normal"})
        connection.execute(text(row), {"state": "acknowledged"})
    with pytest.raises(IntegrityError, match="UNIQUE"), state.write() as connection:
        connection.execute(text(row), {"state": "returned-unacknowledged"})
    state.close()


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.timezones()))  # noqa: DTZ001
def test_a_moment_survives_the_database_to_the_microsecond(moment: datetime) -> None:
    kind, dialect = Moment(), sqlite.dialect()
    assert kind.process_result_value(kind.process_bind_param(moment, dialect), dialect) == moment.astimezone(UTC)


def test_mutes_of_before_silences_are_kept_and_called_by_a_name_of_their_own(
    tmp_path: Path, empty_database: str
) -> None:
    from service.alerts import book, mutes
    from service.alerts.mute import MuteKind

    old = open_database(tmp_path / "state.db", empty_database)
    config = Config()
    config.set_main_option("script_location", str(Path(service_database.__file__).parent / "migrations"))
    alert: dict[str, Any] = {
        "machine": "m",
        "cause": "c",
        "kind": "anomaly",
        "model": "a",
        "version": "1",
        "state": "unacknowledged",
    }
    alert |= {"level": 0.5, "sentence": "s", "evidence": "[]", "raised_at": 0, "condition_begin": 0, "act_before": 0}
    with old.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0015")
        names, values = ", ".join(alert), ", ".join(f":{name}" for name in alert)
        connection.execute(text(f"INSERT INTO alert ({names}) VALUES ({values})"), alert)  # noqa: S608
        mute: dict[str, Any] = {"kind": "shelved", "machine": "m", "rule": "", "why": "w", "ended_at": None}
        for number, own in enumerate(({"cause": "c", "by": "Ines"}, {"cause": "d", "by": "Ben", "ended_at": 5}), 1):
            row = {**mute, **own, "since": number, "until": 10_000_000, "once": number == 1}
            into = ", ".join(f'"{name}"' for name in row)
            values = ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO mute ({into}) VALUES ({values})"), row)  # noqa: S608
    old.close()
    state = open_state(tmp_path / "state.db", empty_database)
    with state.write() as connection:
        at = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
        kept = mutes.list_mutes(connection)
        assert [(each.id, each.by, each.once, each.matchers) for each in kept] == [
            (2, "Ben", False, ()),
            (1, "Ines", True, ()),
        ]
        assert len({each.uuid for each in kept}) == 2
        assert mutes.named(connection, kept[0].uuid) == kept[0]
        shown = book.find_muted(connection, 1, at)
        assert [each.id for each in shown.mutes] == [1]
        assert shown.labels == {"alertname": "anomaly", "machine": "m", "cause": "c"}
        more: dict[str, Any] = {
            "machine": "m",
            "by": "x",
            "why": "x",
            "at": at,
            "until": datetime(1970, 1, 2, tzinfo=UTC),
        }
        made = [mutes.begin(connection, MuteKind.SILENCED, **more) for _ in range(2)]
        assert [each.id for each in made] == [3, 4]
    with pytest.raises(IntegrityError), state.write() as connection:
        mutes.begin(connection, MuteKind.SHELVED, cause="c", **more)
    state.close()
