"""Which feeds were down when: semantics 1.8, and the row of `after` in 3."""

from __future__ import annotations

import orjson

from engine.feeds import Feeds


def fed(*ticks: tuple[int, str]) -> Feeds:
    feeds = Feeds()
    for time, down in ticks:
        feeds.tick(time, down.split())
    return feeds


def test_a_kind_is_down_from_the_tick_that_names_it_to_the_next_that_does_not() -> None:
    feeds = fed((10, "sms.out"), (20, ""))
    assert feeds.was_down(["sms.out"], 0, 10)
    assert not feeds.was_down(["sms.out"], 0, 9)
    assert feeds.was_down(["sms.out"], 18, 30)
    assert not feeds.was_down(["sms.out"], 20, 30)


def test_the_wait_is_open_at_its_start() -> None:
    feeds = fed((10, "sms.out"), (20, ""))
    assert feeds.was_down(["sms.out"], 10, 30)
    assert not feeds.was_down(["sms.out"], 20, 30)


def test_ticks_that_name_it_again_carry_it_on() -> None:
    feeds = fed((10, "sms.out"), (15, "sms.out call.out"), (20, "call.out"))
    assert feeds.was_down(["sms.out"], 16, 17)
    assert not feeds.was_down(["sms.out"], 20, 99)
    assert feeds.was_down(["call.out"], 20, 99)


def test_one_that_is_still_down_is_down() -> None:
    assert fed((10, "sms.out")).was_down(["sms.in", "sms.out"], 500, 600)
    assert not fed((10, "sms.out")).was_down(["sms.in"], 0, 600)


def test_down_for_no_time_at_all_is_not_down() -> None:
    assert not fed((10, "sms.out"), (10, "")).was_down(["sms.out"], 0, 99)


def test_the_watermark_is_the_greatest_tick() -> None:
    assert fed((10, ""), (30, ""), (20, "")).watermark == 30


def test_it_is_written_and_read_back() -> None:
    feeds = fed((10, "sms.out"), (20, ""), (30, "call.out"))
    again = Feeds.unpack(orjson.loads(orjson.dumps(feeds.pack())))
    assert again.watermark == 30
    for state in (feeds, again):
        state.tick(40, ["sms.out"])
        state.tick(50, [])
    assert again.pack() == feeds.pack()


def test_what_no_wait_can_ask_about_is_forgotten() -> None:
    feeds = Feeds()
    hour = 3_600_000_000
    for n in range(1000):
        feeds.tick(n * hour, ["sms.out"] if n % 2 else [])
    spans = feeds.pack()[1]
    assert isinstance(spans, dict)
    assert len(spans["sms.out"]) <= 50
    assert feeds.was_down(["sms.out"], 999 * hour - 48 * hour, 999 * hour - 46 * hour)
