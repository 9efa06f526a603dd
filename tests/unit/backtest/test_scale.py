"""Scales: what lies between which steps, what a lower mark would match."""

from __future__ import annotations

import pytest

from engine.backtest.scale import adding, counting, lasting, parts
from engine.backtest.seats import Marks, Seats

MINUTE = 60_000_000


def test_a_dwell_has_a_step_for_each_tenth() -> None:
    scale = lasting("stays", 30 * MINUTE)
    scale.ended(0, 26 * MINUTE)
    scale.ended(0, 5 * MINUTE)
    scale.ended(1, 27 * MINUTE)
    scale.note(2, scale.full)
    assert [(row["text"], row["subscribers"], row["times"]) for row in scale.near()] == [
        ("27m to 30m of 30m", 1, 1),
        ("24m to 27m of 30m", 1, 1),
        ("3m to 6m of 30m", 0, 1),
    ]
    assert scale.reached() == 1
    assert [(row["text"], row["more"]) for row in scale.what_if()][:3] == [
        ("for: 27m", 1),
        ("for: 24m", 2),
        ("for: 21m", 2),
    ]
    assert scale.what_if()[-1] == {"line": "for", "value": 3 * MINUTE, "text": "for: 3m", "more": 3}


def test_marks_of_a_dwell_are_whole_seconds() -> None:
    assert list(lasting("stays", 4_500_000).edges) == [1_000_000, 2_000_000, 3_000_000, 4_000_000]
    assert list(lasting("stays", 500_000).edges) == []


def test_a_count_rises_through_its_steps_and_falls_unseen() -> None:
    scale = counting(3)
    for before, now in ((0, 1), (1, 2), (0, 1), (1, 2), (2, 3), (3, 4)):
        scale.rose(0, before, now, fires=True)
    scale.rose(1, 0, 1, fires=True)
    scale.rose(1, 1, 2, fires=False)
    assert scale.episodes == [0, 3, 2, 1]
    assert [(row["text"], row["subscribers"]) for row in scale.near()] == [("2 of 3", 1)]
    assert [(row["text"], row["more"]) for row in scale.what_if()] == [
        ("at_least: 2", 1),
        ("at_least: 1", 2),
    ]


def test_a_large_count_has_tenths() -> None:
    scale = counting(200)
    scale.rose(0, 178, 179, fires=True)
    scale.rose(0, 179, 180, fires=True)
    assert scale.near()[0]["text"] == "180 to 200 of 200"
    assert scale.what_if() == [{"line": "at_least", "value": 180, "text": "at_least: 180", "more": 1}]


@pytest.mark.parametrize(
    ("at_least", "type", "before", "now", "texts"),
    [
        (200 << 20, "bytes", 150 << 20, 190 << 20, ["at_least: 180MB", "at_least: 160MB"]),
        (30, "money", 20, 28, ["at_least: 27 yuan", "at_least: 24 yuan", "at_least: 21 yuan"]),
        (0.5, "number", 0, 0.05, ["at_least: 0.05"]),
    ],
)
def test_a_total_may_cross_several_steps_at_once(
    at_least: float, type: str, before: float, now: float, texts: list[str]
) -> None:
    scale = adding(at_least, type)  # type: ignore[arg-type]
    scale.rose(0, before, now, fires=True)
    assert [row["text"] for row in scale.what_if()] == texts


def test_a_sequence_counts_steps_and_has_no_lower_mark() -> None:
    scale = parts("sequence", 3)
    scale.note(0, 1)
    scale.note(0, 2)
    scale.note(1, scale.full)
    assert [(row["text"], row["subscribers"]) for row in scale.near()] == [("2 of 3", 1)]
    assert "times" not in scale.near()[0]
    assert scale.what_if() == []


def test_seats_and_marks() -> None:
    seats, marks = Seats(), Marks()
    assert [seats.of(key) for key in ("a", "b", "a", "c")] == [0, 1, 0, 2]
    assert len(seats) == 3
    marks.add(2, 1)
    marks.add(2, 4)
    marks.add(0, 4)
    marks.raise_to(1, 3)
    marks.raise_to(1, 2)
    assert [marks.get(seat) for seat in (0, 1, 2, 99)] == [4, 3, 5, 0]
    assert (marks.having(4), marks.having(5), marks.having(8)) == (2, 1, 0)
    assert marks.counts() == {3: 1, 4: 1, 5: 1}
