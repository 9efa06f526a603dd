"""Ticks that a door or a replay derives: semantics 1.8, 6."""

from __future__ import annotations

from engine.event import Event
from engine.ticks import SECOND, TickMaker

T = 1_788_000_000 * SECOND


def event(kind: str, t: int, **fields: object) -> Event:
    return Event(kind, t, "k", {"kind": kind, "t": t, **fields})


def ticks(maker: TickMaker, *times: int) -> list[int | None]:
    made = (maker.after(event("sms.in", time)) for time in times)
    return [tick.t if tick is not None else None for tick in made]


def test_one_follows_the_record_with_which_a_new_second_begins() -> None:
    times = (T, T + 1, T + SECOND - 1, T + SECOND, T + 5 * SECOND + 7)
    assert ticks(TickMaker(), *times) == [T, None, None, T + SECOND, T + 5 * SECOND + 7]


def test_its_time_is_the_watermark_the_greatest_time_less_the_disorder() -> None:
    assert ticks(TickMaker(300), T + 299, T + 300, T + SECOND + 299, T + SECOND + 300) == [
        T - 1,
        T,
        None,
        T + SECOND,
    ]


def test_earlier_records_move_nothing() -> None:
    assert ticks(TickMaker(), T + 10 * SECOND, T + 5 * SECOND, T + 10 * SECOND) == [
        T + 10 * SECOND,
        None,
        None,
    ]


def test_control_records_move_nothing() -> None:
    maker = TickMaker()
    for kind in ("profile.update", "consent.change", "offer.receipt", "rules.switch", "tick"):
        assert maker.after(event(kind, T)) is None
    assert ticks(maker, T - SECOND) == [T - SECOND]


def test_derived_ticks_carry_the_last_down_of_the_input_on() -> None:
    maker = TickMaker()
    maker.after(event("tick", T, down=["sms.out"]))
    follows = maker.after(event("sms.in", T))
    assert follows is not None
    assert follows.fields["down"] == ["sms.out"]
    maker.after(event("tick", T))
    follows = maker.after(event("sms.in", T + SECOND))
    assert follows is not None
    assert "down" not in follows.fields
