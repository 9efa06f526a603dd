"""What random cases leave out, given to both sides: hot subscribers, the opt-out default, manual at night."""

from __future__ import annotations

from typing import Any

import pytest

from tests.differential.compare import difference
from tests.differential.gen_world import Json
from tests.reference import model
from tests.reference.shorthand import IMSI, START, case, moment, rule, told

TEXTS = "{happens: sms.out}"
NIGHT = "{quiet: '21:00 to 09:00'}"
"""START is 10:00: night falls after 11 h and ends after 23 h."""
MANUAL = "[{channel: manual, task: Call them}]"


def whole(*rules: Json) -> tuple[Json, ...]:
    """The rules with all that the loader asks for and the reference model does not read."""
    for one in rules:
        one |= {"title": "A corner", "owner": "tests", "approved_by": "somebody-else"}
        one["goal"] = {"converts_when": {"happens": "product.bought"}, "within": "1d"}
        for message in one["offer"]["send"]:
            if "text" in message:
                message["text"] = "【移动】包。退订回R"
    return rules


def both(text: str, *rules: Json, **changes: Any) -> list[tuple[int, str, str]]:
    """Judge records by both sides, which have to agree; give (µs after START, rule, outcome or reason)."""
    built = case(text, *whole(*rules), **changes)
    assert difference(built) is None
    return [
        (one["at"] - START, one["rule"], f"refused:{one['reason']}" if one["reason"] else one["outcome"])
        for one in model.run(built)["decisions"]
    ]


def many(kind: str, count: int, first: int, apart: int = 0) -> list[Json]:
    """`count` records of a kind from `first` on (µs after START), `apart` µs from one to the next."""
    return [{"kind": kind, "t": START + first + n * apart, "imsi": IMSI} for n in range(count)]


# -- 3: more than 2,000 records of a kind in 48 h ------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "fires"),
    [("48h", True), ("48h-1us", False)],
)
def test_the_2001st_record_within_48_hours_is_hot(last: str, fires: bool) -> None:
    """The first thousand at once: 48 h after them they are out of (now − 48 h, now]."""
    records = many("sms.out", 1_999, 0) + many("sms.out", 1, 1) + many("sms.out", 1, moment(last))
    found = both("", rule(TEXTS), records=records)
    assert [at for at, _, _ in found] == [0, 1, *([moment(last)] if fires else [])]


def test_2000_records_are_not_hot_and_one_more_is() -> None:
    records = many("sms.out", 1_998, 0) + many("sms.out", 4, 1, 1)
    assert [at for at, _, _ in both("", rule(TEXTS), records=records)] == [0, 1, 2]


def test_patterns_over_other_kinds_still_fire() -> None:
    """Also while it is hot for one: a pattern that holds the kind at any depth fires nothing."""
    records = many("sms.out", 2_001, 0)
    records += [{"kind": "call.out", "t": START + 1, "imsi": IMSI}]
    call = "{happens: call.out}"
    either = rule(f"{{any_of: [{call}, {TEXTS}]}}", "r2")
    never = rule(f"{{after: {call}, no: {{count: sms.out, at_least: 9, within: 1m}}, for: 5m}}", "r3")
    found = both("", rule(call), either, never, records=[*records, *many("call.in", 1, moment("10m"))])
    assert found == [(0, "r2", "offer"), (1, "r1", "offer")]


def test_it_ends_when_the_records_are_48_hours_old() -> None:
    records = many("sms.out", 2_001, 0) + many("sms.out", 1, moment("48h"))
    assert [at for at, _, _ in both("", rule(TEXTS), records=records)] == [0, moment("48h")]


# -- 4.8, 7: the words that opt out where the policy names none ----------------------------------------------


@pytest.mark.parametrize("word", ["TD", "R", "退订"])
def test_the_words_that_opt_out_by_default(word: str) -> None:
    found = both(f'0m sms.reply number="10086" text={word}; 1m sms.out', rule(TEXTS))
    assert found == told("1m refused:suppressed")


@pytest.mark.parametrize("word", ["KT", "td", "TDR", "退"])
def test_other_words_do_not(word: str) -> None:
    assert both(f'0m sms.reply number="10086" text={word}; 1m sms.out', rule(TEXTS)) == told("1m offer")


# -- 4.2, 4.3: manual at night -------------------------------------------------------------------------------


def test_manual_is_never_held() -> None:
    one = rule(TEXTS, send=MANUAL, limits="{send_within: 1s}")
    assert both("11h sms.out; 24h sms.in", one, policy=NIGHT) == told("11h offer")


def test_manual_at_night_is_taken_and_the_text_behind_it_loses() -> None:
    call, text = rule(TEXTS, "a", send=MANUAL), rule(TEXTS, "b")
    assert both("11h sms.out", call, text, policy=NIGHT) == told("11h a offer; 11h b refused:arbitration")


def test_manual_at_night_is_control_if_held_out() -> None:
    one = rule(TEXTS, send=MANUAL, limits="{holdout: 100%}")
    assert both("11h sms.out", one, policy=NIGHT) == told("11h control")


def test_a_hold_that_ends_as_manual_is_one() -> None:
    """4.5: rule and message as they are then; the contact is no longer one of the policy."""
    send = "[{channel: manual, if: {age: 20}, task: Call them}, {channel: sms, text: t}]"
    held = rule(TEXTS, "a", send=send)
    other = rule("{happens: sms.in}", "b")
    text = '11h sms.out; 12h profile.update profile={"age":20}; 24h sms.in'
    policy = "{quiet: '21:00 to 09:00', contact: {at_most: 1 in 1d}}"
    assert both(text, held, other, policy=policy) == told("11h a held; 23h a offer; 24h b offer")
