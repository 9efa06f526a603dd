"""Profile, consent, suppression, receipts: semantics 4.8, 7 l."""

from __future__ import annotations

import pytest

from tests.unit.pipeline.stage import Stage, fates, rule, rules_of

TEXT = {"happens": "sms.out"}


def stage() -> Stage:
    return Stage(rule("r", TEXT), given={})


def test_a_profile_merges_by_field_and_null_is_unknown() -> None:
    on = stage()
    on.record("profile.update", 0, profile={"tier": "gold", "age": 30})
    on.record("profile.update", 0, profile={"age": None, "tags": ["a"]})
    assert on.sub.profile == {"tier": "gold", "tags": ["a"]}


def test_a_profile_may_carry_timezone_consent_and_number() -> None:
    on = stage()
    on.record(
        "profile.update", 0, timezone="Asia/Tokyo", consent={"marketing": True}, msisdn="+8613800138000"
    )
    assert (on.sub.timezone, on.sub.consent) == ("Asia/Tokyo", {"marketing": True})
    on.record("profile.update", 0, consent={"profiling": False})
    assert on.sub.consent == {"marketing": True, "profiling": False}
    assert on.sub.timezone == "Asia/Tokyo"


def test_an_unknown_timezone_is_the_policys() -> None:
    on = stage()
    on.record("profile.update", 0, timezone="Asia/Tokyo")
    on.record("profile.update", 0, profile={"timezone": "Mars/Olympus"})
    assert on.sub.timezone is None


def test_consent_changes_by_purpose() -> None:
    on = stage()
    on.record("consent.change", 0, consent={"marketing": True, "location": True})
    on.record("consent.change", 0, consent={"marketing": False})
    assert on.sub.consent == {"marketing": False, "location": True}


def test_what_was_bought_adds_to_products_and_makes_them_known() -> None:
    on = stage()
    on.record("product.bought", 0, product="x")
    assert on.sub.profile["products"] == ["x"]
    on.record("product.bought", 1, product="x")
    on.record("product.bought", 2, product="y")
    assert on.sub.profile["products"] == ["x", "y"]


def test_its_effect_comes_before_the_rules_on_the_record_itself() -> None:
    on = Stage(
        rule("r", {"happens": "product.bought"}, except_={"products": "x"}),
        rule("s", {"happens": "complaint"}),
    )
    on.record("profile.update", 0, profile={"products": []})
    assert fates(on.record("product.bought", 1, product="x")) == ["r except.products"]
    assert fates(on.record("complaint", 2)) == ["s suppressed"]


def test_control_records_fire_no_timers() -> None:
    on = Stage(rule("r", {"stays_in": "cafe", "for": "10m"}))
    on.see("460-00-1-1", 0)
    assert on.record("profile.update", 30, profile={"tier": "gold"}) == []
    assert len(on.tick(30)) == 1


def test_a_switch_to_the_rules_at_work_changes_nothing_and_one_to_others_changes_them() -> None:
    on = Stage(rule("r", TEXT))
    book = on.fold.book
    on.switch(on.rules)
    assert on.fold.book is book
    other = rules_of(rule("s", TEXT))
    on.switch(other)
    assert on.fold.book.hash == other.hash
    assert fates(on.record("sms.out", 0)) == ["s offer"]


@pytest.mark.parametrize("kind", ["profile.update", "consent.change"])
def test_a_consent_of_null_is_unknown_and_refuses(kind: str) -> None:
    on = Stage(rule("r", {"happens": "sms.out"}))
    on.record(kind, 1, consent={"marketing": None})
    assert fates(on.record("sms.out", 2)) == ["r consent.marketing"]


def test_a_timezone_of_null_is_unknown() -> None:
    on = Stage(rule("r", {"happens": "sms.out"}, quiet="11:00 to 13:00"))
    on.record("profile.update", 0, timezone="Asia/Tokyo")
    assert fates(on.record("sms.out", 1)) == ["r held"]
    on.record("profile.update", 2, timezone=None)
    assert fates(on.record("sms.out", 3)) == ["r offer"]


def test_only_a_consent_change_to_marketing_lifts_a_suppression() -> None:
    on = Stage(rule("r", TEXT))
    on.record("complaint", 0)
    on.record("consent.change", 1, consent={"marketing": False})
    on.record("profile.update", 2, consent={"marketing": True})
    assert fates(on.record("sms.out", 3)) == ["r suppressed"]
    on.record("consent.change", 4, consent={"marketing": True})
    assert fates(on.record("sms.out", 5)) == ["r offer"]
