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
