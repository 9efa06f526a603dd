"""Two texts that differ: one sees where, also where they look alike."""

from __future__ import annotations

import pytest

from engine.rule_tests.difference import difference


def shown(wanted: str, came: str) -> list[str]:
    return list(difference(wanted, came))


def test_marks_stand_below_wide_characters() -> None:
    assert shown("回复KT,退订", "回复KD,退订")[:-1] == [
        "  - 回复KT,退订",
        "         ^",
        "  + 回复KD,退订",
        "         ^",
    ]


@pytest.mark.parametrize(
    ("wanted", "came", "named"),
    [
        ("您好,再见", "您好，再见", "expected `,` U+002C COMMA, was `，` U+FF0C FULLWIDTH COMMA"),
        ("a b", "a\u00a0b", "expected U+0020 SPACE, was U+00A0 NO-BREAK SPACE"),
        ("ab", "a\u200bb", "expected `b` U+0062 LATIN SMALL LETTER B, was U+200B ZERO WIDTH SPACE"),
        ("ab", "ab ", "expected the end of the text, was U+0020 SPACE"),
        ("ab", "a", "expected `b` U+0062 LATIN SMALL LETTER B, was the end of the text"),
        ("a\nb", "a b", "expected U+000A, was U+0020 SPACE"),
    ],
)
def test_the_first_difference_has_a_name(wanted: str, came: str, named: str) -> None:
    assert shown(wanted, came)[-1].endswith(named)


def test_what_a_terminal_swallows_is_shown() -> None:
    lines = shown("ab", "a\u200bb  ")
    assert "  + a<U+200B>b␣␣" in lines


def test_texts_that_have_little_in_common_are_not_marked() -> None:
    assert not any("^" in line for line in shown("商圈", "【移动】您好。退订回R。"))


def test_of_several_lines_those_that_are_equal_stand_without_a_sign() -> None:
    assert shown("one\ntwo\n", "one\ntwi")[:-1] == [
        "    one", "  - two", "      ^", "  + twi", "      ^", "  - "
    ]  # fmt: skip
