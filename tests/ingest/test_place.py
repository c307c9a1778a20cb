"""What every place of the lake's files promises, on each of them."""

from contextlib import suppress
from pathlib import Path

import pytest

from ingest.place import Place
from tests.ingest.conftest import Kept, content_of, put_content


@pytest.fixture
def place(tmp_path: Path, kept_files: Kept) -> Place:
    return kept_files.place(tmp_path / "data")


@pytest.mark.parametrize("size", [0, 1, 1 << 17, (1 << 17) + 1, 9 << 20], ids=lambda size: f"{size} bytes")
def test_a_file_comes_back_as_it_was_written(place: Place, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + bytes(range(size % 256))
    put_content(place, "press/a.parquet", content)

    assert content_of(place, "press/a.parquet") == content
    with place.open("press/a.parquet") as file:
        assert file.size == size
        assert file.read_at(300, size // 2) == content[size // 2 : size // 2 + 300]
        assert file.read_at(300, max(0, size - 7)) == content[max(0, size - 7) :]


def test_parts_that_are_fetched_and_parts_that_are_not_are_read_alike(place: Place) -> None:
    content = bytes(range(256)) * 4000
    put_content(place, "press/a.parquet", content)
    with place.open("press/a.parquet") as file:
        file.fetch([(0, 10), (10, 5), (500_000, 100), (len(content) - 20, 20)])
        for offset, length in ((0, 10), (10, 5), (500_000, 100), (500_000, 50), (600_000, 9), (len(content) - 20, 20)):
            assert file.read_at(length, offset) == content[offset : offset + length]


def test_a_file_that_is_not_there_is_said_to_be_missing_where_it_should_be(place: Place) -> None:
    with pytest.raises(FileNotFoundError) as raised, place.open("press/none.parquet"):
        pass
    assert str(raised.value.filename) == place.where("press/none.parquet")


def test_all_files_are_listed_with_any_name_and_nothing_else(place: Place) -> None:
    names = ["press/a.parquet", "press/b.parquet", "press 1%2F/c.parquet", "damaged/d.parquet", "lake/lake.parquet"]
    for each in names:
        put_content(place, each, b"x")
    place.set_mark("mine")

    assert place.paths() == sorted(names)


def test_a_file_that_was_removed_is_gone_and_removing_it_again_is_nothing(place: Place) -> None:
    put_content(place, "press/a.parquet", b"x")
    place.remove("press/a.parquet")
    place.remove("press/a.parquet")

    assert place.paths() == []
    with pytest.raises(FileNotFoundError), place.open("press/a.parquet", anew=True):
        pass


def test_a_file_that_is_put_aside_is_no_file_of_the_lake_any_more(place: Place) -> None:
    put_content(place, "press/a.parquet", b"x")
    place.put_aside("press/a.parquet")
    place.put_aside("press/a.parquet")

    assert place.paths() == []


def test_where_nothing_was_written_there_is_no_file(place: Place) -> None:
    with place.making("press/a.parquet"):
        pass
    assert place.paths() == []


def test_what_a_failed_making_leaves_can_be_removed(place: Place, tmp_path: Path) -> None:
    (tmp_path / "data" / "lake" / "press").mkdir(parents=True)
    with suppress(KeyboardInterrupt), place.making("press/a.parquet") as local:
        local.write_bytes(b"half")
        raise KeyboardInterrupt
    place.clean()
    for each in place.paths():
        place.remove(each)

    assert place.paths() == []
    assert [each for each in (tmp_path / "data").rglob("*") if each.is_file()] == []


def test_making_a_file_again_replaces_it(place: Place) -> None:
    put_content(place, "press/a.parquet", b"one")
    put_content(place, "press/a.parquet", b"another")

    assert content_of(place, "press/a.parquet") == b"another"
