"""What `touchpoint story` prints, word for word, in English and Chinese, and what it writes.

`TOUCHPOINT_UPDATE_GOLDEN=1` writes the stories anew: read the difference before you keep it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, get_args

import pytest

from engine.language.loader import load_dir
from engine.language.model import AnyOf, RuleSet
from engine.story.props import Trouble, TroubleKind
from engine.story.scene import Note, NoteKind
from engine.story.tell import LANGUAGES, story, tell
from engine.story.wording import Names, outline
from engine.story.write import write_tests
from tests.testdata import CHECKOUT
from tests.unit.story.support import rules_of

HERE = Path(__file__).parent
EXAMPLES = CHECKOUT / "tests" / "examples" / "rules"
EVERY_WORD = CHECKOUT / "tests" / "data" / "every-word"
NAMES = ("campus-silent", "hotline-then-hall", "bundle-ending", "zero-traffic", "competitor-calls")
OF_RECORDS: Final = ("passes", "fails", "unknown", "barred", "barred_unknown", "too_little", "enough")
SMS: Final = 'channel: sms, text: "【移动】送您{product.name}。退订回R。"'
OWN: Final[dict[str, RuleSet]] = {
    # a group that is left, by way of another of its members
    "group-left": rules_of("{leaves: malls}"),
    # a schedule over midnight on one day of the week
    "friday-night": rules_of(
        "{happens: sms.out}",
        schedule="schedule: {days: fri, hours: 19:00 to 10:00}",
        within="14h",
        at_most="2 in 14d",
    ),
    # a task for some and an SMS for the others, and records that are left aside
    "task-or-text": rules_of(
        "{after: {happens: power.on}, for: 1h,"
        " no: {happens: call.out, unless: {place: malls, duration: under 10s}}}",
        within="2h",
        at_most="3 in 14d",
        swap={SMS: f"channel: manual, if: {{tier: vip}}, task: call}}\n    - {{if: {{brand: GoTone}}, {SMS}"},
    ),
}
PATTERNS: Final = (
    "{happens: call.out}",
    "{enters: mall-wulin}",
    "{enters: malls}",
    "{enters: malls, confirm: 5m}",
    "{leaves: mall-wulin}",
    "{leaves: malls}",
    "{stays_in: mall-wulin, for: 30m}",
    "{stays_in: malls, for: 1h30m}",
    "{count: sms.out, at_least: 3, within: 2h}",
    "{count: sms.out, where: {length: over 10}, at_least: 1, within: 2h}",
    "{total: recharge.amount, at_least: 50 yuan, within: 24h}",
    "{sequence: [{enters: malls}, {happens: call.out}, {leaves: malls}], within: 3h}",
    "{any_of: [{happens: bill}, {leaves: malls}]}",
    "{all_of: [{happens: bill}, {happens: recharge}], within: 1h}",
    "{after: {happens: power.on}, no: {happens: bill}, for: 1h}",
    "{after: {happens: power.on}, no: {enters: malls, confirm: 5m}, for: 1h}",
    "{after: {happens: power.on}, no: {leaves: malls}, for: 1h}",
    "{after: {happens: power.on}, no: {stays_in: malls, for: 10m}, for: 1h}",
    "{after: {happens: power.on}, no: {count: call.in, at_least: 2, within: 30m}, for: 1h}",
    "{after: {happens: power.on}, no: {total: call.in.duration, at_least: 60s, within: 30m}, for: 1h}",
    "{after: {happens: power.on}, no: {sequence: [{happens: bill}, {leaves: malls}], within: 9m}, for: 1h}",
    "{after: {happens: power.on}, no: {any_of: [{happens: bill}, {leaves: malls}]}, for: 1h}",
    "{after: {happens: power.on}, no: {all_of: [{happens: bill}, {leaves: malls}], within: 9m}, for: 1h}",
    "{any_of: [{after: {leaves: malls}, for: 1h,"
    " no: {sequence: [{happens: bill}, {enters: malls}], within: 9m}}]}",
    "{any_of: [{sequence: [{happens: bill}, {any_of: [{enters: malls}, {leaves: malls}]}], within: 1h}]}",
    "{happens: call.out, where: {duration: at least 30s}}",
    "{happens: call.out, where: {duration: at most 30s}}",
    "{happens: call.out, where: {duration: over 30s}}",
    "{happens: call.out, where: {duration: under 30s}}",
    "{happens: recharge, where: {amount: not 30 yuan}}",
    "{happens: recharge, where: {amount: 20 to 50 yuan}}",
    "{happens: recharge, where: {amount: [20 yuan, 50 yuan]}}",
    "{happens: call.out, where: {number: hotline}}",
    "{happens: call.out, where: {number: not hotline}}",
    "{happens: power.on, where: {place: malls}}",
    "{happens: power.on, where: {place: not mall-wulin}}",
    "{happens: power.on, where: {place: [mall-wulin, campus-north]}}",
    "{happens: handset.change, where: {to.network: 5G}, unless: {to.model: iPhone}}",
    "{happens: call.out, unless: {place: malls, duration: over 10m}}",
    "{happens: product.bought, unless: {product: [mall-coupon, trial-100m]}}",
    "{happens: power.off, where: {switch_off: yes}}",
)


def folder(path: Path) -> RuleSet:
    rules = load_dir(path).ruleset
    assert rules is not None
    return rules


@pytest.mark.parametrize("lang", list(LANGUAGES))
@pytest.mark.parametrize("name", NAMES)
def test_what_is_told(name: str, lang: str) -> None:
    compare(tell(story(folder(EXAMPLES), name), LANGUAGES[lang]) + "\n", HERE / f"{name}.{lang}.out")


@pytest.mark.parametrize("lang", list(LANGUAGES))
@pytest.mark.parametrize("name", ["hall-hours", "asks-rivals"])
def test_what_is_told_of_every_word(name: str, lang: str) -> None:
    compare(tell(story(folder(EVERY_WORD), name), LANGUAGES[lang]) + "\n", HERE / f"{name}.{lang}.out")


@pytest.mark.parametrize("lang", list(LANGUAGES))
@pytest.mark.parametrize("name", OWN)
def test_what_is_told_of_what_is_easily_told_wrong(name: str, lang: str) -> None:
    told = story(OWN[name], "it")
    assert told.surprises == 0
    compare(tell(told, LANGUAGES[lang]) + "\n", HERE / f"{name}.{lang}.out")


def test_sentences() -> None:
    """Every verb, with and without a group, asserted and denied, every word of a test, in both languages."""
    lines: list[str] = []
    for when in PATTERNS:
        rules = rules_of(when)
        lines.append(f"when: {when}")
        for words in LANGUAGES.values():
            lines += (f"  {line}" for line in outline(rules.rules["it"].when, words, Names(rules.catalog)))
        lines.append("")
    compare("\n".join(lines), HERE / "sentences.out")


def test_what_a_case_is_about_and_why_there_is_none() -> None:
    """Every kind of note and of trouble, in both languages."""
    rules = rules_of("{any_of: [{leaves: malls}, {happens: bill}]}", who="{arpu: over 50 yuan}")
    names, rule = Names(rules.catalog), rules.rules["it"]
    assert isinstance(rule.when, AnyOf)
    leaves, bill = rule.when.parts
    lines: list[str] = []
    for kind in get_args(NoteKind):
        of_records = "duration" if kind in OF_RECORDS else "arpu"
        field = "marketing" if kind in ("no_consent", "consent_unknown") else of_records
        note = Note(kind, 7_200_000_000, 2, field, 49.99, "money", rule.who[0], leaves)
        lines += [kind, *(f"  {words.note(note, names)}" for words in LANGUAGES.values())]
    for trouble in get_args(TroubleKind):
        why = Trouble(trouble, leaves, bill, "call.out", "duration", "malls", 7_200_000_000)
        lines += [trouble, *(f"  {words.trouble(why, names)}" for words in LANGUAGES.values())]
    compare("\n".join(lines) + "\n", HERE / "notes.out")


def test_what_is_written() -> None:
    compare(
        write_tests(story(folder(EXAMPLES), "campus-silent"), LANGUAGES["en"]),
        HERE / "campus-silent.test.yaml.out",
    )


def compare(shown: str, expected: Path) -> None:
    if os.environ.get("TOUCHPOINT_UPDATE_GOLDEN"):
        expected.write_text(shown, encoding="utf-8")
    assert shown == expected.read_text(encoding="utf-8")
