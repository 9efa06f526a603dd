"""Use of data by 5 minutes: shown, never decided on, but right within a level."""

from __future__ import annotations

import random
from collections import Counter

from engine.history import SLOT, WINDOW, History, level_of, size_of

START = 1_788_710_400_000_000


def sums_of(history: History) -> dict[int, int]:
    """Slot -> bytes."""
    found: dict[int, int] = {}
    slot = history.sums_slot - sum(history.sums[2::2])
    for number, at in enumerate(range(0, len(history.sums), 2)):
        slot += history.sums[at] if number else 0
        if history.sums[at + 1]:
            assert slot not in found
            found[slot] = size_of(history.sums[at + 1])
    return found


def test_a_level_is_right_within_an_eighth() -> None:
    assert [level_of(size) for size in (0, 1, 1024)] == [0, 1, 1]
    assert size_of(0) == 0
    for size in (1025, 5_000, 999_999, 123_456_789, 1 << 40):
        assert abs(size_of(level_of(size)) - size) <= size / 15
    assert level_of(1 << 60) == 255


def test_sessions_late_and_in_order_come_into_their_slots() -> None:
    rng = random.Random(4)
    history, wanted = History(), Counter[int]()
    time = START
    for _ in range(2_000):
        time += rng.choice((0, 60, 900, 100_000)) * 1_000_000
        ended = time - rng.choice((0, 0, 700, 3_600)) * 1_000_000
        history.add_use(ended, 1 << 20)
        wanted[ended // SLOT] += 1 << 20
    found = sums_of(history)
    assert found.keys() == wanted.keys()
    assert all(abs(found[slot] - wanted[slot]) < wanted[slot] / 4 for slot in wanted)


def test_what_is_older_than_48_hours_goes() -> None:
    history = History()
    for hour in range(100):
        history.add_use(START + hour * 12 * SLOT, 5_000)
    history.begin_far(START + 99 * 12 * SLOT, 1, {})
    assert min(sums_of(history)) == (START + 99 * 12 * SLOT - WINDOW) // SLOT
    assert len(sums_of(history)) == 49
