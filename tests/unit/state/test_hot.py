"""More than 2,000 records of a kind in 48 hours: hot, bounded, and nobody else's business (semantics 3)."""

from __future__ import annotations

from typing import Any

import pytest

from engine.codec import encode
from tests.unit.pipeline.stage import CAFE, OTHER, Json, Stage, fates, rule, rules_of

HOURS_48 = 48 * 60
TEXT = {"happens": "sms.out"}


def stage(*rules: Json, **more: Any) -> Stage:
    """A stage whose caps never refuse."""
    loose = [{**each, "limits": {**each["limits"], "at_most": "9999 in 1d"}} for each in rules]
    return Stage(*loose, contact={"at_most": "9999 in 1d"}, **more)


def flood(on: Stage, kind: str, number: int, since: float, until: float) -> list[str]:
    """Records of a kind, evenly from one minute to another; what they led to."""
    made = []
    for n in range(number):
        made += fates(on.record(kind, since + (until - since) * n / number))
    return made


def test_the_2000th_record_still_fires_and_the_2001st_does_not() -> None:
    on = stage(rule("r", TEXT))
    assert flood(on, "sms.out", 2000, 0, 1000) == ["r offer"] * 2000
    assert on.record("sms.out", 1000) == []
    assert on.record("sms.out", 1001) == []


def test_patterns_over_other_kinds_go_on() -> None:
    both = {"any_of": [TEXT, {"happens": "call.out"}]}
    on = stage(rule("r", {"happens": "call.out"}), rule("b", both), rule("p", {"enters": "cafe"}))
    flood(on, "sms.out", 2001, 0, 1000)
    assert fates(on.record("call.out", 1001)) == ["r offer"]
    assert fates(on.see(CAFE, 1002)) == ["p offer"]


def test_another_subscriber_is_not_concerned() -> None:
    on = stage(rule("r", TEXT), given={})
    flood(on, "sms.out", 2001, 0, 1000)
    assert fates(on.record("sms.out", 1001, key=OTHER)) == ["r consent.marketing"]


def test_it_cools_down_when_the_flood_has_left_the_window() -> None:
    on = stage(rule("r", TEXT))
    flood(on, "sms.out", 2500, 0, 2000)
    assert on.record("sms.out", 2001) == []
    assert fates(on.record("sms.out", HOURS_48 + 2002)) == ["r offer"]


def test_a_flood_that_was_not_kept_is_counted_to_its_end() -> None:
    on = stage(rule("r", TEXT))
    flood(on, "sms.out", 6000, 0, 30 * 60)
    # half of it is older than 48 hours: 3,000 are left, then 1,980
    assert on.record("sms.out", HOURS_48 + 15 * 60) == []
    assert fates(on.record("sms.out", HOURS_48 + 15 * 60 + 306)) == ["r offer"]


def test_hot_is_hot_after_a_restart() -> None:
    on = stage(rule("r", TEXT), rule("c", {"happens": "call.out"}))
    flood(on, "sms.out", 2100, 0, 1000)
    on.restart()
    assert on.record("sms.out", 1001) == []
    assert fates(on.record("call.out", 1002)) == ["c offer"]


@pytest.mark.parametrize("kind", ["sms.out", "data.session"])
def test_a_hundred_thousand_records_take_no_more_room_than_some_thousands(kind: str) -> None:
    wait = {"after": {"happens": kind}, "no": {"happens": "complaint"}, "for": "1h"}
    on = stage(
        rule("r", {"count": kind, "at_least": "2", "within": "10m"}),
        rule("s", {"sequence": [{"happens": kind}, {"happens": "complaint"}], "within": "4h"}),
        rule("w", wait),
        rule("c", {"happens": "call.out"}),
    )
    made = flood(on, kind, 5_000, 0, 120)
    early = len(encode(on.sub))
    # 40 records a minute: the ids of the last hour are 2,400
    assert flood(on, kind, 95_000, 120, 120 + 95_000 / 40) == []
    assert set(made) <= {"r offer", "w offer"}
    assert len(encode(on.sub)) < min(3 * early, 400_000)
    assert fates(on.record("call.out", 120 + 95_000 / 40 + 1)) == ["c offer"]


def test_tens_of_thousands_of_records_that_no_rule_looks_at_harm_nothing() -> None:
    on = stage(rule("c", {"happens": "call.out"}))
    on.record("call.in", 0)
    flood(on, "loc.update", 66_000, 0, 600)
    assert fates(on.record("call.out", 601)) == ["c offer"]
    on.restart()
    steps = {
        "sequence": [{"happens": "call.in"}, {"happens": "call.out"}, {"happens": "sms.in"}],
        "within": "24h",
    }
    on.switch(rules_of(rule("s", steps)), 602)
    assert fates(on.record("sms.in", 603)) == ["s offer"]
