"""Use of data by 5 minutes: shown, never decided on, but right within a level."""

from __future__ import annotations

import random
from collections import Counter

from engine.data_use import SLOT, DataUse, level_of, size_of

START = 1_788_710_400_000_000


def test_a_level_is_right_within_an_eighth() -> None:
    assert [level_of(size) for size in (0, 1, 1024)] == [0, 1, 1]
    assert size_of(0) == 0
    for size in (1025, 5_000, 999_999, 123_456_789, 1 << 40):
        assert abs(size_of(level_of(size)) - size) <= size / 15
    assert level_of(1 << 60) == 255


def test_sessions_late_and_in_order_come_into_their_slots() -> None:
    rng = random.Random(4)
    use, wanted = DataUse(), Counter[int]()
    time = START
    for _ in range(2_000):
        time += rng.choice((0, 60, 900, 100_000)) * 1_000_000
        ended = time - rng.choice((0, 0, 700, 3_600)) * 1_000_000
        use.add(ended, 1 << 20)
        wanted[ended // SLOT * SLOT] += 1 << 20
    found = use.sums()
    assert found.keys() == wanted.keys()
    assert all(abs(found[slot] - wanted[slot]) < wanted[slot] / 4 for slot in wanted)


def test_what_is_older_than_48_hours_goes() -> None:
    use = DataUse()
    for hour in range(100):
        use.add(START + hour * 12 * SLOT, 5_000)
    use.forget(START + 51 * 12 * SLOT)
    assert min(use.sums()) == START + 51 * 12 * SLOT
    assert len(use.sums()) == 49
