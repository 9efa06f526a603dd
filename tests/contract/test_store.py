"""The contract of `engine.ports.Store`: one fenced step for state, wake-ups, outbox and offset."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import FencedError, StoreError
from engine.ports import Commit, Control, Ground, Store


def commit(token: str, next_token: str, offset: int = 1, **parts: Any) -> Commit:
    return Commit(
        token=token, next_token=next_token, offset=offset, lane=b"lane of " + next_token.encode(), **parts
    )


async def everything(
    store: Store, partition: int = 0
) -> tuple[Control, list[bytes | None], list[str], list[str]]:
    """All that a commit could change."""
    keys = sorted(await store.keys(partition))
    return (
        await store.open(partition),
        await store.read(partition, keys),
        keys,
        sorted(await store.due(partition, 1 << 60)),
    )


async def test_a_new_partition_starts_at_offset_zero_with_nothing(store: Store) -> None:
    assert await store.open(0) == Control(token="", offset=0, lane=b"", outbox={})
    assert await store.keys(0) == []
    assert await store.due(0, 1 << 60) == []
    assert await store.read(0, ["a", "b"]) == [None, None]


async def test_a_commit_writes_everything_in_one_step(store: Store) -> None:
    await store.commit(
        0, commit("", "t1", 7, states={"a": b"A", "b": b"B"}, wakes={"a": 50, "b": 90}, out={"d@1": b"D"})
    )
    assert await store.open(0) == Control(token="t1", offset=7, lane=b"lane of t1", outbox={"d@1": b"D"})
    assert await store.read(0, ["b", "c", "a"]) == [b"B", None, b"A"]
    assert sorted(await store.keys(0)) == ["a", "b"]
    assert await store.due(0, 51) == ["a"]


async def test_a_later_commit_changes_only_what_it_names(store: Store) -> None:
    await store.commit(
        0, commit("", "t1", 1, states={"a": b"A", "b": b"B"}, wakes={"a": 50}, out={"d@1": b"D"})
    )
    await store.commit(0, commit("t1", "t2", 2, states={"b": b"B2"}, wakes={"b": 60}, out={"e@2": b"E"}))
    assert await store.read(0, ["a", "b"]) == [b"A", b"B2"]
    assert sorted(await store.due(0, 61)) == ["a", "b"]
    assert (await store.open(0)).outbox == {"d@1": b"D", "e@2": b"E"}


async def test_a_stale_token_is_refused_and_changes_nothing(store: Store) -> None:
    await store.commit(0, commit("", "t1", 1, states={"a": b"A"}, wakes={"a": 50}, out={"d@1": b"D"}))
    before = await everything(store)
    for stale in ("", "t0", "t2"):
        late = commit(
            stale, "t9", 9, states={"a": b"X", "z": b"Z"}, wakes={"a": 99, "z": 1}, out={"x@9": b"X"}
        )
        late.published = ["d@1"]
        with pytest.raises(FencedError):
            await store.commit(0, late)
        assert await everything(store) == before


async def test_of_two_owners_the_first_commits_and_the_second_must_open_again(store: Store) -> None:
    first, second = await store.open(0), await store.open(0)
    await store.commit(0, commit(first.token, "mine", 5))
    with pytest.raises(StoreError):
        await store.commit(0, commit(second.token, "yours", 3))
    again = await store.open(0)
    await store.commit(0, commit(again.token, "yours", 6))
    assert (await store.open(0)).offset == 6


async def test_a_token_serves_once(store: Store) -> None:
    await store.commit(0, commit("", "t1"))
    await store.commit(0, commit("t1", "t2"))
    with pytest.raises(FencedError):
        await store.commit(0, commit("t1", "t3"))


async def test_partitions_are_apart(store: Store) -> None:
    await store.commit(0, commit("", "t1", 3, states={"a": b"A"}, wakes={"a": 5}, out={"d@1": b"D"}))
    assert await everything(store, 1) == (Control("", 0, b"", {}), [], [], [])
    await store.commit(1, commit("", "u1", 4, states={"a": b"other"}))
    assert await store.read(0, ["a"]) == [b"A"]


async def test_due_names_those_who_wake_before_a_time_and_not_at_it(store: Store) -> None:
    await store.commit(0, commit("", "t1", wakes={"a": 10, "b": 20, "c": 30}))
    assert await store.due(0, 10) == []
    assert await store.due(0, 11) == ["a"]
    assert sorted(await store.due(0, 30)) == ["a", "b"]


async def test_a_wake_up_moves(store: Store) -> None:
    await store.commit(0, commit("", "t1", wakes={"a": 10, "b": 10}))
    await store.commit(0, commit("t1", "t2", wakes={"a": 50, "b": 99}))
    assert await store.due(0, 50) == []
    assert await store.due(0, 99) == ["a"]
    assert sorted(await store.due(0, 100)) == ["a", "b"]


async def test_a_state_that_ends_goes_with_its_wake_up(store: Store) -> None:
    await store.commit(0, commit("", "t1", states={"a": b"A", "b": b"B"}, wakes={"a": 10, "b": 10}))
    await store.commit(0, commit("t1", "t2", gone=["a", "never"]))
    assert await store.read(0, ["a", "b"]) == [None, b"B"]
    assert await store.keys(0) == await store.due(0, 99) == ["b"]


async def test_a_state_that_ends_and_begins_anew_in_one_commit_is_the_new_one(store: Store) -> None:
    await store.commit(0, commit("", "t1", states={"a": b"A"}, wakes={"a": 10}))
    await store.commit(0, commit("t1", "t2", gone=["a"], states={"a": b"new"}, wakes={"a": 20}))
    assert await store.read(0, ["a"]) == [b"new"]
    assert await store.due(0, 11) == []
    assert await store.due(0, 21) == ["a"]


async def test_what_is_pruned_and_put_in_by_one_commit_stays(store: Store) -> None:
    await store.commit(0, commit("", "t1", out={"p:a": b"old"}))
    await store.commit(0, commit("t1", "t2", published=["p:a"], out={"p:a": b"new"}))
    assert (await store.open(0)).outbox == {"p:a": b"new"}


async def test_positions_of_offers_are_kept(store: Store) -> None:
    await store.commit(0, commit("", "t1", offers_at=7, floor=3))
    found = await store.open(0)
    assert (found.offers_at, found.floor) == (7, 3)


async def test_who_only_looks_sees_token_floor_and_offset_of_each_commit(store: Store) -> None:
    assert await store.ground(0) == Ground("", 0)
    for token, next_token, offset, floor in (("", "t1", 3, 0), ("t1", "t2", 5, 7)):
        await store.commit(0, commit(token, next_token, offset, out={"a@1": b"A", "b@1": b"B"}, floor=floor))
        assert await store.ground(0) == Ground(next_token, floor, offset)
    assert await store.ground(1) == Ground("", 0)


async def test_clearing_takes_all_states_of_one_partition_from_its_owner_only(store: Store) -> None:
    await store.commit(0, commit("", "t1", 4, states={"a": b"A", "b": b"B"}, wakes={"a": 1, "b": 2}))
    await store.commit(1, commit("", "u1", states={"a": b"other"}, wakes={"a": 1}))
    with pytest.raises(FencedError):
        await store.clear(0, "t0")
    assert sorted(await store.keys(0)) == ["a", "b"]
    await store.clear(0, "t1")
    assert await store.keys(0) == []
    assert await store.read(0, ["a", "b"]) == [None, None]
    assert await store.read(1, ["a"]) == [b"other"]
    assert (await store.open(0)).offset == 4


async def test_the_outbox_keeps_a_decision_until_a_commit_says_it_is_published(store: Store) -> None:
    await store.commit(0, commit("", "t1", out={"a@1": b"A", "b@1": b"B"}))
    await store.commit(0, commit("t1", "t2", published=["a@1"], out={"c@2": b"C"}))
    assert (await store.open(0)).outbox == {"b@1": b"B", "c@2": b"C"}
    await store.commit(0, commit("t2", "t3", published=["b@1", "c@2", "never@0"]))
    assert (await store.open(0)).outbox == {}


async def test_what_was_handed_out_does_not_change_under_the_reader(store: Store) -> None:
    await store.commit(0, commit("", "t1", out={"a@1": b"A"}))
    held = await store.open(0)
    await store.commit(0, commit("t1", "t2", published=["a@1"]))
    assert held.outbox == {"a@1": b"A"}
    assert held.token == "t1"
