"""What was worked out once is not worked out again while its readings stay as they are."""

from collections.abc import Sequence

import numpy as np

from ingest.memory import Memory


class Work:
    """Doubles numbers, and notes for which ones it was asked."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self.numbers = numbers
        self.asked: list[int] = []

    def __call__(self, places: Sequence[int]) -> list[int]:
        self.asked += [self.numbers[place] for place in places]
        return [2 * self.numbers[place] for place in places]


def asked(memory: Memory, edition: object, numbers: Sequence[int]) -> list[int]:
    work = Work(numbers)
    assert memory.recall(edition, numbers, work) == [2 * number for number in numbers]
    return work.asked


def test_only_what_is_not_known_is_worked_out() -> None:
    memory = Memory()

    assert asked(memory, "e", [3, 1]) == [3, 1]
    assert asked(memory, "e", [1, 2, 3]) == [2]
    assert asked(memory, "e", [2, 1]) == []


def test_another_edition_makes_everything_anew() -> None:
    memory = Memory()
    asked(memory, "old", [1, 2])

    assert asked(memory, "new", [1]) == [1]
    assert asked(memory, "new", [1, 2]) == [2]
    assert asked(memory, "old", [1]) == [1]


def test_the_longest_unused_is_forgotten_first() -> None:
    memory = Memory(most=1_500)
    asked(memory, "e", [1])
    asked(memory, "e", [2])
    asked(memory, "e", [1])
    asked(memory, "e", [3])

    assert asked(memory, "e", [1]) == []
    assert asked(memory, "e", [2]) == [2]


def test_more_than_can_be_kept_is_still_returned() -> None:
    assert asked(Memory(most=1_500), "e", [1, 2, 3, 4]) == [1, 2, 3, 4]


def test_what_is_kept_is_bounded_by_its_bytes() -> None:
    memory, made = Memory(most=1_000_000), []

    def work(places: Sequence[int]) -> list[object]:
        made.extend(places)
        return [{"marks": (np.zeros(10_000), "of one week")} for _ in places]

    memory.recall("e", range(20), work)
    memory.recall("e", range(19, -1, -1), work)

    assert made[:20] == list(range(20))
    assert 7 <= len(made) - 20 <= 9


def test_what_is_made_anew_takes_the_room_of_what_was_there() -> None:
    memory = Memory(most=1_500)
    for edition in "abcdef":
        asked(memory, edition, [1, 2])

    assert asked(memory, "f", [1, 2]) == []
