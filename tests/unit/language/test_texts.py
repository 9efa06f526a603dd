"""Texts that go to subscribers: signature, opt-out, braces, characters that nobody sees."""

from __future__ import annotations

import pytest

from engine.language.loader import Loaded
from tests.unit.language.texts import codes, load, rule_text


def sms(text: str, **others: str) -> Loaded:
    """Check a rule with one SMS, its text in double quotes."""
    return load(rule_text(send=f'{{channel: sms, text: "{text}"}}'), **others)


@pytest.mark.parametrize(
    ("text", "signed"),
    [
        ("【移动】你好,退订回R", True),
        (" 【移动】你好,退订回R", True),
        ("你好,退订回R【移动】", True),
        ("【移动】【5折】你好,退订回R", True),
        ("同学【移动】你好,退订回R", False),
        ("你好,退订回R【移动】。", False),
        ("【{product.name}】你好,退订回R", False),
        ("你好,退订回R【{product.name}】", False),
        ("【{product.name}】你好,退订回R【移动】", True),
        ("【 】你好,退订回R", False),
        ("【】你好,退订回R", False),
        ("【移动你好,退订回R", False),
        ("[移动]你好,退订回R", False),
    ],
)
def test_a_signature_stands_at_one_end_and_names_who_sends(text: str, signed: bool) -> None:
    assert codes(sms(text)) == ([] if signed else ["R305"])


def test_what_is_wrong_with_a_signature_is_said() -> None:
    (middle,) = sms("同学【移动】你好,退订回R").problems
    assert (middle.message, middle.hint) == (
        "the signature `【移动】` stands in the middle of this text",
        "put it at the start or at the very end",
    )
    (filled,) = sms("【{product.name}】你好,退订回R").problems
    assert (filled.message, filled.hint) == (
        "`【{product.name}】` is no signature of the sender: it holds a placeholder",
        "start the text with `【移动】` or the like",
    )


@pytest.mark.parametrize(
    ("part", "hint"),
    [
        ("｛product.price｝", "did you mean `{product.price}`?"),
        ("｛ product.price ｝", "did you mean `{product.price}`?"),
        ("{product.price｝", "did you mean `{product.price}`?"),
        ("｛product.price}", "did you mean `{product.price}`?"),
        ("﹛product.price﹜", "did you mean `{product.price}`?"),
        ("｛product.prise｝", "did you mean `{product.price}`?"),
        ("｛place.name｝", "did you mean `{place.name}`?"),
        ("｛", "a placeholder is written `{product.name}`"),
    ],
)
def test_wide_braces_are_sent_as_they_stand_and_so_are_told(part: str, hint: str) -> None:
    loaded = sms(f"【移动】你好{part}，退订回R")
    (found,) = loaded.problems
    assert (found.code, found.severity, found.hint) == ("R302", "error", hint)
    assert found.source[found.col - 1 : found.end - 1] == part


HIDDEN = [
    ("\u202e", "an invisible character (U+202E)"),
    ("\u2066", "an invisible character (U+2066)"),
    ("\u200b", "an invisible character (U+200B)"),
    ("\u200e", "an invisible character (U+200E)"),
    ("\u200d", "an invisible character (U+200D)"),
    ("\u2060", "an invisible character (U+2060)"),
    ("\u00ad", "an invisible character (U+00AD)"),
    ("\u3164", "an invisible character (U+3164)"),
    ("\ue000", "an invisible character (U+E000)"),
    ("\ufe0f", "an invisible character (U+FE0F)"),
]


@pytest.mark.parametrize(("char", "name"), HIDDEN)
def test_characters_that_nobody_sees_are_told_where_they_stand(char: str, name: str) -> None:
    (found,) = sms(f"【移动】你{char}好,退订回R").problems
    assert (found.code, found.severity) == ("R307", "error")
    assert (found.message, found.hint) == (f"this text holds {name}", "delete it")
    assert found.source[found.col - 1 : found.end - 1] == char
    twice = sms(f"【移动】你{char}好{char},退订回R").problems
    assert [(found.code, found.hint) for found in twice] == [("R307", "delete it; there are 2 of them")]


def test_every_text_of_a_rule_is_read_for_them() -> None:
    manual = rule_text(send="{channel: manual, task: call\u202e}")
    assert codes(load(manual)) == ["R307"]
    mms = rule_text(send="{channel: mms, subject: \u202ehi, text: 退订回R}")
    assert codes(load(mms)) == ["R307"]
    assert codes(load(rule_text().replace("A rule", "A \u202erule"))) == ["R307"]
    faq = "offer:\n  faq: [{ask: \u202e, answer: b}, {ask: a, answer: b\u202e}]\n"
    assert codes(load(rule_text().replace("offer:\n", faq))) == ["R307", "R307"]
    (escaped,) = sms("【移动】你\\u202e好,退订回R").problems
    assert escaped.code == "R307"


@pytest.mark.parametrize(
    "text",
    [
        "❤\ufe0f 1\ufe0f⃣ ㊗\ufe0f ‼\ufe0f",
        "👨\u200d👩\u200d👧 🏳\ufe0f\u200d🌈 👩🏽\u200d⚕\ufe0f 🤷\u200d♂\ufe0f",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "مى\u200cخواهم \u200fabc",
        "ᠮᠣᠩᠭᠣᠯ ᠬᠡᠯᠡ\u180eᠠ",
        "a\u00a0b　c — “d” ｅ\u202fᠤᠨ",
        "\U0001fae8",
    ],
)
def test_what_scripts_and_emoji_are_written_with_is_not(text: str) -> None:
    assert codes(sms(f"【移动】{text},退订回R")) == []


OWN = "timezone: Asia/Shanghai\nopt_out: [TD, QX]\n"
CHINESE = "timezone: Asia/Shanghai\nopt_out: [取消, 退订]\n"


@pytest.mark.parametrize(
    ("text", "policy", "good"),
    [
        ("退订回R", "", True),
        ("退订回TD", "", True),
        ("退订回复 TD", "", True),
        ("回复TD退订", "", True),
        ("回T退订", "", False),
        ("拒收请回复“TD”", "", True),
        ("不想再收到,请回复退订", "", True),
        ("退订回r", "", False),
        ("退订回Ｒ", "", False),
        ("退订回R", OWN, False),
        ("退订回TD", OWN, True),
        ("退订发QX至10086", OWN, True),
        ("如需退订，请发送TD", OWN, True),
        ("TD退订", OWN, True),
        ("退订TD", OWN, True),
        ("退订:TD", OWN, True),
        ("T退订", OWN, False),
        ("退订回TD或QX", OWN, True),
        ("退订回TD/QX", OWN, True),
        ("退订回TD或R", OWN, False),
        ("退订回TD或拨打10086", OWN, True),
        ("回复KT1办理,退订回TD", OWN, True),
        ("回复KT1办理,退订回R", OWN, False),
        ("回TD办理,退订回R", OWN, False),
        ("回复KT1办理退订回TD", OWN, True),
        ("回复TD退订,回复KT1办理", OWN, True),
        ("回复KT1办理。回复R退订", OWN, False),
        ("回复{product.reply}办理,退订回TD", OWN, True),
        ("退订回{product.reply}", OWN, False),
        ("退订请拨打10086", OWN, True),
        ("拨打10086退订", OWN, True),
        ("退订:10086", OWN, True),
        ("登录10086.cn退订", OWN, True),
        ("打开APP退订", OWN, True),
        ("返回APP退订", OWN, True),
        ("退订VIP会员请回TD", OWN, True),
        ("退订VIP会员请回R", OWN, False),
        ("发送TD到10086退订", OWN, True),
        ("发送R到10086退订", OWN, False),
        ("编辑短信TD发送至10086即可退订", OWN, True),
        ("回TD/QX退订", OWN, True),
        ("退订请回复大写字母TD", OWN, True),
        ("退订请回复：TD", OWN, True),
        ("回复N退订", OWN, False),
        ("退订回TDX", OWN, False),
        ("回复KTD退订", OWN, False),
        ("如需退订,请看说明。退订回R", OWN, False),
        ("回复TD退订,退订后回复KT1可恢复", OWN, True),
        ("回复数字0000退订", OWN, False),
        ("退订见10086.cn", OWN, True),
        ("退订", OWN, False),
        ("退订", "", True),
        ("请回复退订", OWN, False),
        ("退订请回复取消", CHINESE, True),
        ("退订请回复取消", OWN, False),
        ("退订请回复停止", OWN, False),
        ("回复取消可退订", CHINESE, True),
        ("To stop reply TD (退订)", OWN, True),
        ("退订 reply TD", OWN, True),
        ("退订 reply STOP", OWN, False),
    ],
)
def test_the_word_to_opt_out_with_is_one_that_the_policy_takes(text: str, policy: str, good: bool) -> None:
    others = {"policy": policy} if policy else {}
    found = sms(f"【移动】你好。{text}。", **others)
    assert codes(found) == ([] if good else ["R304"])
    if not good:
        first = {"": "R", OWN: "TD", CHINESE: "取消"}[policy]
        assert found.problems[0].hint.endswith(f"`退订回{first}`")


def test_what_is_missing_or_wrong_is_said() -> None:
    (missing,) = sms("【移动】你好", policy=OWN).problems
    assert (missing.message, missing.hint) == ("no way to opt out in this text", "add `退订回TD`")
    (other,) = sms("【移动】你好。退订回R", policy=OWN).problems
    assert other.message == "who answers `R` is not opted out: policy.yaml takes `TD` and `QX`"
    assert other.hint == "write `退订回TD`"
    assert codes(sms("【移动】你好。退订回R", policy="- a\n")) == ["R108"]


@pytest.mark.parametrize(("reply", "clash"), [("TD", True), ("td", True), ("ＴＤ", True), ("KTD", False)])
def test_a_product_is_not_ordered_with_a_word_that_opts_out(reply: str, clash: bool) -> None:
    products = f"pack: {{name: 包, price: 20 yuan, reply: {reply}}}\nfree: {{name: 赠, price: 50 fen}}\n"
    loaded = load(rule_text(), products=products)
    assert codes(loaded) == (["R308"] if clash else [])
    assert codes(load(rule_text(product="free"), products=products)) == []
    if clash:
        (found,) = loaded.problems
        assert found.source[found.col - 1 : found.end - 1] == "pack"
