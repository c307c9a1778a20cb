"""A whole plant whose tables lie in PostgreSQL."""

import json
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import StoreBusyError, StoreError
from ingest.postgresql import PostgresqlDatabase
from ingest.store import Store
from service.cli.main import main
from tests.oven_plant import write_plant
from tests.postgresql import schema


def test_a_plant_is_read_trained_and_scored_with_its_tables_in_postgresql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readings = write_plant(tmp_path)

    def andon(*arguments: str) -> dict[str, Any]:
        with pytest.raises(SystemExit) as ended:
            main(["--plant", str(tmp_path / "plant.toml"), "--json", *arguments])
        printed = capsys.readouterr()
        assert not ended.value.code, printed.err
        return dict(json.loads(printed.out))

    with schema() as url:
        monkeypatch.setenv("ANDON_DATABASE", url)
        assert andon("ingest")["accepted"] == readings
        assert andon("ingest")["repeated"] == readings
        andon("train")
        assert andon("score")["round"]["machines"] == 2
        assert andon("check", "--storage")["problems"] == []

    assert not list((tmp_path / "andon-data").glob("*.db"))


def test_every_commit_waits_for_the_disk() -> None:
    with schema() as url:
        database = PostgresqlDatabase(url, purpose="a")
        with database.write() as connection:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
        database.close()


def test_writers_of_one_purpose_take_turns_and_readers_do_not_wait() -> None:
    with schema() as url:
        one, other = PostgresqlDatabase(url, purpose="a"), PostgresqlDatabase(url, purpose="a", wait_seconds=0.1)
        apart = PostgresqlDatabase(url, purpose="b", wait_seconds=0.1)
        with one.write():
            with pytest.raises(StoreBusyError, match="another process"), other.write():
                pass
            with apart.write(), other.read():
                pass
        for each in (one, other, apart):
            each.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "is no address of a PostgreSQL database"),
        ("mysql://andon:secret@127.0.0.1/works", "is no address of a PostgreSQL database"),
        ("postgresql://nobody@127.0.0.1:1/none", "cannot be reached"),
    ],
)
def test_a_database_that_is_not_there_is_one_line(tmp_path: Path, url: str, said: str) -> None:
    with pytest.raises(StoreError, match=said) as raised:
        Store(tmp_path, database=url)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("url", ["postgresql://nobody:secret@127.0.0.1:1/none", "nobody:secret@host"])
def test_a_password_is_never_shown(url: str) -> None:
    with pytest.raises(StoreError) as raised:
        PostgresqlDatabase(url, purpose="a")
    assert "secret" not in str(raised.value)
