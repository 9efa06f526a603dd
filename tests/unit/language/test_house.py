"""Policy, catalogue, and the rule within them."""

from __future__ import annotations

import pytest

from engine.language.model import DAY, HOUR, MINUTE, Cap, FieldSpec, Policy, Product
from tests.unit.language.texts import codes, good, load, rule_of, rule_text


def test_what_a_policy_does_not_give_keeps_its_default() -> None:
    fresh = good(load(rule_text(), policy="groups: {}")).policy
    assert fresh == Policy()
    assert good(load(rule_text(), policy="# nothing")).policy == Policy()


def test_policy() -> None:
    policy = good(load(rule_text(), policy="""\
window: 48h
timezone: Europe/Berlin
quiet: [21:00 to 09:00, 12:00 to 13:30]
patience: 90s
presence: {lapse: {LTE: 58m, GSM: 4h}, bridge: 3h}
contact: {at_most: 1 in 1d, by_tier: {vip: 2 in 30d}}
groups: {upsell: {cooldown: 7d}, once: {cooldown: 0m}}
holdout: 2%
opt_out: [TD, R]
""")).policy  # fmt: skip
    assert policy == Policy(
        window=48 * HOUR,
        timezone="Europe/Berlin",
        quiet=((1_260, 540), (720, 810)),
        patience=90_000_000,
        lapse=58 * MINUTE,
        lapse_by_rat={"LTE": 58 * MINUTE, "GSM": 4 * HOUR},
        bridge=3 * HOUR,
        contact=(Cap(1, DAY),),
        contact_by_tier={"vip": Cap(2, 30 * DAY)},
        groups={"upsell": 7 * DAY, "once": 0},
        holdout=0.02,
        opt_out=("TD", "R"),
    )


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        ("window: 49h", "R108"),
        ("patience: 61m", "R108"),
        ("timezone: Mars/Base", "R106"),
        ("timezone: ../../etc/passwd", "R106"),
        ("quiet: 9 to 5", "R107"),
        ("presence: {lapse: {5G: 1h}}", "R106"),
        ("presence: 58m", "R108"),
        ("contact: {by_tier: {vpi: 1 in 1d}}", "R208"),
        ("groups: {upsell: {}}", "R102"),
        ("holdout: 0.02", "R209"),
        ("holdouts: 2%", "R101"),
        ("- a", "R108"),
        ("a: [", "R001"),
    ],
)
def test_a_wrong_policy_is_the_only_thing_reported(policy: str, code: str) -> None:
    loaded = load(
        rule_text(limits=", only_one_of: upsell") if policy in ("- a", "a: [") else rule_text(), policy=policy
    )
    assert codes(loaded) == [code]
    assert loaded.ruleset is None


def test_catalogue() -> None:
    catalog = good(load(rule_text())).catalog
    assert catalog.fields["brand"] == FieldSpec("brand", "text", ("GoTone", "M-Zone"), "")
    assert catalog.fields["month"].type == "bytes"
    assert catalog.places["north"].cells == ("460-00-1-1", "460-00-1-2")
    assert catalog.places["south"].cells == ("460-00-2-1", "460-00-2-2")
    assert catalog.groups == {"both": ("south", "north")}
    assert catalog.numbers == {"hotline": ("10086",), "rivals": ("10010", "10000")}
    assert catalog.products["pack"] == Product("pack", "包", 20.0, "KT1")
    assert catalog.products["free"] == Product("free", "赠", 0.5, "")


def test_a_broken_entry_of_the_catalogue_may_still_be_named() -> None:
    loaded = load(rule_text(who="{arpu: x}"), fields="arpu: {type: monney}", policy="window: 48h")
    assert codes(loaded) == ["R106"]


@pytest.mark.parametrize(
    ("limits", "codes_"),
    [
        (", only_one_of: upsell", []),
        (", only_one_of: upsel", ["R401"]),
        (", quiet: 12:00 to 14:00", []),
        (", quiet: 09:00 to 21:00", ["R403"]),
        (", quiet: [08:00 to 15:00, 14:00 to 21:00]", ["R403"]),
    ],
)
def test_limits_within_the_house(limits: str, codes_: list[str]) -> None:
    sms = "{channel: sms, text: '【移动】包。退订回R'}"
    assert codes(load(rule_text(send=sms, limits=limits))) == codes_
    # nothing is quiet for what a person sees to (semantics 4)
    assert codes(load(rule_text(limits=limits))) == [code for code in codes_ if code != "R403"]


@pytest.mark.parametrize(
    ("cap", "refused"),
    [
        ("1 in 1d", False),
        ("1 in 25h", False),
        ("1 in 1h", True),
        ("2 in 1d", True),
        ("2 in 2d", False),
        ("4 in 7d", True),
        ("4 in 30d", False),
        ("5 in 7d", True),
        ("5 in 60d", False),
    ],
)
def test_a_cap_may_tighten_the_policy_and_never_loosen_it(cap: str, refused: bool) -> None:
    sms = "{channel: sms, text: 【移动】退订回R}"
    rule = rule_text(send=sms).replace("1 in 14d", cap)
    assert codes(load(rule)) == (["R402"] if refused else [])
    by_hand = rule_text().replace("1 in 14d", cap)  # a task is no message: the policy's limits are not asked
    assert codes(load(by_hand)) == []


@pytest.mark.parametrize(
    ("who", "excepts", "cap", "refused"),
    [
        ("tier: vip", "", "3 in 30d", True),
        ("tier: vip", "", "2 in 29d", True),
        ("tier: vip", "", "2 in 30d", False),
        ("tier: vip", "", "1 in 30d", False),
        ("tier: vip", "", "3 in 31d", False),
        ("tier: [vip, gold]", "", "3 in 30d", False),
        ("tier: [vip, gold]", "tier: gold", "3 in 30d", True),
        ("tier: not gold", "", "3 in 30d", True),
        ("", "tier: gold", "3 in 30d", True),
        ("", "", "3 in 30d", False),
        ("brand: GoTone", "", "3 in 30d", False),
    ],
)
def test_the_limit_of_a_tier_holds_for_rules_that_are_for_it(
    who: str, excepts: str, cap: str, refused: bool
) -> None:
    sms = "{channel: sms, text: 【移动】退订回R}"
    rule = rule_text(send=sms, who=f"{{{who}}}", excepts=f"{{{excepts}}}").replace("1 in 14d", cap)
    assert codes(load(rule)) == (["R402"] if refused else [])


def test_limits() -> None:
    limits = rule_of(rule_text(limits=", only_one_of: upsell, quiet: 12:00 to 14:00")).limits
    assert (limits.priority, limits.at_most, limits.send_within) == (5, Cap(1, 14 * DAY), HOUR)
    assert (limits.holdout, limits.only_one_of, limits.quiet) == (0.05, "upsell", ((720, 840),))


def test_approval() -> None:
    live = rule_text(status="live")
    assert codes(load(live)) == []
    assert codes(load(live.replace("approved_by: lead\n", ""))) == ["R202"]
    assert codes(load(live.replace("approved_by: lead", "approved_by: team"))) == ["R202"]
    assert codes(load(rule_text().replace("approved_by: lead\n", ""))) == []
