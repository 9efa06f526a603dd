"""What a case expects, and how it says that something else came."""

from __future__ import annotations

import pytest

from tests.unit.rule_tests.support import CALLS, MALL, problems

COMES = "events: [{at: +0m, enters: mall-wulin}]\n"
THRICE = "events: [{at: +0h, happens: call.out, number: 10010, duration: 95s, times: 3, every: 10m}]\n"
TWICE_A_WEEK = """\
events:
  - {at: +0h, happens: call.out, number: 10010, duration: 95s, times: 3, every: 10m}
  - {at: +7d, happens: call.out, number: 10010, duration: 95s, times: 3, every: 10m}
"""


@pytest.mark.parametrize(
    ("expect", "problem"),
    [
        ("[{at: +30m, offer: mall-coupon}]", None),
        ("[{at: +30m, offer: mall-coupon, channel: sms}]", None),
        ("[{at: +31m, offer: mall-coupon}]", "line 7: expected the offer at +31m, was at +30m"),
        ("[{at: +30m, offer: trial-100m}]", "line 7: expected an offer of trial-100m, was mall-coupon"),
        ("[{at: +30m, offer: mall-coupon, channel: mms}]", "line 7: expected channel mms, was sms"),
        (
            "[{at: +30m, offer: mall-coupon}, {at: +2h, offer: mall-coupon}]",
            "line 7: expected an offer of mall-coupon at +2h, was none: the pattern did not match then",
        ),
        ("nothing\nbecause: when", "expected nothing, was an offer of mall-coupon by sms at +30m"),
        ("[{at: +30m, offer: mall-coupon}]\nthen: when", None),
        (
            "[{at: +30m, offer: mall-coupon}]\nthen: limits.at_most",
            "expected then: limits.at_most, was when (the pattern never matched)",
        ),
    ],
)
def test_an_offer_is_compared(expect: str, problem: str | None) -> None:
    assert problems("mall-dwell", MALL, f"{COMES}expect: {expect}") == ((problem,) if problem else ())


def test_a_text_is_compared_letter_by_letter() -> None:
    found = problems("mall-dwell", MALL, f"{COMES}expect: [{{at: +30m, offer: mall-coupon, text: 商圈}}]")
    assert len(found) == 1
    assert found[0].startswith("line 7: expected the text marked -, was +\n  - 商圈\n")


@pytest.mark.parametrize(
    ("given", "because", "was"),
    [
        ("{arpu: 10 yuan}", "who.arpu", None),
        ("{arpu: 10 yuan}", "when", "expected nothing because when, was nothing because who.arpu"),
        ("{arpu: unknown}", "who.arpu", None),
        ("{consent.location: no}", "consent.location", None),
        ("{consent.marketing: unknown}", "consent.marketing", None),
        ("{tags: [do-not-disturb]}", "except.tags", None),
    ],
)
def test_nothing_has_a_reason(given: str, because: str, was: str | None) -> None:
    case = f"given: {given}\n{COMES}expect: nothing\nbecause: {because}"
    assert problems("mall-dwell", MALL, case) == ((was,) if was else ())


def test_a_pattern_that_never_matched_is_when() -> None:
    case = "events: [{at: +0m, enters: campus-north}]\nexpect: nothing\nbecause: "
    assert problems("mall-dwell", MALL, case + "when") == ()
    said = "expected nothing because who.arpu, was nothing because when (the pattern never matched)"
    assert problems("mall-dwell", MALL, case + "who.arpu") == (said,)


def test_then_names_what_stopped_the_next_match() -> None:
    case = f"{TWICE_A_WEEK}expect: [{{at: +20m, offer: retention-plan}}]\nthen: "
    assert problems("competitor-calls", CALLS, case + "limits.at_most") == ()
    assert problems("competitor-calls", CALLS, case + "policy.contact") == (
        "expected then: policy.contact, was limits.at_most",
    )


def test_then_is_about_the_first_match_after_the_last_offer_not_a_later_one() -> None:
    over = "  - {at: +118d, happens: call.out, number: 10010, duration: 95s, times: 3, every: 10m}\n"
    case = f"{TWICE_A_WEEK}{over}expect: [{{at: +20m, offer: retention-plan}}]\nthen: "
    assert problems("competitor-calls", CALLS, case + "limits.at_most") == ()
    assert problems("competitor-calls", CALLS, case + "valid") == (
        "expected then: valid, was limits.at_most",
    )


def test_the_control_arm_is_given_whatever_the_share() -> None:
    case = f"arm: control\n{COMES}expect: nothing\nbecause: holdout"
    assert problems("mall-dwell", MALL, case) == ()
    treated = f"{COMES}expect: [{{at: +30m, offer: mall-coupon}}]"
    assert problems("mall-dwell", MALL, treated, **{"holdout: 20%": "holdout: 100%"}) == ()


def test_a_control_is_the_reason_also_when_its_contact_stops_the_next_match() -> None:
    case = f"arm: control\n{TWICE_A_WEEK}expect: nothing\nbecause: "
    assert problems("competitor-calls", CALLS, case + "holdout") == ()
    assert problems("competitor-calls", CALLS, case + "limits.at_most") != ()


def test_then_names_what_stopped_the_next_match_after_the_last_held_out() -> None:
    """semantics 4.4: `control` is a contact of its rule, so the limit counts it."""
    case = f"arm: control\n{TWICE_A_WEEK}expect: nothing\nbecause: holdout\nthen: "
    assert problems("competitor-calls", CALLS, case + "limits.at_most") == ()
    assert problems("competitor-calls", CALLS, case + "when") == ("expected then: when, was limits.at_most",)


def test_of_several_matches_because_is_about_the_last() -> None:
    rich = "{happens: call.out, number: 10010, duration: 95s, times: 3, every: 10m}"
    case = f"events: [{{at: +0h, {rich[1:-1]}}}, {{at: +7d, {rich[1:-1]}}}]\nexpect: nothing\nbecause: "
    over = {"valid: 2026-01-01": "valid: 2026-09-12"}  # the first match is before it, the second within
    poor = "given: {network.months: 30, arpu: 1 yuan, tags: []}\nstarts: 2026-09-05 10:00\n"
    assert problems("competitor-calls", poor, case + "who.arpu", **over) == ()
    assert problems("competitor-calls", poor, case + "valid", **over) == (
        "expected nothing because valid, was nothing because who.arpu",
    )


@pytest.mark.parametrize("status", ["draft", "shadow", "paused"])
def test_a_rule_is_tested_as_if_it_were_live(status: str) -> None:
    case = f"{THRICE}expect: [{{at: +20m, offer: retention-plan}}]"
    assert problems("competitor-calls", CALLS, case, **{"status: live": f"status: {status}"}) == ()


def test_a_rule_is_tested_within_its_dates() -> None:
    case = f"starts: 2019-09-05 10:00\n{THRICE}expect: nothing\nbecause: valid"
    assert problems("competitor-calls", CALLS, case) == ()
