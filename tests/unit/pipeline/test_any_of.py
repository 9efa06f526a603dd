"""`any_of`: semantics 3, 7 d."""

from __future__ import annotations

from tests.unit.pipeline.stage import CAFE, Stage, minutes, rule


def test_each_instant_of_any_part() -> None:
    on = Stage(rule("r", {"any_of": [{"happens": "sms.out"}, {"enters": "cafe"}]}))
    assert minutes(on.record("sms.out", 0)) == [0]
    assert on.see(CAFE, 1)[0]["place"] == "cafe"


def test_parts_that_match_the_same_record_fire_once() -> None:
    on = Stage(rule("r", {"any_of": [{"happens": "loc.update"}, {"enters": "cafe"}]}))
    assert minutes(on.see(CAFE, 0)) == [0]


def test_a_rule_fires_if_any_instant_of_the_moment_may() -> None:
    # the record is beyond patience by its sighting, ten minutes before its end, but not by its end
    on = Stage(rule("r", {"any_of": [{"enters": "cafe"}, {"happens": "call.out"}]}))
    assert minutes(on.record("call.out", 10, start=0, cell=CAFE)) == [10]
