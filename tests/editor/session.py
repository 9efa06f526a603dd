"""A session of an author in an editor, step by step: `^` in a text is the cursor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

RULE: Final = "examples/campus/evening-shopper.yaml"
TESTS: Final = "examples/campus/evening-shopper.test.yaml"


@dataclass(frozen=True, slots=True)
class Step:
    """What is done: `complete` asks what is offered at the cursor, `hover` rests on it, `look` reads."""

    say: str
    does: Literal["complete", "hover", "look"]
    text: str
    file: str = RULE


WHOLE: Final = """\
rule: evening-shopper
title: Data for people who stay in a mall and ring the hotline
owner: city-team
status: draft
valid: 2026-09-01 to 2026-12-31
schedule: {days: [mon to fri, sun], hours: 10:00 to 22:00}
when:
  sequence:
    - {count: call.out, where: {number: hotline, duration: at least 30s}, at_least: 2, within: 6h}
    - {stays_in: malls, for: 30m}
  within: 12h
who:
  arpu: at least 50 yuan
  age: 18
  brand: not M-Zone
  rfm: [211, 212]
  handset.mms: yes
except:
  tags: do-not-disturb
offer:
  product: mall-coupon
  send:
    - channel: sms
      text: 【移动】{product.name}仅{product.price},回复{product.reply}领取。退订回R。
limits:
  priority: 30
  only_one_of: welcome
  at_most: 1 in 14d
  quiet: [12:00 to 14:00, 18:00 to 19:30]
  send_within: 1h
  holdout: 10%
goal:
  converts_when: {happens: product.bought, where: {product: mall-coupon}}
  within: 1d
"""


def _mistake(say: str, right: str, wrong: str) -> Step:
    assert WHOLE.count(right) == 1, right
    return Step(f"a slip: {say}", "look", WHOLE.replace(right, wrong))


STEPS: Final = (
    Step("a new file", "complete", "rule: evening-shopper\n^"),
    Step("how far it has come", "complete", "status: ^"),
    Step("when it is valid", "complete", "valid: ^"),
    Step("on which days", "complete", "schedule:\n  days:\n    - ^"),
    Step("what it waits for: the verbs", "complete", "when:\n  ^"),
    Step("where somebody stays", "complete", "when:\n  stays_in: ^"),
    Step("what goes with `stays_in`", "complete", "when:\n  stays_in: malls\n  ^"),
    Step("what goes with `enters`", "complete", "when:\n  enters: malls\n  ^"),
    Step("for how long", "complete", "when:\n  stays_in: malls\n  for: ^"),
    Step("what happens", "complete", "when:\n  happens: ^"),
    Step("what goes with `count`", "complete", "when:\n  count: call.out\n  ^"),
    Step("the fields of a call", "complete", "when:\n  count: call.out\n  where:\n    ^"),
    Step("the same in braces", "complete", "when: {count: call.out, where: {n^}}"),
    Step("the fields of a purchase", "complete", "when:\n  happens: product.bought\n  where:\n    ^"),
    Step("whom they call", "complete", "when:\n  count: call.out\n  where:\n    number: ^"),
    Step("a field with a closed list", "complete", "when:\n  happens: power.on\n  unless:\n    rat: ^"),
    Step("what can be summed up", "complete", "when:\n  total: ^"),
    Step("its mark, in its unit", "complete", "when:\n  total: data.session.bytes\n  at_least: ^"),
    Step("patterns inside", "complete", "when:\n  sequence:\n    - enters: malls\n    - ^\n  within: 6h"),
    Step("absence", "complete", "when:\n  after:\n    happens: power.on\n  no:\n    ^"),
    Step("who it is for: the fields of the catalogue", "complete", "who:\n  ^"),
    Step("a field with a closed list", "complete", "who:\n  brand: ^"),
    Step("a list of its values", "complete", "who:\n  rfm:\n    - 111\n    - ^"),
    Step("money", "complete", "who:\n  arpu: ^"),
    Step("yes or no", "complete", "who:\n  handset.mms: ^"),
    Step("what is offered", "complete", "offer:\n  product: ^"),
    Step("how it is sent", "complete", "offer:\n  product: mall-coupon\n  send:\n    - channel: ^"),
    Step(
        "what goes with an MMS",
        "complete",
        "offer:\n  product: mall-coupon\n  send:\n    - channel: mms\n      ^",
    ),
    Step("limits", "complete", "limits:\n  ^"),
    Step("groups of the policy", "complete", "limits:\n  only_one_of: ^"),
    Step("a limit", "complete", "limits:\n  at_most: ^"),
    Step("the mouse on a verb", "hover", WHOLE.replace("stays_in", "st^ays_in")),
    Step("the mouse on a place", "hover", WHOLE.replace("stays_in: malls", "stays_in: ma^lls")),
    Step("the mouse on a field of the catalogue", "hover", WHOLE.replace("arpu", "ar^pu")),
    Step("the mouse on a field of a record", "hover", WHOLE.replace("duration", "du^ration")),
    Step("the mouse on a limit", "hover", WHOLE.replace("send_within", "send_wi^thin")),
    Step("the whole rule", "look", WHOLE),
    _mistake("a verb", "stays_in:", "stay_in:"),
    _mistake("a day", "mon to fri", "mon to fry"),
    _mistake("two verbs", "stays_in: malls,", "stays_in: malls, enters: malls,"),
    _mistake("an event", "call.out", "call.uot"),
    _mistake("a field of a record", "number: hotline", "nummer: hotline"),
    _mistake("a list of numbers", "number: hotline", "number: hotlines"),
    _mistake("a place", "stays_in: malls", "stays_in: mals"),
    _mistake("a length of time", "for: 30m", "for: 30 minutes"),
    _mistake("a key that is missing", ", for: 30m", ""),
    _mistake("a key", "only_one_of:", "only_one_off:"),
    _mistake("a field of the catalogue", "brand:", "brnad:"),
    _mistake("a value", "not M-Zone", "not MZone"),
    _mistake("a value of a list", "[211, 212]", "[211, 213]"),
    _mistake("a unit", "at least 50 yuan", "at least 50"),
    _mistake("a comparison", "at least 50 yuan", "≥ 50 yuan"),
    _mistake("a product", "product: mall-coupon\n", "product: mal-coupon\n"),
    _mistake("a channel", "channel: sms", "channel: smss"),
    _mistake("a placeholder", "{product.price}", "{product.prize}"),
    _mistake("no way to opt out", "退订回R。", ""),
    _mistake("a group", "only_one_of: welcome", "only_one_of: city"),
    _mistake("a number out of bounds", "priority: 30", "priority: 300"),
    _mistake("a share", "holdout: 10%", "holdout: 10"),
    _mistake("a span of the day", "18:00 to 19:30", "18:00 - 19:30"),
    Step("a rule test: the rules", "complete", "tests: ^", TESTS),
    Step(
        "what can happen in a case",
        "complete",
        "tests: mall-dwell\ncases:\n  - case: a visit\n    events:\n      - at: +0m\n        ^",
        TESTS,
    ),
    Step(
        "the fields of a record",
        "complete",
        "tests: a\ncases:\n  - case: a\n    events:\n      - at: +0m\n        happens: recharge\n        ^",
        TESTS,
    ),
    Step(
        "what goes with `feeds_down`",
        "complete",
        "cases:\n  - case: a\n    events:\n      - at: +5m\n        feeds_down: data.session\n        ^",
        TESTS,
    ),
    Step("feeds that are none", "look", "tests: a\nstarts: 2026-09-07 10:00\ncases:\n"
         "  - case: a\n    events:\n      - {at: +0m, feeds_down: [call.out, data.sesion], for: 1h}\n"
         "      - {at: +1h, feeds_down: call.uot}\n      - {at: +2h, feeds_down: []}\n"
         "      - {at: +3h, feeds_down: bill, for: 0m}\n"
         "      - {at: +4h, restart: engine, for: 1h}\n    expect: nothing\n    because: feed\n", TESTS),
    Step("what stopped it", "complete", "cases:\n  - case: a\n    expect: nothing\n    because: ^", TESTS),
    Step("`nothing` without a reason", "look", "tests: a\nstarts: 2026-09-07 10:00\ncases:\n"
         "  - {case: a, events: [], expect: nothing}\n", TESTS),
    Step("a next match after `nothing`, and after one held out", "look", "tests: a\n"
         "starts: 2026-09-07 10:00\ncases:\n"
         "  - {case: a, events: [], expect: nothing, because: when, then: when}\n"
         "  - {case: b, arm: control, events: [], expect: nothing, because: holdout, then: when}\n", TESTS),
    Step("the policy", "complete", "quiet: 21:00 to 09:00\n^", "examples/policy.yaml"),
    Step("a tier", "complete", "contact:\n  by_tier:\n    ^", "examples/policy.yaml"),
    Step("the type of a field", "complete", "spend:\n  type: ^", "examples/catalog/fields.yaml"),
    Step("a place of a group", "complete", "groups:\n  shops:\n    - ^", "examples/catalog/places.yaml"),
)  # fmt: skip
