"""An IMEI with too many IMSIs: each of these counts for `ttl` after it was seen, whatever comes when."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.identity import Identity
from engine.treatments.memory import USED_EVERY
from engine.treatments.who_options import IdentityOptions
from tests.unit.identity.support import DAY, HOUR, IMEI, KEY, MINUTE, T0, Feed, Wanted, row

CORRELATING = Wanted(IdentityOptions(correlate=True, mark=False, ttl=DAY, imsis=2))
USUAL = Wanted(IdentityOptions(correlate=True, mark=False, ttl=DAY))


def card(number: int) -> str:
    return f"4600012345678{number:02}"


def key(number: int) -> str:
    return str(Identity(KEY).of_imsi(card(number)))


def seen(feed: Feed, at: int, number: int) -> bool:
    """Take a record of an IMSI in the handset; say whether its IMEI is believed."""
    [event] = feed.read([row(at, imsi=card(number), imei=IMEI)])
    return "bad_imei" not in event.fields.get("quality", ())


def whose(feed: Feed, at: int) -> str | None:
    """Say whose a record with only the IMEI is."""
    found = feed.read([row(at, imei=IMEI)])
    return found[0].key if found else None


def kept(feed: Feed) -> tuple[Any, ...]:
    [(_, value)] = feed.memories.memory("imeis", 0, 0).items()
    return value


def test_a_handset_that_is_handed_on_is_no_copy() -> None:
    feed = Feed(USUAL)
    for number in range(8):
        for hour in range(0, 240, 2):
            assert seen(feed, number * 10 * DAY + hour * HOUR, number), (number, hour)
        assert whose(feed, number * 10 * DAY + 239 * HOUR) == key(number)
        assert len(kept(feed)) <= 4  # the one before is not a day ago at first


def test_an_imei_that_is_shared_all_the_time_stays_one() -> None:
    feed = Feed(USUAL)
    believed = [minute for minute in range(3 * 1440) if seen(feed, minute * MINUTE, minute % 8)]
    assert believed == [0, 1, 2, 3]
    assert len(kept(feed)) == 2 * 5  # no more than it takes
    assert whose(feed, 3 * DAY) is None


def test_a_shared_imei_that_one_keeps_is_believed_again() -> None:
    feed = Feed(CORRELATING)
    assert [seen(feed, number, number) for number in range(3)] == [True, True, False]
    assert not seen(feed, 20 * HOUR, 1)
    assert not seen(feed, DAY, 1), "all three within a day"
    assert seen(feed, DAY + HOUR, 1)
    assert whose(feed, DAY + 2 * HOUR) == key(1)


def test_uses_of_a_shared_imei_are_not_written_for_each_record() -> None:
    feed = Feed(CORRELATING)
    for number in range(3):
        seen(feed, number, number)
    feed.memories.pack()
    written = 0
    for minute in range(3 * 1440):
        seen(feed, minute * MINUTE, minute % 50)
        written += len(feed.memories.memory("imeis", 0, 0).changed)
        feed.memories.pack()
    assert written <= 3 * USED_EVERY * 3 + 3


def test_late_records_take_nothing_back() -> None:
    feed = Feed(CORRELATING)
    seen(feed, 2 * DAY, 1)
    seen(feed, 2 * DAY + HOUR, 2)
    assert seen(feed, 2 * DAY - HOUR, 2), "seen since"
    assert seen(feed, DAY - HOUR, 3), "more than a day before the last: it was handed on"
    assert seen(feed, 3, 4)
    assert kept(feed)[1::2] == (key(2), key(1))
    assert whose(feed, 2 * DAY + HOUR) == key(2)
    assert not seen(feed, 2 * DAY - HOUR, 5), "the third within a day, whenever that is learned"
    assert kept(feed)[1::2] == (key(2), key(1), key(5))
    assert not seen(feed, DAY + 2 * HOUR, 6)
    assert kept(feed)[1::2] == (key(2), key(1), key(5)), "the newest are kept"
    assert kept(feed)[::2] == tuple(sorted(kept(feed)[::2], reverse=True))


def test_a_time_far_ahead_neither_counts_nor_forgets() -> None:
    feed = Feed(CORRELATING)
    feed.clock = T0
    seen(feed, 0, 1)
    before = kept(feed)
    assert seen(feed, 4 * HOUR, 1)
    assert seen(feed, 20 * HOUR, 2)
    assert kept(feed) == before
    assert feed.edge.counts["ahead"] == 2


@given(st.lists(st.tuples(st.integers(0, 72), st.integers(0, 5)), max_size=60), st.integers(0, 60))
@settings(max_examples=200, deadline=None)
def test_it_is_what_was_seen_within_the_time_to_an_eighth(
    records: list[tuple[int, int]], crash_at: int
) -> None:
    """Against the definition, in any order; a process that ends in between changes nothing."""
    feed = Feed(CORRELATING)
    latest: dict[int, int] = {}
    for count, (hour, number) in enumerate(records):
        if count == crash_at:
            feed.start(feed.checkpoint())
        believed = seen(feed, hour * HOUR, number)
        latest[number] = max(hour, latest.get(number, 0))
        newest = max(latest.values())
        if hour < newest - 24:
            continue  # so late that it is not known what was then
        surely = sum(at >= newest - 21 for at in latest.values())
        perhaps = sum(at >= newest - 24 for at in latest.values())
        assert believed or perhaps > 2
        assert not believed or surely <= 2
        times = kept(feed)[::2]
        assert len(times) <= 3
        assert list(times) == sorted(times, reverse=True)


@pytest.mark.parametrize("others", [1, 2])
def test_what_a_shelf_holds_from_before_keys_had_times(others: int) -> None:
    """Then: used, when the first of the keys came, keys."""
    feed = with_shelf((T0 + HOUR, T0, *(key(number) for number in range(1 + others))))
    assert whose(feed, 2 * HOUR) == (key(0) if others == 1 else None)
    assert seen(feed, 2 * HOUR, 0) == (others == 1)
    assert seen(feed, 20 * HOUR, 0) == (others == 1)
    assert seen(feed, DAY + 1, 0), "the others go a day after the last of them came"
    assert kept(feed)[1::2] == (key(0),)
    feed.forget(key(0))
    assert feed.memories.counts["imeis.entries"] == 0


def test_forgetting_somebody_reaches_into_what_a_shelf_holds_from_before() -> None:
    feed = with_shelf((T0 + HOUR, T0, key(0), key(1)))
    feed.forget(key(0))
    assert whose(feed, 2 * HOUR) == key(1)
    assert key(0) not in str(kept(feed))


def with_shelf(value: tuple[Any, ...]) -> Feed:
    """A collector that begins with a shelf on which this is remembered of the IMEI."""
    feed = Feed(CORRELATING)
    seen(feed, 0, 0)
    [(hashed, _)] = feed.memories.memory("imeis", 0, 0).items()
    feed.shelf.save(1, {"imeis": {hashed: value}})
    feed.start({"memories": {"mark": 1}, "course": None})
    return feed
