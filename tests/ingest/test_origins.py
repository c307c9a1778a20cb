"""What was made of readings stays known while files are merged, and is made anew when readings come or go."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from ingest.origins import Origins, Part
from ingest.store import Store
from tests.ingest.conftest import EVERYWHERE, START, Kept, MakeReadings, content_of, put_content

KEPT = EVERYWHERE


def seal_minutes(store: Store, make_readings: MakeReadings, first: int, last: int) -> None:
    for minute in range(first, last):
        store.append(make_readings([("m1", minute, {"a": 1.0})]), source="s", position=str(minute))
        store.seal()


class Total:
    """Counts the readings of the first minute, and how often it was asked to."""

    def __init__(self, store: Store) -> None:
        self.store, self.asked = store, 0

    def __call__(self) -> Any:
        end = START + timedelta(minutes=1)

        def work(which: Sequence[int]) -> list[int]:
            self.asked += 1
            return [self.store.read("press", end=end).table.num_rows for _ in which]

        return self.store.derived("press", START - timedelta(hours=1), end, ["rows"], work)[0]


def files(store: Store) -> int:
    return store.parts().files


def test_what_was_made_of_readings_stays_known_while_their_files_are_merged(
    store: Store, make_readings: MakeReadings
) -> None:
    seal_minutes(store, make_readings, 0, 2)
    rows = Total(store)
    assert rows() == 2
    seal_minutes(store, make_readings, 2, 20)
    assert files(store) < 18
    assert rows() == 2
    assert rows.asked == 1


def test_a_late_reading_makes_it_anew_however_files_were_merged(store: Store, make_readings: MakeReadings) -> None:
    seal_minutes(store, make_readings, 0, 10)
    rows = Total(store)
    assert rows() == 2
    store.append(make_readings([("m2", 1, {"a": 1.0})]), source="s", position="late")
    assert rows() == 3
    seal_minutes(store, make_readings, 10, 20)
    assert rows() == 3


def test_files_that_another_process_merged_are_new_ones(store: Store, make_readings: MakeReadings, kept: Kept) -> None:
    seal_minutes(store, make_readings, 0, 3)
    rows = Total(store)
    assert rows() == 2
    other = kept.open(store.folder)
    seal_minutes(other, make_readings, 3, 20)
    other.close()
    assert rows() == 2
    assert rows.asked == 2


def test_what_lay_in_a_merged_file_is_not_known_any_more_once_it_is_set_aside(
    store: Store, make_readings: MakeReadings, kept: Kept
) -> None:
    seal_minutes(store, make_readings, 0, 2)
    rows = Total(store)
    assert rows() == 2
    seal_minutes(store, make_readings, 2, 4)
    place = kept.place(store.folder)
    (path,) = place.paths()
    put_content(place, path, content_of(place, path)[:100])
    store.set_aside(store.find_damage())
    assert rows() == 0


def part(number: int, first: int, newest: int) -> Part:
    return Part(number, f"{number}.parquet", first, newest)


def test_a_file_made_of_merged_files_has_the_parts_of_all() -> None:
    leaves = [part(number, 10 * number, 10 * number + 9) for number in range(4)]
    half, whole = part(9, 0, 19), part(10, 0, 39)
    origins = Origins()
    origins.note([half], leaves[:2], [half, *leaves[2:]])
    origins.note([whole], [half, *leaves[2:]], [whole])
    assert origins.touching([whole], 0, 100) == tuple(leaves)
    assert origins.touching([whole], 12, 25) == tuple(leaves[1:3])


def test_a_file_that_was_split_vouches_for_none_of_its_halves() -> None:
    whole, day, next_day = part(0, 0, 19), part(1, 0, 9), part(2, 10, 19)
    origins = Origins()
    origins.note([day, next_day], [whole], [day, next_day])
    assert origins.touching([day, next_day], 0, 19) == (day, next_day)
    assert origins.touching([day], 0, 19) == (day,)


def test_a_file_of_too_many_parts_is_taken_for_a_new_one() -> None:
    leaves = [part(number, 0, 9) for number in range(3)]
    whole = part(9, 0, 9)
    origins = Origins(most=2)
    origins.note([whole], leaves, [whole])
    assert origins.touching([whole], 0, 9) == (whole,)
