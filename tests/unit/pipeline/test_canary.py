"""A canary: who moves, who stays, and what keeps them there (ADR 18)."""

from __future__ import annotations

import pytest

from engine.canary import Canary
from engine.codec import decode, encode
from engine.event import Event
from engine.lane_state import let_go
from engine.language.model import RuleSet
from engine.language.words import Unreadable
from engine.rulebook import Rulebook
from engine.snapshot import Subscriber
from tests.unit.pipeline.stage import CAFE, GIVEN, KEY, OTHER, STREET, Stage, fates, rule, rules_of, when

OLD = rule("old", {"happens": "sms.out"})
NEW = rule("new", {"happens": "sms.out"})


def stage() -> tuple[Stage, RuleSet]:
    """A stage under the old rule, with two subscribers; and the set of the new one."""
    new = rules_of(NEW)
    on = Stage(OLD, sets=(new,))
    on.record("profile.update", 0, key=OTHER, **GIVEN)
    return on, new


def switch(on: Stage, rules: RuleSet, at: float, canary: object = None, position: str = "0:9") -> None:
    on.sets[rules.hash] = rules
    fields = {"kind": "rules.switch", "hash": rules.hash, **({} if canary is None else {"canary": canary})}
    on.apply(Event("rules.switch", when(at), "", fields, position=position))


def by_set(on: Stage, at: float) -> dict[str, str]:
    """Which rule fires for whom."""
    return {key: fates(on.record("sms.out", at, key=key))[0].split()[0] for key in (KEY, OTHER)}


def test_whoever_was_last_seen_in_the_place_moves_and_stays_there_wherever_they_go() -> None:
    on, new = stage()
    on.see(CAFE, 0)
    on.see(STREET, 0, key=OTHER)
    switch(on, new, 1, "cafe")
    on.see(STREET, 2)
    on.see(CAFE, 2, key=OTHER)
    on.restart()
    assert by_set(on, 3) == {KEY: "new", OTHER: "old"}


def test_a_group_is_any_of_its_members_and_a_lapsed_sighting_is_still_the_last() -> None:
    on, new = stage()
    on.see(CAFE, 0)
    on.tick(600)
    switch(on, new, 600, "out")
    assert by_set(on, 601) == {KEY: "new", OTHER: "old"}


def test_a_share_is_sticky_by_a_hash_of_its_own() -> None:
    on, new = stage()
    shares = {"0%": [], "100%": [KEY, OTHER]}
    for number, (share, moved) in enumerate(shares.items()):
        switch(on, new, number, share, f"0:{number}")
        assert [key for key, name in by_set(on, number).items() if name == "new"] == moved
    half = Canary(Rulebook(new, b"key"), "50%", "0:1")
    taken = [half.takes(Subscriber(f"{number:032x}"), b"salt") for number in range(2_000)]
    assert 900 < sum(taken) < 1_100
    assert taken == [half.takes(Subscriber(f"{number:032x}"), b"salt") for number in range(2_000)]


def test_the_next_canary_asks_everybody_again_and_the_next_switch_takes_all() -> None:
    on, new = stage()
    on.see(CAFE, 0)
    on.see(STREET, 0, key=OTHER)
    switch(on, new, 1, "cafe", "0:1")
    on.see(STREET, 2)
    on.see(CAFE, 2, key=OTHER)
    switch(on, new, 3, "cafe", "0:3")
    assert by_set(on, 4) == {KEY: "old", OTHER: "new"}
    switch(on, new, 5, position="0:5")
    assert by_set(on, 6) == {KEY: "new", OTHER: "new"}


def test_a_switch_back_to_the_old_set_ends_the_canary() -> None:
    on, new = stage()
    switch(on, new, 1, "100%")
    assert by_set(on, 2) == {KEY: "new", OTHER: "new"}
    switch(on, on.rules, 3)
    assert by_set(on, 4) == {KEY: "old", OTHER: "old"}
    assert on.sub.rules == on.rules.hash


@pytest.mark.parametrize("spec", ["", "5", "101%", "-1%", "nowhere", "5 %%"])
def test_a_canary_that_is_neither_a_share_nor_a_place_changes_nothing(spec: str) -> None:
    on, new = stage()
    switch(on, new, 1, spec)
    assert on.fold.outcomes["unknown canary"] == 1
    assert by_set(on, 2) == {KEY: "old", OTHER: "old"}
    with pytest.raises(Unreadable):
        Canary(Rulebook(new, b"key"), spec, "0:1")


def test_a_place_of_the_new_set_alone_will_do() -> None:
    on, _ = stage()
    on.see(STREET, 0)
    new = rules_of(NEW, places={"street": {"name": "Street", "cells": [STREET]}})
    switch(on, new, 1, "street")
    assert by_set(on, 2) == {KEY: "new", OTHER: "old"}


@pytest.mark.parametrize("mark", ["", "@0:1", "@31:123456789012", "@" + "年" * 60])
def test_where_a_subscriber_stands_is_kept(mark: str) -> None:
    sub = Subscriber("a1" * 16, "ab" * 16 + mark)
    assert decode(sub.key, encode(sub)).rules == sub.rules


def test_who_was_moved_by_a_place_is_not_let_go() -> None:
    on, new = stage()
    stranger, other = "5" * 32, "6" * 32
    on.see(CAFE, 0, key=stranger)
    on.see(STREET, 0, key=other)
    switch(on, new, 1, "cafe")
    on.tick(8 * 24 * 60)
    let_go(on.fold, [stranger, other])
    assert stranger in on.fold.subscribers
    assert other not in on.fold.subscribers
