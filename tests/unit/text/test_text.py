"""Placeholders, cleaned values, amounts in words."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.text import VALUE_LIMIT, Template, clean, duration, format_value, money, percent, plain, size


def test_renders_in_one_pass() -> None:
    template = Template.parse("在{place.name},{product.name}{product.price},又在{place.name}")
    assert template.names == ("place.name", "product.name", "product.price")
    values = {"place.name": "{product.price}", "product.name": "包", "product.price": "20元"}
    assert template.render(values) == "在{product.price},包20元,又在{product.price}"


@pytest.mark.parametrize(
    "text", ["", "plain", "{}", "{A}", "{ a }", "{a", "a}", "{a b}", "{a!r}", "{a:>10}", "{商}"]
)
def test_every_other_brace_is_text(text: str) -> None:
    template = Template.parse(text)
    assert template.names == ()
    assert template.render({"a": "x", "A": "y"}) == text
    assert template.stray == tuple(at for at, char in enumerate(text) if char in "{}")


def test_tells_where_placeholders_stand() -> None:
    template = Template.parse("a{b.c}{{d_1}}")
    assert template.placeholders == (("b.c", 1, 6), ("d_1", 7, 12))
    assert template.stray == (6, 12)
    assert template.render({"b.c": "1", "d_1": "2"}) == "a1{2}"


def test_a_value_cannot_reach_into_objects() -> None:
    assert Template.parse("{a.__class__}").render({"a": "x", "a.__class__": "y"}) == "y"


def test_a_missing_value_renders_as_nothing() -> None:
    assert Template.parse("已换用{event.to.model}手机").render({}) == "已换用手机"


def test_values_are_cleaned_where_they_go_in() -> None:
    text = Template.parse("在{place.name}").render({"place.name": "【移动】\u202ehttp://a.cn/x 西湖\n店"})
    assert text == "在移动 西湖 店"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("北校区", "北校区"),
        ("Redmi K60.Pro 5.5", "Redmi K60.Pro 5.5"),
        ("iPhone 15 Pro (A3104)", "iPhone 15 Pro (A3104)"),
        ("a\u200bb\u202ec\u2066d\ufeffe", "abcde"),
        ("a\x00b\x1bc\x7fd", "abcd"),
        ("a\tb\r\nc\u2028d", "a b c d"),
        ("  a   b  ", "a b"),
        ("【银行】转账", "银行转账"),
        ("︻银行︼", "银行"),
        ("看http://evil.example/x?y=1 吧", "看 吧"),
        ("HTTPS://X", ""),
        ("t.cn/abc去", "去"),
        ("www.abc", ""),
        ("点evil.com", "点"),
        ("点evil。com", "点"),
        ("evil.travel/pay", ""),
        ("10.0.0.1", ""),
        ("evil\u200b.com", ""),
        ("htthttp://x tp://y", ""),
        ("evil1.2.3.4:80.com", ""),  # what is left of one link must not be another
        ("\u200b" * 1_000_000 + "x", ""),
        ("\U000e0041a\ufe0f", "a"),
        ("\ud800x", "x"),
        ("\ue000x\u3164", "x"),
        ("很" * 100, "很" * VALUE_LIMIT),
        ("", ""),
    ],
)
def test_clean(value: str, expected: str) -> None:
    assert clean(value) == expected


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=120) | st.text(alphabet="a.com/【】\u200b:wht p", max_size=120))
def test_clean_is_bounded_harmless_and_idempotent(value: str) -> None:
    cleaned = clean(value)
    assert len(cleaned) <= VALUE_LIMIT
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs"} for char in cleaned)
    assert not set("【】\n\r") & set(cleaned)
    assert "://" not in cleaned or not any(char.isalpha() for char in cleaned.split("://")[0][-1:])
    assert clean(cleaned) == cleaned


@pytest.mark.parametrize(
    ("yuan", "expected"),
    [
        (20, "20元"),
        (20.5, "20.5元"),
        (20.0, "20元"),
        (9.9, "9.9元"),
        (0, "0元"),
        (0.1 + 0.2, "0.3元"),
        (1.005, "1.01元"),
    ],
)
def test_money(yuan: float, expected: str) -> None:
    assert money(yuan) == expected


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (327_680_000, "312.5MB"),
        (0, "0B"),
        (1_023, "1023B"),
        (1_024, "1KB"),
        (1_536, "1.5KB"),
        ((1 << 20) - 1, "1MB"),
        (300 << 20, "300MB"),
        (1_020_054_733, "972.8MB"),
        ((1 << 30) - 1, "1GB"),
        (5 << 30, "5GB"),
        (5_000 << 30, "5000GB"),
    ],
)
def test_size(count: int, expected: str) -> None:
    assert size(count) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0秒"), (45, "45秒"), (1_800, "30分钟"), (5_400, "1小时30分"), (95, "1分35秒"), (172_800, "2天")],
)
def test_duration(seconds: int, expected: str) -> None:
    assert duration(seconds) == expected


def test_plain_numbers_never_have_exponents() -> None:
    assert [plain(n) for n in (3, 3.0, 2.5, -0.001, 1e16, 10**30)] == [
        "3",
        "3",
        "2.5",
        "0",
        "1" + "0" * 16,
        "1" + "0" * 30,
    ]
    assert percent(12.5) == "12.5%"


@pytest.mark.parametrize(
    ("value", "field_type", "expected"),
    [
        (None, "money", ""),
        (20, "money", "20元"),
        (327_680_000, "bytes", "312.5MB"),
        (20, "percent", "20%"),
        (90, "duration", "1分30秒"),
        (True, "yes/no", "是"),
        (False, "yes/no", "否"),
        (3, "number", "3"),
        (["b", "a"], "set", "a、b"),
        ("Mate 60", "text", "Mate 60"),
        ("gold", "money", "gold"),
        (float("inf"), "bytes", ""),
        (float("nan"), "number", ""),
    ],
)
def test_values_by_type(value: object, field_type: str, expected: str) -> None:
    assert format_value(value, field_type) == expected
