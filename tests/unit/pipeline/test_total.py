"""`total`: semantics 3, 7 k."""

from __future__ import annotations

from tests.unit.pipeline.stage import Stage, rule

MB = 1 << 20


def stage(field: str = "data.session.bytes", amount: str = "10 MB") -> Stage:
    return Stage(rule("r", {"total": field, "at_least": amount, "within": "1h"}))


def test_the_record_with_which_the_sum_reaches_the_amount() -> None:
    on = stage()
    assert on.record("data.session", 0, up=4 * MB, down=5 * MB) == []
    decision = on.record("data.session", 1, up=MB, down=0)[0]
    assert decision["values"]["match"] == {"total": 10 * MB}
    assert on.record("data.session", 2, up=99 * MB, down=0) == []


def test_bytes_with_one_of_up_and_down_is_that_one() -> None:
    on = stage()
    on.record("data.session", 0, down=9 * MB)
    assert on.record("data.session", 1, up=MB)


def test_a_record_without_the_field_adds_nothing_and_is_no_instant() -> None:
    on = stage()
    assert on.record("data.session", 0) == []
    assert on.sub.nodes == {}
    on = stage("recharge.amount", "1 yuan")
    assert on.record("recharge", 0) == []
    assert on.record("recharge", 1, amount=1)


def test_money_is_summed_exactly() -> None:
    on = stage("recharge.amount", "1 yuan")
    for n in range(9):
        assert on.record("recharge", n, amount=0.1) == []
    assert on.record("recharge", 9, amount=0.1)


def test_the_window_forgets() -> None:
    on = stage()
    on.record("data.session", 0, up=9 * MB)
    assert on.record("data.session", 60, up=MB) == []
    assert on.record("data.session", 61, up=9 * MB)


def test_starts_and_updates_add_nothing() -> None:
    on = stage()
    assert on.record("data.session", 0, up=20 * MB, phase="update") == []
    assert on.record("data.session", 1, up=20 * MB, phase="stop")
