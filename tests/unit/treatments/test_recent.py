"""Memory of subscribers, bounded, in memory and in the checkpoint."""

from __future__ import annotations

import random
from collections import OrderedDict

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.treatments.recent import Recent


def numbers(at_most: int = 3, packed: int = 10) -> Recent[int]:
    return Recent(at_most, pack_value=str, restore_value=int, packed=packed)


def test_those_longest_untouched_go_first() -> None:
    recent = numbers()
    for number, key in enumerate("abc"):
        recent.put(key, number)
    assert recent.get("a") == 0  # which touches it
    recent.put("d", 3)
    assert list(recent) == ["c", "a", "d"]
    assert recent.get("b") is None
    assert recent.forgotten == 1
    recent.put("c", 7)
    assert list(recent) == ["a", "d", "c"]
    assert len(recent) == 3


def test_what_is_over_is_forgotten_from_the_front() -> None:
    recent = numbers()
    for key, number in (("a", 1), ("b", 5), ("c", 2)):
        recent.put(key, number)
    recent.forget_while(lambda number: number < 3)
    assert list(recent) == ["b", "c"]
    recent.drop("b")
    recent.drop("nobody")
    recent.forget_while(lambda number: number < 3)
    assert len(recent) == 0
    assert recent.forgotten == 0


@pytest.mark.parametrize("at_once", [1, 3, 500])
def test_those_ahead_are_known_whatever_was_touched(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr("engine.treatments.by_age.AT_ONCE", at_once)
    dice = random.Random(5)
    recent, model = numbers(40, 100), OrderedDict[str, int]()
    for number in range(10_000):
        key, what = str(dice.randrange(60)), dice.random()
        if what < 0.4:
            assert recent.get(key) == model.get(key)
            if key in model:
                model.move_to_end(key)
        elif what < 0.9:
            recent.put(key, number)
            model[key] = number
            model.move_to_end(key)
            if len(model) > 40:
                model.popitem(last=False)
        elif what < 0.95:
            recent.drop(key)
            model.pop(key, None)
        else:
            over = number - dice.randrange(100)
            recent.forget_while(over.__gt__)
            while model and next(iter(model.values())) < over:
                model.popitem(last=False)
        assert list(recent) == list(model)
        if number % 1_000 == 0:
            recent.restore(recent.pack())


def test_the_checkpoint_holds_those_touched_last() -> None:
    recent = numbers(at_most=10, packed=2)
    for number, key in enumerate("abcd"):
        recent.put(key, number)
    assert recent.pack() == [["c", "2"], ["d", "3"]]
    other = numbers()
    other.put("z", 9)
    other.restore(recent.pack())
    assert list(other) == ["c", "d"]
    other.restore(None)
    assert len(other) == 0


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans()), max_size=40), st.integers(0, 40))
def test_a_restart_changes_nothing_where_all_are_packed(calls: list[tuple[str, bool]], at: int) -> None:
    one, other = numbers(4), numbers(4)
    for number, (key, puts) in enumerate(calls):
        if number == at:
            packed = orjson.loads(orjson.dumps(one.pack()))
            other = numbers(4)
            other.restore(packed)
        for each in (one, other):
            if puts:
                each.put(key, number)
            else:
                each.get(key)
    if at < len(calls):
        assert one.pack() == other.pack()
