"""What a broker may send again is known, after a restart, too."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.sources.mqtt_window import SLOTS, Window, checksum

MOST = 40


def test_a_message_is_told_from_another_with_the_same_number() -> None:
    window, _ = Window.of({}, MOST).after([7], [checksum(b"a", b"1")])

    assert window.knows(7, checksum(b"a", b"1"))
    assert not window.knows(7, checksum(b"a", b"2"))
    assert not window.knows(7, checksum(b"b", b"1"))
    assert not window.knows(8, checksum(b"a", b"1"))


@given(st.lists(st.integers(0, 130), max_size=30))
def test_as_many_as_may_be_unacknowledged_are_known_after_a_restart(sizes: list[int]) -> None:
    window, notes, sent = Window.of({}, MOST), {"subscriptions": "[]"}, 0
    for size in sizes:
        numbers = range(sent, sent + size)
        window, changed = window.after([each % 65_536 for each in numbers], [each * 7 for each in numbers])
        notes |= changed
        sent += size

    again = Window.of(notes, MOST)

    assert again == window
    assert all(again.knows(each % 65_536, each * 7) for each in range(max(0, sent - MOST), sent))
    assert len(notes) <= SLOTS + 1
    assert sum(len(held) // 6 for _, held in again.slots) <= 2 * MOST


def test_a_number_that_is_used_anew_means_the_newer_message() -> None:
    window, _ = Window.of({}, MOST).after([1], [10])
    window, _ = window.after([1], [20])

    assert (window.knows(1, 10), window.knows(1, 20)) == (False, True)


def test_what_is_cleared_is_not_known_after_a_restart() -> None:
    window, notes = Window.of({}, MOST).after(range(100), range(100))

    window, changed = window.cleared()

    kept = {name: note for name, note in (notes | changed).items() if note}
    assert not window.knows(99, 99)
    assert not Window.of(kept, MOST).knows(99, 99)
