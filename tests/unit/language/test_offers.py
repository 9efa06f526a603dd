"""The offer of a rule: messages and their texts."""

from __future__ import annotations

import pytest

from engine.language.model import Message
from tests.unit.language.texts import codes, load, rule_of, rule_text

SMS = "{channel: sms, text: '【移动】%s退订回R'}"


def of_text(text: str, when: str = "{enters: north}", product: str = "pack") -> list[str]:
    return codes(load(rule_text(when, send=SMS % text, product=product)))


def test_messages_keep_their_order_and_their_parts() -> None:
    send = """{channel: mms, if: {mms: yes}, subject: 'To {place.name}', text: 退订回R}
    - {channel: manual, if: {tier: vip}, task: 'call about {product.name}'}
    - {channel: sms, text: 【移动】hi 退订回R}"""
    mms, manual, sms = rule_of(rule_text(send=send)).offer.send
    assert (mms.channel, mms.subject, mms.text) == ("mms", "To {place.name}", "退订回R")
    assert (mms.condition[0].field, mms.condition[0].values) == ("mms", (True,))
    assert (manual.channel, manual.text) == ("manual", "call about {product.name}")
    assert sms == Message("sms", (), "【移动】hi 退订回R")


COUNT = "{count: call.out, at_least: 3, within: 2h}"
TOTAL = "{total: data.session.bytes, at_least: 3 MB, within: 2h}"
CALL = "{happens: call.out}"
SESSION = "{happens: data.session}"
ENTER = "{enters: both}"


@pytest.mark.parametrize(
    ("when", "placeholder", "known"),
    [
        (ENTER, "place.name", True),
        (ENTER, "match.count", False),
        (ENTER, "event.cell", False),
        ("{stays_in: north, for: 1h}", "place.name", True),
        (CALL, "place.name", False),
        ("{happens: call.out, where: {place: both}}", "place.name", True),
        ("{happens: call.out, where: {place: not north}}", "place.name", False),
        (CALL, "event.number", True),
        (CALL, "event.country", False),
        (SESSION, "event.bytes", False),  # up + down: stands in no record
        (COUNT, "match.count", True),
        (COUNT, "event.duration", True),
        (COUNT, "match.total", False),
        (TOTAL, "match.total", True),
        (f"{{sequence: [{ENTER}, {CALL}], within: 2h}}", "place.name", True),
        (f"{{sequence: [{ENTER}, {CALL}], within: 2h}}", "event.number", True),
        (f"{{sequence: [{CALL}, {ENTER}], within: 2h}}", "event.number", False),
        (f"{{any_of: [{ENTER}, {CALL}]}}", "place.name", False),
        (f"{{any_of: [{ENTER}, {{leaves: north}}]}}", "place.name", True),
        (f"{{any_of: [{SESSION}, {CALL}]}}", "event.duration", True),
        (f"{{any_of: [{SESSION}, {CALL}]}}", "event.number", False),
        (f"{{all_of: [{COUNT}, {ENTER}], within: 2h}}", "match.count", True),
        (f"{{all_of: [{COUNT}, {ENTER}], within: 2h}}", "event.number", False),
        (f"{{after: {CALL}, no: {SESSION}, for: 2h}}", "event.number", True),
        (f"{{after: {CALL}, no: {SESSION}, for: 2h}}", "event.apn", False),
        (f"{{after: {ENTER}, no: {SESSION}, for: 2h}}", "place.name", True),
    ],
)
def test_placeholders_are_known_by_what_the_pattern_has(when: str, placeholder: str, known: bool) -> None:
    assert of_text(f"{{{placeholder}}}", when) == ([] if known else ["R302"])


def test_a_reply_is_known_only_if_the_product_has_one() -> None:
    assert of_text("{product.reply}") == []
    assert of_text("{product.reply}", product="free") == ["R302"]


def test_every_unknown_placeholder_has_its_own_place() -> None:
    loaded = load(rule_text(send=SMS % "{x} 你 {x} {product.Name} {"))
    texts = [(p.col, p.source[p.col - 1 : p.end - 1]) for p in loaded.problems]
    assert [text for _, text in texts] == ["{x}", "{x}", "{product.Name}", "{"]
    assert len({col for col, _ in texts}) == 4


def test_a_broken_pattern_is_reported_once_and_not_again_for_its_placeholders() -> None:
    assert of_text("{event.number}{place.name}", "{hapens: call.out}") == ["R103"]
    assert of_text("{event.number}", "{happens: call.uot}") == ["R203"]


def test_signature_and_opt_out() -> None:
    def of(message: str) -> list[str]:
        return codes(load(rule_text(send=message)))

    assert of("{channel: sms, text: '【移动】hi'}") == ["R304"]
    assert of("{channel: sms, text: 'hi,退订回R'}") == ["R305"]
    assert of("{channel: sms, text: 'hi,拒收请回复R【移动】'}") == []
    assert of("{channel: mms, subject: hi, text: 'hi'}") == ["R304"]
    assert of("{channel: mms, subject: hi, text: 'hi,退订回R'}") == []
    assert of("{channel: manual, task: hi}") == []


def test_a_long_sms_is_a_warning_counted_with_its_longest_values() -> None:
    short = 4 * 67 - len("【移动】退订回R") - len("北北")
    names = {"places": "north: {name: 北北, cells: [460-00-1-1]}"}
    text = SMS % ("字" * short + "{place.name}")
    assert codes(load(rule_text(send=SMS % "字"), **names)) == []
    loaded = load(rule_text(send=text), **names)
    assert codes(loaded) == ["R303"]
    assert loaded.ruleset is not None
    assert "4 SMS parts" in loaded.problems[0].message


def test_a_message_behind_one_without_a_condition_is_a_warning() -> None:
    loaded = load(rule_text(send="{channel: manual, task: a}\n    - {channel: manual, task: b}"))
    assert codes(loaded) == ["R306"]
    assert loaded.ruleset is not None


def test_unknown_product_and_channel() -> None:
    assert codes(load(rule_text(product="pak"))) == ["R301"]
    assert codes(load(rule_text(send="{channel: fax, text: x}"))) == ["R105"]
    assert codes(load(rule_text(send="{task: x}"))) == ["R102"]
    loaded = load(rule_text(send="{channel: manual, text: x}"))
    assert codes(loaded) == ["R101"]
    assert loaded.problems[0].hint == "did you mean `task`, which is missing?"
    assert codes(load(rule_text(send="{channel: manual, text: x, words: y}"))) == ["R102", "R101", "R101"]
    assert codes(load(rule_text(send="{channel: manual, taks: x}"))) == ["R101"]


def test_an_if_that_contradicts_who_or_except_is_a_warning() -> None:
    both = "{channel: manual, if: {%s}, task: ring}\n    - {channel: manual, task: call}"
    for line, who, excepts, expected in (
        ("brand: GoTone", "{brand: M-Zone}", "{}", ["R306"]),
        ("age: over 30", "{}", "{age: at least 30}", ["R306"]),
        ("age: over 30", "{age: at least 30}", "{}", []),
        ("tags: a", "{tags: b}", "{}", []),
        ("mms: yes", "{age: over 30}", "{}", []),
    ):
        loaded = load(rule_text(send=both % line, who=who, excepts=excepts))
        assert codes(loaded) == expected, line
        assert loaded.ruleset is not None


@pytest.mark.parametrize(
    ("first", "second", "who", "never"),
    [
        ("tier: vip", "tier: vip", "{}", True),
        ("tier: vip", "tier: [vip]", "{}", True),
        ("tier: [vip, gold]", "tier: vip", "{}", True),
        ("age: over 30", "age: over 40, mms: yes", "{}", True),
        ("tags: [a, b]", "tags: a", "{}", True),
        ("brand: GoTone", "mms: yes", "{brand: GoTone}", True),
        ("tier: vip", "", "{tier: vip}", True),
        ("tier: vip", "", "{tier: [vip, gold]}", False),
        ("tier: vip", "tier: gold", "{}", False),
        ("tier: vip", "tier: [vip, gold]", "{}", False),
        ("age: over 40", "age: over 30", "{}", False),
        ("tier: vip, mms: yes", "tier: vip", "{}", False),
        ("tags: a", "tags: [a, b]", "{}", False),
    ],
)
def test_an_if_that_an_earlier_one_takes_all_of_is_a_warning(
    first: str, second: str, who: str, never: bool
) -> None:
    condition = f", if: {{{second}}}" if second else ""
    send = f"{{channel: manual, if: {{{first}}}, task: a}}\n    - {{channel: manual{condition}, task: b}}"
    loaded = load(rule_text(send=send, who=who))
    assert codes(loaded) == (["R306"] if never else [])
    assert loaded.ruleset is not None


def test_each_message_that_is_never_chosen_is_told_once() -> None:
    one = "{channel: manual, if: {tier: vip}, task: a}"
    last = "{channel: manual, if: {tier: vip, mms: yes}, task: a}"
    open_ = "{channel: manual, task: a}"
    loaded = load(rule_text(send="\n    - ".join((one, one, last, open_, one, open_))))
    assert [(p.code, p.line, p.hint) for p in loaded.problems] == [
        ("R306", 14, "put it before the other, or delete it"),
        ("R306", 15, "put it before the other, or delete it"),
        ("R306", 17, ""),
    ]
    assert "the message at line 13 fits whoever this one fits" in loaded.problems[0].message
