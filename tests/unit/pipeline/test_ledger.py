"""Contacts: who counts for what, in which window, and when a contact goes away: semantics 4.4 to 4.6."""

from __future__ import annotations

from tests.unit.pipeline.stage import DAY, MINUTE, Json, Stage, fates, rule, rules_of

SMALL = 1 / MINUTE
TEXT = {"happens": "sms.out"}
CALL = {"happens": "call.out"}
MANUAL = {"product": "x", "send": [{"channel": "manual", "task": "Call about {product.name}"}]}


def test_at_most_counts_this_rules_contacts_in_a_half_open_window() -> None:
    on = Stage(rule("r", TEXT, at_most="2 in 1h"))
    assert fates(on.record("sms.out", 0)) == ["r offer"]
    assert fates(on.record("sms.out", 1)) == ["r offer"]
    assert fates(on.record("sms.out", 60 - SMALL)) == ["r limits.at_most"]
    assert fates(on.record("sms.out", 60)) == ["r offer"]


def test_policy_counts_offers_of_all_rules() -> None:
    on = Stage(rule("r", TEXT), rule("s", CALL), contact={"at_most": "1 in 1h"})
    assert fates(on.record("sms.out", 0)) == ["r offer"]
    assert fates(on.record("call.out", 1)) == ["s policy.contact"]
    assert fates(on.record("call.out", 60)) == ["s offer"]


def test_every_general_line_of_the_policy_must_hold() -> None:
    on = Stage(rule("r", TEXT), contact={"at_most": ["1 in 10m", "2 in 1d"]})
    assert fates(on.record("sms.out", 0)) == ["r offer"]
    assert fates(on.record("sms.out", 5)) == ["r policy.contact"]
    assert fates(on.record("sms.out", 10)) == ["r offer"]
    assert fates(on.record("sms.out", 30)) == ["r policy.contact"]


def test_the_line_of_a_tier_is_for_a_known_equal_tier() -> None:
    policy: Json = {"contact": {"at_most": "9 in 1d", "by_tier": {"vip": "1 in 1h"}}}
    for tier, second in (("vip", "r policy.contact"), ("gold", "r offer"), (None, "r offer")):
        on = Stage(rule("r", TEXT), **policy)
        on.record("profile.update", 0, profile={"tier": tier})
        on.record("sms.out", 0)
        assert fates(on.record("sms.out", 1)) == [second]


def test_manual_contacts_count_for_rule_and_group_and_not_for_the_policy() -> None:
    on = Stage(
        rule("m", TEXT, offer=MANUAL, at_most="1 in 1d", only_one_of="g"),
        rule("s", CALL),
        rule("t", {"happens": "call.in"}, only_one_of="g"),
        contact={"at_most": "1 in 1d"},
        groups={"g": {"cooldown": "1d"}},
    )
    assert fates(on.record("sms.out", 0)) == ["m offer"]
    assert fates(on.record("sms.out", 1)) == ["m limits.at_most"]
    assert fates(on.record("call.in", 2)) == ["t only_one_of"]
    assert fates(on.record("call.out", 3)) == ["s offer"]


def test_manual_is_not_asked_about_the_policy() -> None:
    on = Stage(rule("s", CALL), rule("m", TEXT, offer=MANUAL), contact={"at_most": "1 in 1d"})
    on.record("call.out", 0)
    assert fates(on.record("sms.out", 1)) == ["m offer"]


def test_a_group_makes_one_offer_within_its_cooldown() -> None:
    on = Stage(
        rule("r", TEXT, only_one_of="g"), rule("s", CALL, only_one_of="g"), groups={"g": {"cooldown": "1h"}}
    )
    assert fates(on.record("sms.out", 0)) == ["r offer"]
    assert fates(on.record("call.out", 60 - SMALL)) == ["s only_one_of"]
    assert fates(on.record("call.out", 60)) == ["s offer"]


def test_control_counts_for_its_rule_only() -> None:
    on = Stage(
        rule("r", TEXT, holdout="100%", at_most="1 in 1d", only_one_of="g"),
        rule("s", CALL, only_one_of="g"),
        contact={"at_most": "1 in 1d"},
        groups={"g": {"cooldown": "1d"}},
    )
    assert fates(on.record("sms.out", 0)) == ["r control"]
    assert fates(on.record("sms.out", 1)) == ["r limits.at_most"]
    assert fates(on.record("call.out", 2)) == ["s offer"]


def test_held_counts_for_its_rule_only() -> None:
    on = Stage(
        rule("r", TEXT, quiet="10:00 to 11:00", at_most="1 in 1d"),
        rule("s", CALL),
        contact={"at_most": "1 in 1d"},
    )
    assert fates(on.record("sms.out", 0)) == ["r held"]
    assert fates(on.record("sms.out", 1)) == ["r limits.at_most"]
    assert fates(on.record("call.out", 2)) == ["s offer"]


def test_a_receipt_that_rejects_for_good_removes_the_contact() -> None:
    on = Stage(rule("r", TEXT, at_most="1 in 1d"))
    (offer,) = on.record("sms.out", 0)
    for at, status in enumerate(("delivered", "failed", "accepted"), 1):
        on.record("offer.receipt", 1, decision=offer["id"], status=status)
        assert fates(on.record("sms.out", at)) == ["r limits.at_most"]
    on.record("offer.receipt", 1, decision="another", status="rejected")
    assert fates(on.record("sms.out", 20)) == ["r limits.at_most"]
    on.record("offer.receipt", 1, decision=offer["id"], status="rejected")
    assert fates(on.record("sms.out", 30)) == ["r offer"]


def test_a_shadow_rule_sees_real_contacts_and_its_own_shadow_ones() -> None:
    on = Stage(
        rule("live", TEXT),
        rule("ghost", CALL, status="shadow", at_most="1 in 1d"),
        rule("spirit", {"happens": "call.in"}, status="shadow"),
        contact={"at_most": "1 in 1h"},
    )
    assert fates(on.record("call.out", 0)) == ["ghost shadow"]
    assert fates(on.record("call.out", 1)) == ["ghost limits.at_most"]
    assert fates(on.record("call.in", 2)) == ["spirit shadow"]
    assert fates(on.record("call.in", 3)) == ["spirit policy.contact"]
    assert fates(on.record("sms.out", 4)) == ["live offer"]
    assert fates(on.record("call.in", 62)) == ["spirit policy.contact"]
    assert fates(on.record("call.in", 64)) == ["spirit shadow"]


def test_shadow_contacts_lapse_when_the_rule_goes_live() -> None:
    shadow = rule("r", TEXT, status="shadow", at_most="1 in 1d")
    on = Stage(shadow)
    assert fates(on.record("sms.out", 0)) == ["r shadow"]
    on.switch(rules_of({**shadow, "status": "live"}))
    assert fates(on.record("sms.out", 1)) == ["r offer"]
    assert fates(on.record("sms.out", 2)) == ["r limits.at_most"]


def test_lapsed_shadow_contacts_do_not_come_back_with_the_shadow() -> None:
    shadow = rule("r", TEXT, status="shadow", at_most="1 in 1d")
    on = Stage(shadow)
    on.record("sms.out", 0)
    on.switch(rules_of({**shadow, "status": "live"}))
    on.switch(on.rules)
    assert fates(on.record("sms.out", 1)) == ["r shadow"]


def test_contacts_that_stay_in_shadow_stay_over_a_switch() -> None:
    shadow = rule("r", TEXT, status="shadow", at_most="1 in 1d")
    on = Stage(shadow)
    on.record("sms.out", 0)
    on.switch(rules_of(shadow, rule("s", CALL)))
    assert fates(on.record("sms.out", 1)) == ["r limits.at_most"]


def test_contacts_older_than_any_cap_are_forgotten() -> None:
    on = Stage(rule("r", TEXT))
    on.record("sms.out", 0)
    days = 31 * DAY / MINUTE
    assert len(on.sub.contacts) == 1
    on.record("sms.in", days)
    on = Stage(rule("r", TEXT, valid="2026-09-01 to 2027-09-01"))
    for n in range(40):
        on.record("sms.out", n * DAY / MINUTE)
    assert len(on.sub.contacts) == 30
