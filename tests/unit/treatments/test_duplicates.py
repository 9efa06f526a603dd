"""One procedure seen by two probes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.treatments.duplicates import OF_ONE, Duplicates
from engine.treatments.where_options import DuplicatesOptions
from tests.unit.treatments.support import SECOND, A, B, at, event, shown, take


def step(**options: object) -> Duplicates:
    return Duplicates(DuplicatesOptions.model_validate(options))


def test_a_copy_by_another_way_is_dropped() -> None:
    copies = step()
    out = take(
        copies,
        event(10, A, "call.out", id="a", number="10086", duration=30.1, start=-20, source="probe 1"),
        event(11.9, A, "call.out", id="b", number="10086", duration=31.6, start=-21, source="probe 2"),
        event(8, A, "call.out", id="c", number="10086"),
    )
    assert [each.id for each in out] == ["a"]
    assert copies.counts == {"dropped": 2}


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "call.in"}, {"cell": B}, {"key": "other"}, {"number": "10010"}, {"phase": "start"},
        {"result": "busy"}, {"seconds": 12.1}, {"seconds": 7.9},
    ],
)  # fmt: skip
def test_what_differs_is_no_copy(other: dict[str, object]) -> None:
    given = {"seconds": 10, "cell": A, "kind": "call.out", "number": "10086"}
    out = take(step(), event(**given, id="a"), event(**{**given, **other}, id="b"))  # type: ignore[arg-type]
    assert [each.id for each in out] == ["a", "b"]


def test_a_copy_with_the_same_id_is_left_to_the_engine() -> None:
    copies = step()
    assert len(take(copies, event(0, id="a"), event(0, id="a"), event(1), event(1))) == 2
    assert copies.counts == {"dropped": 2}


def test_copies_count_from_the_first() -> None:
    assert shown(take(step(), *(event(1.5 * number, id=str(number)) for number in range(4)))) == [
        (0, A, []),
        (3, A, []),
    ]


def test_one_that_is_far_too_late_is_not_what_copies_are_held_against() -> None:
    out = take(step(), event(10, id="a"), event(5, id="b"), event(11, id="c"), event(13, id="d"))
    assert [each.id for each in out] == ["a", "b", "d"]


def test_money_is_never_taken_for_a_copy_and_kinds_can_be_chosen() -> None:
    assert (
        len(take(step(), event(0, None, "recharge", amount=10), event(1, None, "recharge", amount=10))) == 2
    )
    copies = step(kinds=["loc.sight", "recharge"])
    twice = [event(number, A, kind) for kind in ("loc.sight", "loc.update", "recharge") for number in (0, 1)]
    assert [each.kind for each in take(copies, *twice)] == [
        "loc.sight",
        *["loc.update"] * 2,
        *["recharge"] * 2,
    ]


def test_what_the_watermark_has_passed_is_forgotten() -> None:
    copies = step()
    take(copies, event(0, id="a"), event(0, B, id="b", key="other"))
    copies.pass_time(at(2))
    assert take(copies, event(1, id="c")) == []
    copies.pass_time(at(2) + 1)
    assert len(take(copies, event(1, id="d"))) == 1
    assert len(copies.pack()["recent"]) == 1


@given(st.lists(st.integers(0, 20_000), max_size=40))
def test_no_more_than_eight_of_a_subscriber_are_remembered(times: list[int]) -> None:
    copies = step()
    for number, time in enumerate(times):
        take(copies, event(time / 1_000, f"460-00-1-{number + 1}"))
        copies.pass_time(at(max(times[: number + 1]) / 1_000) - SECOND)
        assert all(len(seen) <= OF_ONE for _, seen in copies.pack()["recent"])
