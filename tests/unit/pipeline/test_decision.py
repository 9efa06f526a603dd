"""The gates in their order, arbitration, holds, holdout, shadow: semantics 4."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from zoneinfo import ZoneInfo

import pytest

from tests.unit.pipeline.stage import (
    CAFE,
    DAY,
    GIVEN,
    KEY,
    MINUTE,
    Json,
    Stage,
    fates,
    minutes,
    rule,
    rules_of,
    when,
)

SMALL = 1 / MINUTE
TEXT = {"happens": "sms.out"}
CALL = {"happens": "call.out"}
QUIET = "10:00 to 11:00"
MANUAL = {"product": "x", "send": [{"channel": "manual", "task": "Call about {product.name}"}]}


def minute_of(*date: int) -> float:
    """Local date and time of Shanghai -> minute past ten on the stage's Monday."""
    moment = datetime(*date, tzinfo=ZoneInfo("Asia/Shanghai"))  # type: ignore[arg-type, misc]
    return (int(moment.timestamp()) * 1_000_000 - when(0)) / MINUTE


# -- gates ---------------------------------------------------------------------------------------------------


def test_valid_runs_from_the_first_to_the_end_of_the_last_date_in_the_policys_timezone() -> None:
    on = Stage(rule("r", TEXT, valid="2026-09-08 to 2026-09-09"))
    assert fates(on.record("sms.out", minute_of(2026, 9, 8) - SMALL)) == ["r valid"]
    assert fates(on.record("sms.out", minute_of(2026, 9, 8))) == ["r offer"]
    assert fates(on.record("sms.out", minute_of(2026, 9, 10) - SMALL)) == ["r offer"]
    assert fates(on.record("sms.out", minute_of(2026, 9, 10))) == ["r valid"]


def test_who_refuses_by_the_first_line_that_fails_and_names_it() -> None:
    on = Stage(rule("r", TEXT, who={"tier": "gold", "age": "18 to 65"}))
    assert fates(on.record("sms.out", 0)) == ["r who.tier"]
    on.record("profile.update", 0, profile={"tier": "gold"})
    assert fates(on.record("sms.out", 1)) == ["r who.age"]
    on.record("profile.update", 0, profile={"age": 65})
    assert fates(on.record("sms.out", 2)) == ["r offer"]


def test_except_refuses_where_it_holds_and_where_the_value_is_unknown() -> None:
    on = Stage(rule("r", TEXT, except_={"tags": "blocked"}))
    assert fates(on.record("sms.out", 0)) == ["r except.tags"]
    on.record("profile.update", 0, profile={"tags": ["x", "blocked"]})
    assert fates(on.record("sms.out", 1)) == ["r except.tags"]
    on.record("profile.update", 0, profile={"tags": []})
    assert fates(on.record("sms.out", 2)) == ["r offer"]


@pytest.mark.parametrize("purpose", ["marketing", "profiling", "location"])
@pytest.mark.parametrize("answer", [None, False])
def test_each_consent_must_be_known_and_yes(purpose: str, answer: bool | None) -> None:
    consent = {k: v for k, v in GIVEN["consent"].items() if k != purpose}
    if answer is not None:
        consent[purpose] = answer
    on = Stage(rule("r", {"enters": "cafe"}), given={"consent": consent})
    assert fates(on.see("460-00-1-1", 0)) == [f"r consent.{purpose}"]


def test_location_is_asked_of_rules_that_name_a_place_in_when() -> None:
    on = Stage(
        rule("r", {"happens": "sms.out", "where": {"place": "cafe"}}),
        rule("s", TEXT),
        given={"consent": {"marketing": True, "profiling": True}},
    )
    on.see("460-00-1-1", 0)
    assert fates(on.record("sms.out", 1)) == ["r consent.location", "s offer"]


def test_a_complaint_and_an_opt_out_suppress_until_consent_is_given_anew() -> None:
    on = Stage(rule("r", TEXT), opt_out=["TD"])
    on.record("sms.reply", 0, number="10086", text=" TD ")
    assert fates(on.record("sms.out", 1)) == ["r suppressed"]
    on.record("consent.change", 2, consent={"profiling": True})
    assert fates(on.record("sms.out", 3)) == ["r suppressed"]
    on.record("consent.change", 4, consent={"marketing": True})
    assert fates(on.record("sms.out", 5)) == ["r offer"]
    on.record("complaint", 6)
    assert fates(on.record("sms.out", 7)) == ["r suppressed"]


def test_another_reply_is_no_opt_out() -> None:
    on = Stage(rule("r", TEXT), opt_out=["TD"])
    on.record("sms.reply", 0, number="10086", text="KT1")
    assert fates(on.record("sms.out", 1)) == ["r offer"]


def test_the_first_message_whose_if_holds_is_chosen_and_none_is_channel() -> None:
    send = [
        {"channel": "mms", "if": {"handset.mms": "yes"}, "subject": "S", "text": "【移动】图。退订回R"},
        {"channel": "sms", "if": {"tier": "gold"}, "text": "【移动】字。退订回R"},
    ]
    on = Stage(rule("r", TEXT, offer={"product": "x", "send": send}))
    assert fates(on.record("sms.out", 0)) == ["r channel"]
    on.record("profile.update", 0, profile={"tier": "gold"})
    assert on.record("sms.out", 1)[0]["channel"] == "sms"
    on.record("profile.update", 0, profile={"handset.mms": True})
    decision = on.record("sms.out", 2)[0]
    assert (decision["channel"], decision["subject"]) == ("mms", "S")


def test_the_first_gate_that_refuses_is_the_reason() -> None:
    on = Stage(
        rule("r", TEXT, valid="2026-09-08 to 2026-09-09", who={"tier": "gold"}, except_={"tags": "blocked"}),
        given={"consent": {}, "profile": {"tags": ["blocked"]}},
    )
    on.record("complaint", 0)
    seen: list[str] = []
    for change in (
        {},
        {"profile": {"tier": "gold"}},
        {"profile": {"tags": ["other"]}},
        {"consent": {"marketing": True, "profiling": True}},
    ):
        on.record("profile.update", 0, **change)
        seen += fates(on.record("sms.out", DAY / MINUTE + len(seen)))
    seen[:0] = fates(Stage(rule("r", TEXT, valid="2026-09-08 to 2026-09-09")).record("sms.out", 0))
    assert seen == ["r valid", "r who.tier", "r except.tags", "r consent.marketing", "r suppressed"]


# -- arbitration ---------------------------------------------------------------------------------------------


def test_the_highest_priority_is_taken_and_ties_go_by_name_as_text() -> None:
    on = Stage(rule("r2", TEXT), rule("r10", TEXT), rule("zz", TEXT, priority="60"))
    assert fates(on.record("sms.out", 0)) == ["zz offer", "r10 arbitration", "r2 arbitration"]
    on = Stage(rule("r2", TEXT), rule("r10", TEXT))
    assert fates(on.record("sms.out", 0)) == ["r10 offer", "r2 arbitration"]


def test_one_that_is_refused_by_a_gate_leaves_the_place_to_the_next() -> None:
    on = Stage(rule("a", TEXT, who={"tier": "gold"}), rule("b", TEXT), rule("c", TEXT, who={"tier": "vip"}))
    assert fates(on.record("sms.out", 0)) == ["a who.tier", "b offer", "c who.tier"]


def test_gates_see_the_ledger_as_it_was_before_the_moment() -> None:
    on = Stage(rule("a", TEXT), rule("b", TEXT), contact={"at_most": "1 in 1d"})
    assert fates(on.record("sms.out", 0)) == ["a offer", "b arbitration"]
    assert fates(on.record("sms.out", 1)) == ["a policy.contact", "b policy.contact"]


def test_timers_of_one_due_time_are_one_group_and_others_are_not() -> None:
    wait = {"after": CALL, "no": {"happens": "sms.in"}, "for": "30m"}
    on = Stage(rule("a", wait), rule("b", {**wait, "no": {"happens": "complaint"}}))
    on.record("call.out", 0)
    assert fates(on.tick(60)) == ["a offer", "b arbitration"]
    on = Stage(rule("a", wait), rule("b", {**wait, "for": "31m"}))
    on.record("call.out", 0)
    assert minutes(made := on.tick(60)) == [30, 31]
    assert fates(made) == ["a offer", "b offer"]


# -- holds ---------------------------------------------------------------------------------------------------


def test_in_quiet_time_the_taken_one_is_held_and_sent_at_its_end() -> None:
    on = Stage(rule("r", TEXT, quiet=QUIET))
    (held,) = on.record("sms.out", 30)
    assert (held["outcome"], held["due"]) == ("held", when(60))
    assert on.tick(60) == []
    (sent,) = on.tick(60 + SMALL)
    assert (sent["outcome"], sent["id"], minutes([sent])) == ("offer", held["id"], [60])
    assert sent["due"] is None


def test_quiet_time_is_half_open() -> None:
    on = Stage(rule("r", TEXT, quiet=QUIET))
    assert fates(on.record("sms.out", -SMALL)) == ["r offer"]
    assert fates(on.record("sms.out", 0)) == ["r held"]
    on = Stage(rule("r", TEXT, quiet=QUIET))
    assert fates(on.record("sms.out", 60)) == ["r offer"]


def test_the_policys_and_the_rules_quiet_time_are_one() -> None:
    on = Stage(rule("r", TEXT, quiet="10:30 to 11:00"), quiet=["10:00 to 10:30"])
    (held,) = on.record("sms.out", 5)
    assert held["due"] == when(60)


def test_quiet_time_is_local_to_the_subscriber_if_known() -> None:
    on = Stage(rule("r", TEXT, quiet=QUIET))
    on.record("profile.update", 0, timezone="Asia/Tokyo")
    assert fates(on.record("sms.out", 5)) == ["r offer"]
    assert fates(on.record("sms.out", -55 + 60)) == []
    on = Stage(rule("r", TEXT, quiet="11:00 to 12:00"))
    on.record("profile.update", 0, timezone="Asia/Tokyo")
    assert fates(on.record("sms.out", 5)) == ["r held"]


def test_manual_is_never_held() -> None:
    on = Stage(rule("r", TEXT, quiet=QUIET, offer=MANUAL, send_within="1m"))
    assert fates(on.record("sms.out", 5)) == ["r offer"]


def test_send_within_refuses_what_can_be_sent_only_later() -> None:
    for within, fate in (("30m", "r held"), ("29m", "r send_within")):
        on = Stage(rule("r", TEXT, quiet=QUIET, send_within=within))
        assert fates(on.record("sms.out", 30)) == [fate]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"profile": {"tier": "vip"}}, "who.tier"),
        ({"profile": {"tags": ["blocked"]}}, "except.tags"),
        ({"consent": {"profiling": False}}, "consent.profiling"),
    ],
)
def test_at_a_holds_end_the_gates_are_asked_again(change: Json, reason: str) -> None:
    on = Stage(rule("r", TEXT, quiet=QUIET, who={"tier": "gold"}, except_={"tags": "blocked"}))
    on.record("profile.update", 0, profile={"tier": "gold", "tags": []})
    on.record("sms.out", 30)
    on.record("profile.update", 0, **change)
    assert fates(on.tick(90)) == [f"r {reason}"]
    assert on.sub.contacts == []


def test_a_holds_own_contact_does_not_count_against_it() -> None:
    on = Stage(rule("r", TEXT, quiet=QUIET, at_most="1 in 1d"))
    on.record("sms.out", 30)
    assert fates(on.tick(90)) == ["r offer"]
    assert fates(on.record("sms.out", 91)) == ["r limits.at_most"]


def test_send_within_is_not_asked_again_at_the_end() -> None:
    on = Stage(rule("r", TEXT, quiet=QUIET, send_within="30m"))
    on.record("sms.out", 30)
    assert fates(on.tick(90)) == ["r offer"]


def test_a_hold_that_ends_in_quiet_time_of_a_new_timezone_is_held_again() -> None:
    on = Stage(rule("r", TEXT, quiet=QUIET))
    on.record("sms.out", 30)
    on.record("profile.update", 0, timezone="Asia/Bangkok")
    (again,) = on.tick(61)
    assert (again["outcome"], again["due"], minutes([again])) == ("held", when(120), [60])
    assert fates(on.tick(121)) == ["r offer"]


def test_of_two_holds_of_one_rule_that_end_together_the_second_loses() -> None:
    on = Stage(rule("r", TEXT, quiet=QUIET))
    on.record("sms.out", 10)
    on.record("sms.out", 20)
    made = on.tick(90)
    assert fates(made) == ["r offer", "r arbitration"]
    assert made[0]["id"] != made[1]["id"]


def test_a_hold_that_ends_and_a_timer_of_its_time_are_judged_together() -> None:
    dwell = rule("d", {"stays_in": "cafe", "for": "30m"}, priority="40")
    on = Stage(rule("r", TEXT, quiet=QUIET), dwell)
    on.see(CAFE, 30)
    on.record("sms.out", 35)
    made = on.tick(61)
    assert minutes(made) == [60, 60]
    assert fates(made) == ["r offer", "d arbitration"]


def test_a_hold_whose_rule_is_gone_or_no_longer_live_ends_refused_valid() -> None:
    for after in (rules_of(rule("s", CALL)), rules_of(rule("r", TEXT, quiet=QUIET, status="paused"))):
        on = Stage(rule("r", TEXT, quiet=QUIET))
        (held,) = on.record("sms.out", 30)
        on.switch(after)
        (ended,) = on.tick(90)
        assert (ended["id"], ended["rule"], ended["reason"]) == (held["id"], "r", "valid")
        assert on.sub.contacts == []


def test_at_a_holds_end_the_message_is_the_rules_of_then() -> None:
    on = Stage(rule("r", TEXT, quiet=QUIET))
    on.record("sms.out", 30)
    offer = {"product": "x", "send": [{"channel": "sms", "text": "【移动】新。退订回R"}]}
    on.switch(rules_of(rule("r", TEXT, quiet=QUIET, offer=offer)))
    assert on.tick(90)[0]["text"] == "【移动】新。退订回R"


# -- holdout and shadow --------------------------------------------------------------------------------------


def test_the_held_out_are_control_by_a_keyed_hash() -> None:
    digest = blake2b(f"r\0{KEY}".encode(), digest_size=16, key=b"salt").digest()
    percent = int.from_bytes(digest[:8], "big") / 2**64 * 100
    for share, fate in ((int(percent), "r offer"), (int(percent) + 1, "r control")):
        assert fates(Stage(rule("r", TEXT, holdout=f"{share}%")).record("sms.out", 0)) == [fate]


def test_the_universal_holdout_is_by_subscriber_over_all_rules() -> None:
    digest = blake2b(f"*\0{KEY}".encode(), digest_size=16, key=b"salt").digest()
    percent = int.from_bytes(digest[:8], "big") / 2**64 * 100
    for share, fate in ((int(percent), "offer"), (int(percent) + 1, "control")):
        on = Stage(rule("r", TEXT), rule("s", CALL), holdout=f"{share}%")
        assert fates(on.record("sms.out", 0) + on.record("call.out", 1)) == [f"r {fate}", f"s {fate}"]


def test_quiet_comes_before_holdout() -> None:
    on = Stage(rule("r", TEXT, quiet=QUIET, holdout="100%"))
    assert fates(on.record("sms.out", 30)) == ["r held"]
    assert fates(on.tick(90)) == ["r control"]


def test_a_shadow_rule_loses_to_a_taken_live_one_before_it_and_blocks_nothing() -> None:
    on = Stage(rule("ghost", TEXT, status="shadow", priority="90"), rule("live", TEXT))
    assert fates(on.record("sms.out", 0)) == ["ghost shadow", "live offer"]
    on = Stage(rule("ghost", TEXT, status="shadow", priority="10"), rule("live", TEXT))
    assert fates(on.record("sms.out", 0)) == ["live offer", "ghost arbitration"]


def test_shadow_is_held_like_others_and_knows_no_holdout() -> None:
    on = Stage(rule("r", TEXT, status="shadow", quiet=QUIET, holdout="100%"), holdout="100%")
    (held,) = on.record("sms.out", 30)
    assert (held["outcome"], held["arm"]) == ("held", "shadow")
    assert fates(on.tick(90)) == ["r shadow"]


def test_draft_and_paused_leave_no_record() -> None:
    on = Stage(rule("a", TEXT, status="draft"), rule("b", TEXT, status="paused"))
    assert on.record("sms.out", 0) == []
