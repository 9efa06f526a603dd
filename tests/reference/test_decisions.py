"""The reference model from instant to decision: hand-computed cases, each named by its sentence of the page.

START is 10:00 in Shanghai, so 21:00 is `11h` and 09:00 of the next day is `23h`.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from .clockface import hold_end, is_quiet, read_intervals
from .intake import normal_number
from .model import run
from .shorthand import CONSENT, IMSI, START, case, decisions, judged, moment, rule, told
from .values import holds, read_amount, read_time

SMS = "{happens: sms.out}"
NIGHT = "{quiet: '21:00 to 09:00'}"
ONE_A_DAY = "{contact: {at_most: [1 in 1d]}}"
MANUAL = "[{channel: manual, task: call}]"


def person(**fields: Any) -> dict[str, Any]:
    """Give the profiles of a case with one subscriber."""
    return {"profiles": [{"subscriber": IMSI, "consent": CONSENT, **fields}]}


def verdicts(text: str, *rules: dict[str, Any], **changes: Any) -> list[tuple[int, str, str]]:
    """Judge a case that runs on for nine days, so that every hold ends."""
    return judged(text, *rules, **{"until": START + moment("9d"), **changes})


# ---- gates ----


def test_gates_refuse_in_their_order() -> None:
    """4.2: the first that refuses is the reason; each step mends what the one before refused."""
    shape = {
        "who": "{age: 20}",
        "its_except": "{tags: a}",
        "send": "[{channel: sms, if: {mms: yes}, text: t}]",
    }
    limits = "{at_most: 1 in 1d, only_one_of: g1, send_within: 1m, quiet: '00:00 to 23:59'}"
    given: dict[str, Any] = {"age": 21, "tags": ["a"], "consent": {}, "mms": False}
    found = []

    def judge(valid: str = "2026-09-01 to 2026-09-30", text: str = "1m sms.out", policy: str = "{}") -> None:
        one = rule(SMS, valid=valid, limits=limits, **shape)
        two = rule("{happens: sms.in}", "r0", limits="{only_one_of: g1}")
        profiles = [{"subscriber": IMSI, **given}]
        last = verdicts(text, one, two, policy=policy, profiles=profiles)[-1]
        found.append(last[2].partition(":")[2])

    judge(valid="2026-09-01 to 2026-09-04")
    judge()
    given["age"] = 20
    judge()
    given["tags"] = []
    judge()
    given["consent"] = {"marketing": True}
    judge()
    given["consent"] = CONSENT
    judge(text="0m complaint; 1m sms.out")
    judge()
    given["mms"] = True
    judge(text="0m sms.in; 1m sms.out", policy=ONE_A_DAY)
    judge(text="0m sms.in; 1m sms.out")
    judge()
    gates = "valid who.age except.tags consent.marketing consent.profiling suppressed channel"
    assert found == [*gates.split(), "policy.contact", "only_one_of", "send_within"]


def test_consent_for_location_if_the_pattern_names_a_place() -> None:
    """4.2 gate 4, 7(n)."""
    profiles = [{"subscriber": IMSI, "consent": {"marketing": True, "profiling": True}}]
    when = "{happens: sms.out, where: {place: p1}}"
    text = "0m sms.out cell=c1"
    assert verdicts(text, rule(when), profiles=profiles) == told("0m refused:consent.location")
    assert verdicts(text, rule(SMS), profiles=profiles) == told("0m offer")


def test_unknown_refuses_and_an_empty_set_is_known() -> None:
    """4.7."""
    one = rule(SMS, its_except="{tags: a}")
    assert verdicts("0m sms.out", one) == told("0m refused:except.tags")
    assert verdicts("0m sms.out", one, **person(tags=[])) == told("0m offer")
    two = rule(SMS, who="{tags: not a}")
    assert verdicts("0m sms.out", two) == told("0m refused:who.tags")
    assert verdicts("0m sms.out", two, **person(tags=[])) == told("0m offer")


def test_profile_updates_merge_by_field() -> None:
    """4.8: null = unknown."""
    one, text = rule(SMS, who="{age: at least 18}"), "0m sms.out; 1m profile.update profile=%s; 2m sms.out"
    changed = verdicts(text % '{"age":null}', one, **person(age=18))
    assert changed == told("0m offer; 2m refused:who.age")
    assert verdicts(text % '{"x":1}', one, **person(age=18)) == told("0m offer; 2m offer")


def test_the_first_message_that_fits() -> None:
    """4.2 gate 6, 4.7: an unknown value in `if`: the message is not for them."""
    send = "[{channel: manual, if: {tier: vip}, task: t}, {channel: mms, if: {age: 20}, text: t}]"
    one = rule(SMS, send=send)
    assert decisions("0m sms.out", one, **person(age=20))[0]["channel"] == "mms"
    assert decisions("0m sms.out", one, **person(age=20, tier="vip"))[0]["channel"] == "manual"
    assert verdicts("0m sms.out", one) == told("0m refused:channel")


def test_caps_count_in_half_open_windows() -> None:
    """4.2 gate 7: fewer than N contacts in (now − T, now]."""
    one = rule(SMS, limits="{at_most: 1 in 1h}")
    assert verdicts("0m sms.out; 1h sms.out", one) == told("0m offer; 1h offer")
    refused = told("0m offer; 1h-1us refused:limits.at_most")
    assert verdicts("0m sms.out; 1h-1us sms.out", one) == refused


def test_policy_caps_and_the_tier_line() -> None:
    """4.2 gate 8: every general line and the line of a known equal tier."""
    text, policy = (
        "0m sms.out; 1m sms.out; 2m sms.out",
        "{contact: {at_most: 2 in 1d, by_tier: {vip: 1 in 1d}}}",
    )
    third = "2m refused:policy.contact"
    assert verdicts(text, rule(SMS), policy=policy) == told(f"0m offer; 1m offer; {third}")
    vip = verdicts(text, rule(SMS), policy=policy, **person(tier="vip"))
    assert vip == told(f"0m offer; 1m refused:policy.contact; {third}")


def test_manual_tasks_and_the_policy() -> None:
    """4.2 gate 8, 4.4: not judged for `manual`, nor does it count; of its group it does."""
    manual = rule("{happens: sms.in}", "m", send=MANUAL, limits="{only_one_of: g1}")
    text = "0m sms.out; 1m sms.in; 2m sms.out"
    policy = "{contact: {at_most: 2 in 1d}}"
    assert verdicts(text, rule(SMS), manual, policy=policy) == told("0m offer; 1m m offer; 2m offer")
    grouped = verdicts("1m sms.in; 2m sms.out", rule(SMS, limits="{only_one_of: g1}"), manual)
    assert grouped == told("1m m offer; 2m refused:only_one_of")
    assert verdicts("11h sms.in", manual, policy=NIGHT) == told("11h m offer")  # 4.3: never held


def test_a_rejecting_receipt_removes_the_contact() -> None:
    """4.4: from then on; other receipts do not."""
    one = rule(SMS, limits="{at_most: 1 in 1d}")
    ident = decisions("0m sms.out", one)[0]["id"]
    text = f"0m sms.out; 1m offer.receipt decision={ident} status=%s; 2m sms.out"
    assert verdicts(text % "rejected", one) == told("0m offer; 2m offer")
    assert verdicts(text % "failed", one) == told("0m offer; 2m refused:limits.at_most")


def test_suppression() -> None:
    """4.8, 7(l): before the rules on the own record; until `marketing: true`."""
    policy = "{opt_out: [TD, R]}"
    texts = "0m sms.reply number=10086 text=%s; 1m sms.out; 2m consent.change consent=%s; 3m sms.out"
    lifted = told("1m refused:suppressed; 3m offer")
    assert verdicts(texts % ("TD", '{"marketing":true}'), rule(SMS), policy=policy) == lifted
    kept = told("1m refused:suppressed; 3m refused:suppressed")
    assert verdicts(texts % ("R", '{"profiling":true}'), rule(SMS), policy=policy) == kept
    assert verdicts(texts % ("KT", "{}"), rule(SMS), policy=policy) == told("1m offer; 3m offer")
    own = rule("{happens: complaint}")
    assert verdicts("0m complaint", own) == told("0m refused:suppressed")


def test_products_bought() -> None:
    """4.8, 7(l): unknown `products` becomes known, before the rules on the own record."""
    one = rule("{happens: product.bought}", its_except="{products: a}")
    expected = told("0m offer; 1m refused:except.products")
    assert verdicts("0m product.bought product=b; 1m product.bought product=a", one) == expected


# ---- arbitration, holdout, shadow ----


def test_arbitration_by_priority_then_name() -> None:
    """4.1, 4.3: a taken rule refuses every other that passes; gates see the ledger as it was before."""
    text, second = "0m sms.out", "{priority: 50, at_most: 1 in 1d}"
    same = verdicts(text, rule(SMS, "r2"), rule(SMS, "r10"), policy=ONE_A_DAY)
    assert same == told("0m r10 offer; 0m r2 refused:arbitration")
    higher = verdicts(text, rule(SMS, "r2", limits="{priority: 51}"), rule(SMS, "r10", limits=second))
    assert higher == told("0m r2 offer; 0m r10 refused:arbitration")
    early = verdicts(text, rule(SMS, "r1", who="{age: 1}"), rule(SMS, "r2"))
    assert early == told("0m refused:who.age; 0m r2 offer")


def test_control_is_a_contact_of_its_rule_only() -> None:
    """4.3, 4.4, 4.9."""
    held_out = rule(SMS, limits="{holdout: 100%, at_most: 1 in 1d, only_one_of: g1}")
    other = rule("{happens: sms.in}", "r2", limits="{only_one_of: g1}")
    found = verdicts("0m sms.out; 1m sms.out; 2m sms.in", held_out, other, policy=ONE_A_DAY)
    assert found == told("0m control; 1m refused:limits.at_most; 2m r2 offer")
    assert verdicts("0m sms.out", rule(SMS), policy="{holdout: 100%}") == told("0m control")


def test_hashes() -> None:
    """7(u): subscriber key, decision id, holdout."""

    def keyed(key: str, text: str) -> bytes:
        return hashlib.blake2b(text.encode(), key=key.encode(), digest_size=16).digest()

    found = decisions("5m sms.out", rule(SMS))[0]
    key = keyed("k", IMSI).hex()
    assert found["subscriber_key"] == key
    assert found["id"] == keyed("s", f"r1\0{key}\0{START + moment('5m')}").hex()
    share = int.from_bytes(keyed("s", f"r1\0{key}")[:8], "big") / 2**64
    below, above = (rule(SMS, limits=f"{{holdout: {share * 100 + step:.6f}%}}") for step in (-0.001, 0.001))
    assert verdicts("0m sms.out", below) == told("0m offer")
    assert verdicts("0m sms.out", above) == told("0m control")


def test_shadow_rules() -> None:
    """4.6, 7(m): block nothing, lose to a live rule ranked before them, see their own contacts."""
    shade = rule(
        SMS, "s", status="shadow", limits="{priority: 60, at_most: 1 in 1h, only_one_of: g1, holdout: 100%}"
    )
    live = rule(SMS, "l", limits="{only_one_of: g1}")
    assert verdicts("0m sms.out", shade, live) == told("0m s shadow; 0m l offer")
    before = rule(SMS, "l", limits="{priority: 70}")
    assert verdicts("0m sms.out", shade, before) == told("0m s refused:arbitration; 0m l offer")
    alone = verdicts("0m sms.out; 1m sms.out; 1h sms.out", shade)
    assert alone == told("0m s shadow; 1m s refused:limits.at_most; 1h s refused:only_one_of")
    assert decisions("0m sms.out", shade)[0]["arm"] == "shadow"
    assert verdicts("11h sms.out", shade, policy=NIGHT) == told("11h s held; 23h s shadow")
    assert verdicts("0m sms.out", rule(SMS, status="draft"), rule(SMS, status="paused")) == []


# ---- holds ----


def test_quiet_time_is_half_open() -> None:
    """4.10."""
    assert verdicts("11h-1us sms.out", rule(SMS), policy=NIGHT) == told("11h-1us offer")
    assert verdicts("11h sms.out", rule(SMS), policy=NIGHT) == told("11h held; 23h offer")
    assert verdicts("23h-1us sms.out", rule(SMS), policy=NIGHT) == told("23h-1us held; 23h offer")
    assert verdicts("23h sms.out", rule(SMS), policy=NIGHT) == told("23h offer")


def test_a_hold_and_its_end() -> None:
    """4.5, 5: a second line with the same id and `at` = the end; it waits for all records up to its due."""
    held, sent = decisions("11h sms.out; 24h sms.in", rule(SMS), policy=NIGHT)
    assert held["id"] == sent["id"]
    assert (held["due"], sent["due"]) == (START + moment("23h"), None)
    gone = verdicts("11h sms.out; 23h complaint; 25h sms.in", rule(SMS), policy=NIGHT)
    assert gone == told("11h held; 23h refused:suppressed")


def test_send_within_bounds_the_hold() -> None:
    """4.2 gate 10: refused if the first moment is later than the stamp + `send_within`."""
    for span, expected in (("12h", "11h held; 23h offer"), ("11h59m59s", "11h refused:send_within")):
        one = rule(SMS, limits=f"{{send_within: {span}}}")
        assert verdicts("11h sms.out", one, policy=NIGHT) == told(expected)


def test_a_hold_is_a_contact_of_its_rule() -> None:
    """4.4, 4.5, 7(p): the gates are judged again without its own contact."""
    one = rule(SMS, limits="{at_most: 1 in 7d}")
    found = verdicts("11h sms.out; 12h sms.out", one, policy=NIGHT)
    assert found == told("11h held; 12h refused:limits.at_most; 23h offer")
    twice = verdicts("11h sms.out; 12h sms.out", rule(SMS, limits="{at_most: 3 in 7d}"), policy=NIGHT)
    assert twice == told("11h held; 12h held; 23h offer; 23h refused:arbitration")
    lines = decisions("11h sms.out; 12h sms.out; 24h tick", rule(SMS), policy=NIGHT)
    of = {one["outcome"]: one["id"] for one in lines}
    assert [one["outcome"] for one in lines[:2]] == ["held", "held"]
    assert (of["offer"], of["refused"]) == (lines[0]["id"], lines[1]["id"])  # 4.1: the earlier instant first


def test_hold_ends_of_two_rules_compete() -> None:
    """3, 4.1: hold ends are timers; one group is judged together."""
    found = verdicts("11h sms.out; 12h sms.in", rule(SMS, "r2"), rule("{happens: sms.in}"), policy=NIGHT)
    assert found == told("11h r2 held; 12h r1 held; 23h r1 offer; 23h r2 refused:arbitration")


def test_the_subscribers_timezone_and_the_policys_dates() -> None:
    """4.10: time of day by the subscriber's timezone, `valid` by the policy's."""
    tokyo = verdicts("10h sms.out", rule(SMS), policy=NIGHT, **person(timezone="Asia/Tokyo"))
    assert tokyo == told("10h held; 22h offer")
    one = rule(SMS, valid="2026-09-05 to 2026-09-05")
    found = verdicts("14h-1us sms.out; 14h sms.out", one, **person(timezone="Asia/Tokyo"))
    assert found == told("14h-1us offer; 14h refused:valid")


@pytest.mark.parametrize(
    ("now", "quiet", "end"),
    [
        ("2026-03-29T00:30", "21:00 to 02:30", "2026-03-29T01:00"),  # the gap: 02:00 becomes 03:00
        ("2026-03-28T23:00", "21:00 to 09:00", "2026-03-29T07:00"),
        ("2026-10-25T00:10", "21:00 to 02:30", "2026-10-25T00:30"),  # the first 02:10, the first 02:30
        ("2026-10-25T01:10", "21:00 to 02:30", "2026-10-25T01:30"),  # the second 02:10, the second 02:30
        ("2026-10-25T00:10", "02:00 to 03:00", "2026-10-25T02:00"),  # 02:00 to 03:00 comes twice
    ],
)
def test_hold_ends_by_the_wall_clock(now: str, quiet: str, end: str) -> None:
    """4.10: DST gaps and folds included (Berlin)."""
    zone, intervals = ZoneInfo("Europe/Berlin"), read_intervals(quiet)
    start, due = (int(datetime.fromisoformat(x).replace(tzinfo=UTC).timestamp()) * 10**6 for x in (now, end))
    assert is_quiet(start, zone, intervals)
    assert hold_end(start, zone, intervals) == due


def test_rule_and_policy_quiet_together() -> None:
    """4.10: the union of both; a day without an end is refused by `send_within`."""
    one = rule(SMS, limits="{quiet: '09:00 to 10:30'}")
    assert verdicts("11h sms.out", one, policy=NIGHT) == told("11h held; 24h30m offer")
    never = rule(SMS, limits="{quiet: '09:00 to 21:00'}")
    assert verdicts("11h sms.out", never, policy=NIGHT) == told("11h refused:send_within")


# ---- intake, end of the input, values ----


def test_the_binding_of_imsi_and_msisdn() -> None:
    """6, 7(u): a record that only has the MSISDN gets the IMSI's key."""
    records = [
        {"kind": "sms.out", "t": START, "msisdn": "+8613800138000"},
        {"kind": "call.out", "t": START + 1, "subscriber": IMSI},
        {"kind": "bill", "t": START + 2, "imsi": IMSI, "msisdn": "+8613900139000", "subscriber": "other"},
    ]
    when = "{sequence: [{happens: sms.out}, {happens: call.out}, {happens: bill}], within: 1h}"
    profile = {"subscriber": IMSI, "msisdn": "+8613800138000", "consent": CONSENT}
    assert verdicts("", rule(when), records=records, profiles=[profile]) == told("2us offer")
    assert verdicts("", rule(when), records=records) == []


def test_the_summary_balances() -> None:
    """7, shapes; 7(r): `t` before 2000 or from 2100 on."""
    text = "0m sms.out id=a; 1m sms.out id=a; 2h sms.in; 59m sms.in; 2h tick; 2h profile.update"
    built = case(text, rule(SMS))
    built["records"] += [
        {"kind": "sms.in", "t": START},
        {"kind": "sms.no", "t": START, "imsi": IMSI},
        {"kind": "sms.in", "t": 946_684_800_000_000 - 1, "imsi": IMSI},
        {"kind": "sms.in", "t": 4_102_444_800_000_000, "imsi": IMSI},
    ]
    summary = run(built)["summary"]
    counts = {"read": 10, "applied": 4, "duplicate": 1, "late": 1, "refused": 4}
    assert {name: summary[name] for name in counts} == counts
    assert sum(summary["refused_by"].values()) == 4
    assert summary["decisions"] == {"r1": {"offer": 1}}


def test_the_closing_tick() -> None:
    """6, 7(s): one µs after the newest record; `until`: drops what is later, ends at T + 1 µs."""
    wait = rule("{after: {happens: sms.out}, no: {happens: call.out}, for: 10m}")
    assert judged("0m sms.out; 10m-1us sms.in", wait) == []
    assert judged("0m sms.out; 10m sms.in", wait) == told("10m offer")
    for last, expected in (("10m-1us", ""), ("10m", "10m offer")):
        until = START + moment(last)
        assert judged("0m sms.out; 11m sms.in; 5m call.in", wait, until=until) == told(expected)
    assert run(case("0m sms.out; 11m sms.in", wait, until=START))["summary"]["read"] == 1


def test_places_of_decisions() -> None:
    """3: of several members at one time the first in the group's list; a composite: see the contract."""
    enter = "{enters: g}"
    assert decisions("0m see both", rule(enter))[0]["place"] == "p1"
    pair = f"{{sequence: [{enter}, {SMS}], within: 1h}}"
    assert decisions("0m see p2; 1m sms.out", rule(pair))[0]["place"] == "p2"
    assert decisions("0m sms.out", rule(SMS))[0]["place"] is None


@pytest.mark.parametrize(
    ("number", "kept"),
    [("+86 (10) 0-8.6", "10086"), ("008610086", "10086"), ("8610086", "8610086"), ("95/555", "95555")],
)
def test_short_numbers(number: str, kept: str) -> None:
    """7(t): separators removed, then the home country's code; up to 8 digits are kept."""
    assert normal_number(number, "k") == kept


def test_long_numbers_are_hashed() -> None:
    """7(t): of more than 8 digits only the keyed hash, the same however it is written."""
    hashed = hashlib.blake2b(b"13800138000", key=b"k", digest_size=16).hexdigest()
    assert {normal_number(x, "k") for x in ("13800138000", "+86 138-0013-8000")} == {hashed}


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("58 yuan", 58),
        ("5800 fen", 58),
        ("20%", 20),
        ("1 KB", 1024),
        ("2MB", 2 << 20),
        ("1 GB", 1 << 30),
        ("1m30s", 90),
    ],
)
def test_units(text: str, amount: int) -> None:
    """4.11."""
    assert read_amount(text) == amount


def test_words() -> None:
    """4.11, 4.7: `A to B` includes both ends; sets match on any common element; text compares exactly."""
    assert [holds("17 to 26", age) for age in (16, 17, 26, 27)] == [False, True, True, False]
    assert [holds(f"{word} 58 yuan", 58) for word in ("at least", "at most", "over", "under")] == [
        True,
        True,
        False,
        False,
    ]
    assert holds(["a", "b"], ["x", "b"], as_text=True)
    assert not holds("gotone", "GoTone", as_text=True)
    assert holds("no", False)
    assert read_time("48h1s") == 172_801_000_000
