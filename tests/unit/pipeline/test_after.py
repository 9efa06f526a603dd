"""`after … no …`: semantics 3, 1.4, 1.5, 7 a, b, i."""

from __future__ import annotations

from tests.unit.pipeline.stage import CAFE, MINUTE, STREET, Stage, fates, minutes, rule

SMALL = 1 / MINUTE


def stage(after: dict[str, object] | None = None, no: dict[str, object] | None = None) -> Stage:
    pattern = {"after": after or {"happens": "call.out"}, "no": no or {"happens": "sms.out"}, "for": "30m"}
    return Stage(rule("r", pattern))


def test_it_fires_d_after_a_when_nothing_stopped_it() -> None:
    on = stage()
    on.record("call.out", 0, id="asked")
    assert on.tick(30) == []
    (decision,) = on.tick(30 + SMALL)
    assert minutes([decision]) == [30]
    assert decision["trigger"]["id"] == "asked"


def test_b_up_to_the_end_stops_it() -> None:
    on = stage()
    on.record("call.out", 0)
    on.record("sms.out", 30)
    assert on.tick(60) == []


def test_b_before_a_or_at_its_time_earlier_in_the_log_does_not() -> None:
    on = stage()
    on.record("sms.out", 0)
    on.record("call.out", 0)
    assert minutes(on.tick(60)) == [30]


def test_a_later_a_starts_the_wait_anew() -> None:
    on = stage()
    on.record("call.out", 0)
    on.record("call.out", 30)
    assert minutes(on.tick(90)) == [60]


def test_starts_and_updates_cancel_a_bare_happens() -> None:
    for phase in ("start", "update", "stop"):
        on = stage()
        on.record("call.out", 0)
        on.record("sms.out", 5, phase=phase)
        assert on.tick(90) == []


def test_starts_cancel_nothing_inside_another_pattern() -> None:
    on = stage(no={"any_of": [{"happens": "sms.out"}, {"happens": "sms.in"}]})
    on.record("call.out", 0)
    on.record("sms.out", 5, phase="start")
    assert minutes(on.tick(90)) == [30]


def test_a_record_that_is_both_does_not_cancel_itself() -> None:
    on = stage(no={"happens": "call.out"})
    on.record("call.out", 0)
    assert minutes(on.tick(90)) == [30]


def test_b_may_be_any_pattern() -> None:
    on = stage(no={"leaves": "cafe"}, after={"enters": "cafe"})
    on.see(CAFE, 0)
    on.see(STREET, 10)
    assert on.tick(90) == []
    on.see(CAFE, 91)
    assert minutes(on.tick(180)) == [121]


def test_a_wait_armed_in_the_past_within_patience_fires_at_once_at_the_clock() -> None:
    on = Stage(rule("r", {"after": {"happens": "call.out"}, "no": {"happens": "sms.out"}, "for": "2m"}))
    on.record("sms.in", 10)
    assert minutes(on.record("call.out", 6)) == [10]


def test_beyond_patience_only_a_wait_due_later_is_armed() -> None:
    on = stage()
    on.record("sms.in", 20)
    on.record("call.out", 0)
    assert minutes(on.tick(60)) == [30]
    on = stage()
    on.record("sms.in", 40)
    on.record("call.out", 0)
    assert on.tick(90) == []


def test_a_late_b_cancels_a_wait_that_still_runs() -> None:
    on = stage()
    on.record("call.out", 0)
    on.record("sms.in", 29)
    on.record("sms.out", 1)
    assert on.tick(90) == []


def test_a_feed_that_was_down_in_the_wait_refuses_it_before_all_other_gates() -> None:
    on = stage()
    on.record("call.out", 0)
    on.tick(10, "sms.out")
    on.tick(11)
    assert fates(on.tick(31)) == ["r feed"]


def test_a_feed_that_was_up_again_at_the_start_does_not() -> None:
    on = stage()
    on.tick(-5, "sms.out")
    on.tick(0)
    on.record("call.out", 0)
    assert fates(on.tick(31)) == ["r offer"]


def test_an_absence_inside_another_pattern_is_not_asked_about_feeds() -> None:
    wait = {"after": {"happens": "call.out"}, "no": {"happens": "sms.out"}, "for": "30m"}
    on = Stage(rule("r", {"any_of": [wait, {"happens": "complaint"}]}))
    on.record("call.out", 0)
    on.tick(10, "sms.out")
    assert fates(on.tick(31)) == ["r offer"]


def test_a_timer_at_the_very_time_of_an_a_an_hour_late_is_later_and_cancels() -> None:
    pattern = {"after": {"happens": "call.out"}, "no": {"stays_in": "cafe", "for": "2m"}, "for": "2m"}
    on = Stage(rule("r", pattern), patience="1h")
    on.see(CAFE, 0)
    on.record("sms.in", 62)
    assert on.record("call.out", 2) == []


def test_of_what_stops_it_the_record_that_starts_it_hides_none() -> None:
    pattern = {"after": {"enters": "cafe"}, "no": {"happens": "call.out"}, "for": "30m"}
    on = Stage(rule("r", pattern))
    on.record("call.out", -1)
    on.record("call.out", 5)
    on.record("call.out", 10, start=0, cell=CAFE)  # enters at 0; the call that ended at 5 comes after that
    assert on.tick(60) == []
    alone = Stage(rule("r", pattern))
    alone.record("call.out", -1)
    alone.record("call.out", 10, start=0, cell=CAFE)
    assert minutes(alone.tick(60)) == [30]


def test_what_would_have_stopped_a_wait_told_an_hour_late_is_still_known() -> None:
    on = Stage(
        rule("r", {"after": {"happens": "call.out"}, "no": {"happens": "sms.out"}, "for": "30m"}),
        patience="1h",
    )
    for at in (0, 25, 56, 57):
        on.record("sms.out", at)
    on.record("sms.in", 58)
    assert on.record("call.out", 20) == []  # by the text at 25
    assert minutes(on.record("call.out", 25.5)) == [58]  # due at 55.5, before the next one


def test_what_would_have_stopped_a_late_wait_is_known_after_a_restart() -> None:
    on = Stage(
        rule("r", {"after": {"happens": "call.out"}, "no": {"happens": "loc.update"}, "for": "30m"}),
        patience="1h",
    )
    on.see(STREET, 25)
    on.record("sms.in", 58)
    on.restart()
    assert on.record("call.out", 20) == []
    assert minutes(on.record("call.out", 26)) == [58]
