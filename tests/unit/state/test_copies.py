"""Packed ids: what is a copy, and what is forgotten (semantics 1.6)."""

from __future__ import annotations

from engine.copies import MOST, SIZE, forget, is_copy, name_of, note, times

NOW = 1_788_710_400_000_000
HOUR = 3_600_000_000


def ids_of(*entries: tuple[str, int]) -> bytearray:
    ids = bytearray()
    for id, time in entries:
        note(ids, name_of(id), time)
    return ids


def test_an_id_is_known_for_the_limit_and_no_longer() -> None:
    ids = ids_of(("x", NOW - HOUR))
    assert is_copy(ids, name_of("x"), NOW, HOUR)
    assert not is_copy(ids, name_of("x"), NOW + 1, HOUR)
    assert not is_copy(ids, name_of("y"), NOW, HOUR)


def test_an_id_that_was_applied_again_is_known_from_then_on() -> None:
    ids = ids_of(("x", NOW - 2 * HOUR), ("y", NOW - HOUR), ("x", NOW - HOUR))
    assert is_copy(ids, name_of("x"), NOW, HOUR)


def test_an_id_is_known_though_it_is_told_late() -> None:
    ids = ids_of(("x", NOW), ("y", NOW - HOUR))
    assert is_copy(ids, name_of("y"), NOW, HOUR)


def test_hex_digits_are_an_id_as_they_are_written() -> None:
    low, high = "0123456789abcdef", "0123456789ABCDEF"
    spaced, short, other = "01 23 45 67 89ab", "0123456789abcd", "zzzzzzzzzzzzzzzz"
    assert name_of(low) == bytes.fromhex(low)
    names = {name_of(id) for id in (low, high, spaced, short, other)}
    assert len(names) == 5
    assert {len(name) for name in names} == {8}


def test_bytes_across_two_entries_are_no_id() -> None:
    # at byte 3 stand 8 bytes that are no id, and behind them 6 that read as a time of now
    high = (NOW & (1 << 48) - 1) >> 24
    ids = ids_of(("0123456789abcdef", NOW), (high.to_bytes(3, "little").hex() + "9876543210", NOW))
    clock = NOW + 20_000_000
    assert ids.find(ids[3:11]) == 3
    assert 0 <= (clock - int.from_bytes(ids[11:17], "little")) % (1 << 48) < HOUR
    assert not is_copy(ids, bytes(ids[3:11]), clock, HOUR)


def test_what_is_older_than_the_limit_is_forgotten_and_nothing_else() -> None:
    ids = ids_of(("a", NOW - HOUR - 1), ("b", NOW - HOUR), ("c", NOW))
    forget(ids, NOW, HOUR)
    assert times(ids, NOW) == [NOW - HOUR, NOW]
    assert is_copy(ids, name_of("b"), NOW, HOUR)


def test_what_stands_behind_one_that_is_known_stays() -> None:
    ids = ids_of(("a", NOW - HOUR), ("b", NOW - HOUR - 1), ("c", NOW))
    forget(ids, NOW, HOUR)
    assert len(ids) == 3 * SIZE


def test_of_too_many_the_oldest_are_forgotten() -> None:
    ids = ids_of(*((f"n{n}", NOW) for n in range(MOST + 2)))
    forget(ids, NOW, HOUR)
    assert len(ids) == MOST * SIZE
    assert [is_copy(ids, name_of(f"n{n}"), NOW, HOUR) for n in (1, 2, MOST + 1)] == [False, True, True]
