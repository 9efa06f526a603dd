"""The contract of `engine.ports.Offers`."""

from __future__ import annotations

from engine.ports import Offers


async def test_decisions_are_read_in_the_order_they_were_published(offers: Offers) -> None:
    await offers.publish(0, [("a@1", b"1"), ("b@2", b"2")])
    await offers.publish(0, [("c@3", b"3")])
    assert await offers.read(0, 0, 10) == [b"1", b"2", b"3"]
    assert await offers.read(0, 1, 1) == [b"2"]
    assert await offers.read(0, 3, 10) == []


async def test_partitions_are_apart(offers: Offers) -> None:
    await offers.publish(1, [("a@1", b"1")])
    assert await offers.read(0, 0, 10) == []
    assert await offers.names(0) == frozenset()
    assert await offers.names(1) == {"a@1"}


async def test_repeats_are_kept_for_consumers_to_drop_and_named_once(offers: Offers) -> None:
    await offers.publish(2, [("a@1", b"1")])
    await offers.publish(2, [("a@1", b"1"), ("a@2", b"2")])
    assert await offers.read(2, 0, 10) == [b"1", b"1", b"2"]
    assert await offers.names(2) == {"a@1", "a@2"}


async def test_publishing_nothing_changes_nothing(offers: Offers) -> None:
    await offers.publish(0, [])
    assert await offers.read(0, 0, 10) == []
