"""`happens`: semantics 3."""

from __future__ import annotations

from tests.unit.pipeline.stage import CAFE, Stage, minutes, rule


def test_each_record_of_the_kind_is_an_instant() -> None:
    on = Stage(rule("r", {"happens": "sms.out"}))
    assert minutes(on.record("sms.out", 1)) == [1]
    assert minutes(on.record("sms.out", 2)) == [2]
    assert on.record("sms.in", 3) == []


def test_it_passes_every_line_of_where() -> None:
    on = Stage(rule("r", {"happens": "call.out", "where": {"number": "10086", "duration": "at least 30s"}}))
    assert on.record("call.out", 1, number="10086", duration=29) == []
    assert on.record("call.out", 2, number="10010", duration=30) == []
    assert on.record("call.out", 3, number="10086", duration=30)


def test_it_passes_none_of_unless() -> None:
    on = Stage(rule("r", {"happens": "call.out", "unless": {"number": "10086"}}))
    assert on.record("call.out", 1, number="10086") == []
    assert on.record("call.out", 2, number="10010")


def test_an_unknown_value_rejects_the_record_in_where_and_in_unless() -> None:
    on = Stage(
        rule("a", {"happens": "call.out", "where": {"number": "not 10086"}}),
        rule("b", {"happens": "call.in", "unless": {"number": "10086"}}),
    )
    assert on.record("call.out", 1) == []
    assert on.record("call.in", 2) == []


def test_where_place_is_the_records_own_cell_or_else_the_state() -> None:
    on = Stage(rule("r", {"happens": "sms.out", "where": {"place": "cafe"}}))
    assert on.record("sms.out", 1, cell=CAFE)[0]["place"] == "cafe"
    assert on.record("sms.out", 2)[0]["place"] == "cafe"
    assert on.record("sms.out", 3, cell="460-00-9-9") == []


def test_starts_and_updates_are_no_instants() -> None:
    on = Stage(rule("r", {"happens": "call.out"}))
    assert on.record("call.out", 1, phase="start") == []
    assert on.record("call.out", 2, phase="update") == []
    assert on.record("call.out", 3, phase="stop")
    assert on.record("call.out", 4)


def test_a_record_flagged_no_trigger_does_not_fire() -> None:
    on = Stage(rule("r", {"happens": "sms.out"}))
    assert on.record("sms.out", 1, quality=["no_trigger"]) == []


def test_a_rule_fires_at_most_once_per_stamp() -> None:
    on = Stage(rule("r", {"happens": "sms.out"}))
    assert on.record("sms.out", 1)
    assert on.record("sms.out", 1) == []
    assert on.record("sms.out", 2)
