"""The contract of `engine.ports.Offers`: what lanes publish, by the names of outbox entries."""

from __future__ import annotations

from engine.ports import FORGOTTEN, LAST_WORD, LINE, OFFER, PROFILE, REFUSALS, RELEASE, Offers

NONE: frozenset[str] = frozenset()


async def names(offers: Offers, partition: int, since: int) -> set[str]:
    return {name async for batch in offers.names(partition, since) for name in batch}


async def lines(offers: Offers, partition: int) -> list[tuple[int, bytes]]:
    return [line async for batch in offers.lines(partition) for line in batch]


async def profiles(offers: Offers, partition: int) -> dict[str, bytes]:
    found = {key: payload async for batch in offers.profiles(partition) for _, key, payload in batch}
    return {key: payload for key, payload in found.items() if payload}


async def test_a_new_topic_has_nothing(offers: Offers) -> None:
    for partition in range(3):
        assert await offers.end(partition) == 0
        assert await names(offers, partition, 0) == NONE
        assert await lines(offers, partition) == []
        assert await profiles(offers, partition) == {}


async def test_offers_are_named_from_a_position_on(offers: Offers) -> None:
    first = await offers.publish(0, [(OFFER + "a@1", b"1"), (OFFER + "b@2", b"2")], offset=5, known=NONE)
    assert first is not None
    assert first == await offers.end(0)
    after = await offers.publish(0, [(OFFER + "c@3", b"3")], offset=9, known=NONE)
    assert after is not None
    assert after == await offers.end(0) > first
    assert await names(offers, 0, 0) == {OFFER + "a@1", OFFER + "b@2", OFFER + "c@3"}
    assert await names(offers, 0, first) == {OFFER + "c@3"}
    assert await names(offers, 0, after) == NONE


async def test_everything_but_profiles_becomes_a_line_with_the_offset_of_its_commit(offers: Offers) -> None:
    entries = [
        (PROFILE + "k", b"{}"),
        (LINE + "h@1", b"h"),
        (OFFER + "a@1", b"a"),
        (REFUSALS + "r@1", b"[r]"),
        (RELEASE + "a", b"x"),
        (FORGOTTEN + "k", b"f"),
        (LAST_WORD + "k", b"opted out"),
    ]
    await offers.publish(0, entries, offset=5, known=NONE)
    await offers.publish(0, [(LINE + "i@2", b"i")], offset=7, known=NONE)
    assert await lines(offers, 0) == [(5, b"h"), (5, b"a"), (5, b"[r]"), (5, b"x"), (5, b"f"), (7, b"i")]
    assert await names(offers, 0, 0) == {OFFER + "a@1"}
    assert await profiles(offers, 0) == {"k": b"{}", LAST_WORD + "k": b"opted out"}


async def test_a_known_offer_is_no_offer_again_but_its_line_is_repeated(offers: Offers) -> None:
    end = await offers.publish(2, [(OFFER + "a@1", b"1")], offset=1, known=NONE)
    assert end is not None
    again = [(OFFER + "a@1", b"1"), (OFFER + "b@1", b"2")]
    await offers.publish(2, again, offset=1, known=frozenset({OFFER + "a@1"}))
    assert await names(offers, 2, end) == {OFFER + "b@1"}
    assert [payload for _, payload in await lines(offers, 2)] == [b"1", b"1", b"2"]


async def test_of_a_profile_the_last_stands_and_an_empty_one_is_forgotten(offers: Offers) -> None:
    await offers.publish(1, [(PROFILE + "k", b"old"), (PROFILE + "m", b"m")], offset=1, known=NONE)
    await offers.publish(1, [(PROFILE + "k", b"new"), (PROFILE + "m", b"")], offset=2, known=NONE)
    assert await profiles(offers, 1) == {"k": b"new"}


async def test_partitions_are_apart(offers: Offers) -> None:
    await offers.publish(1, [(OFFER + "a@1", b"1"), (PROFILE + "k", b"p")], offset=1, known=NONE)
    assert await offers.end(0) == 0
    assert await names(offers, 0, 0) == NONE
    assert await lines(offers, 0) == []
    assert await profiles(offers, 0) == {}
    assert await names(offers, 1, 0) == {OFFER + "a@1"}


async def test_publishing_nothing_changes_nothing(offers: Offers) -> None:
    end = await offers.publish(0, [(OFFER + "a@1", b"1")], offset=1, known=NONE)
    assert await offers.publish(0, [], offset=2, known=NONE) is None
    assert await offers.publish(0, [(LINE + "h@1", b"h")], offset=2, known=NONE) is None
    assert await offers.end(0) == end
