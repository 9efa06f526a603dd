"""`count`: semantics 3."""

from __future__ import annotations

from tests.unit.pipeline.stage import CAFE, MINUTE, Stage, minutes, rule

SMALL = 1 / MINUTE
THREE = {"count": "sms.out", "at_least": "3", "within": "1h"}


def stage(**more: object) -> Stage:
    return Stage(rule("r", {**THREE, **more}))


def test_the_record_with_which_the_window_reaches_n() -> None:
    on = stage()
    assert on.record("sms.out", 0) == []
    assert on.record("sms.out", 1) == []
    assert on.record("sms.out", 2)[0]["values"]["match"] == {"count": 3}


def test_beyond_the_mark_there_is_no_instant_until_it_is_crossed_again() -> None:
    on = stage()
    for at in (0, 1, 2):
        on.record("sms.out", at)
    assert on.record("sms.out", 3) == []
    assert on.record("sms.out", 61 - SMALL) == []
    assert on.record("sms.out", 61) == []
    assert minutes(on.record("sms.out", 63)) == [63]


def test_the_window_is_open_at_its_start() -> None:
    on = stage()
    on.record("sms.out", 0)
    on.record("sms.out", 30)
    assert on.record("sms.out", 60) == []
    on = stage()
    on.record("sms.out", SMALL)
    on.record("sms.out", 30)
    assert on.record("sms.out", 60)


def test_only_what_passes_where_counts() -> None:
    on = stage(where={"place": "cafe"})
    for at in (0, 1):
        on.record("sms.out", at, cell=CAFE)
    assert on.record("sms.out", 2, cell="460-00-9-9") == []
    assert on.record("sms.out", 3, cell=CAFE)[0]["place"] == "cafe"


def test_starts_and_updates_do_not_count() -> None:
    on = stage()
    for phase in ("start", "update", "stop"):
        assert on.record("sms.out", 1, phase=phase) == []
    on.record("sms.out", 2)
    assert on.record("sms.out", 3)


def test_a_late_record_enters_the_window_at_its_own_time() -> None:
    on = stage()
    on.record("sms.out", 40)
    on.record("sms.out", 50)
    assert minutes(on.record("sms.out", 46)) == [50]


def test_a_record_late_beyond_patience_crosses_the_mark_in_silence() -> None:
    on = stage()
    on.record("sms.out", 40)
    on.record("sms.out", 50)
    assert on.record("sms.out", 20) == []
    assert on.record("sms.out", 51) == []


def test_a_late_record_that_lies_before_the_window_adds_nothing() -> None:
    on = Stage(rule("r", {"count": "sms.out", "at_least": "2", "within": "2m"}))
    on.record("sms.out", 10)
    assert on.record("sms.out", 8) == []
    assert on.record("sms.out", 8 + SMALL)


def test_one_is_a_mark_too() -> None:
    on = Stage(rule("r", {"count": "sms.out", "at_least": "1", "within": "1h"}))
    assert on.record("sms.out", 0)
    assert on.record("sms.out", 30) == []
    assert on.record("sms.out", 91)
