"""Parts of a text on the air: 3GPP TS 23.038 and 23.040."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.sms import DEFAULT_ALPHABET, EXTENSION_TABLE, segments


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("", "GSM-7", 0, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("a" + "€" * 80, "GSM-7", 161, 2),
        # an escape that would straddle 153 moves over whole: 152 + 2 of 306 units no longer fit two parts
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),
        ("a" * 151 + "€" + "a" * 153, "GSM-7", 306, 2),
        ("号" * 70, "UCS-2", 70, 1),
        ("号" * 71, "UCS-2", 71, 2),
        ("号" * 134, "UCS-2", 134, 2),
        ("号" * 135, "UCS-2", 135, 3),
        ("😀" * 35, "UCS-2", 70, 1),
        ("😀" * 36, "UCS-2", 72, 2),
        # 33 pairs fill 66 of 67 units
        ("😀" * 66, "UCS-2", 132, 2),
        ("😀" * 67, "UCS-2", 134, 3),
        ("号" + "😀" * 33 + "号" * 67, "UCS-2", 134, 2),
        ("ç", "UCS-2", 1, 1),  # the alphabet has Ç only
        ("Ω", "GSM-7", 1, 1),
        ("\u2126", "UCS-2", 1, 1),  # the ohm sign is not the Greek letter
        ("a" * 69 + "】", "UCS-2", 70, 1),
        ("\x1b", "UCS-2", 1, 1),  # the escape is no character
        ("\uffff", "UCS-2", 1, 1),
        ("\ud800", "UCS-2", 1, 1),  # half a pair, as JSON may hold it
    ],
)
def test_counts_exactly(text: str, encoding: str, units: int, parts: int) -> None:
    assert segments(text) == (encoding, units, parts)


def test_alphabet_has_every_code_once() -> None:
    assert len(DEFAULT_ALPHABET) == len(set(DEFAULT_ALPHABET)) == 127
    assert not set(DEFAULT_ALPHABET) & set(EXTENSION_TABLE)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="a€号😀[Å", max_size=420))
def test_agrees_with_packing_characters_one_by_one(text: str) -> None:
    if all(char in DEFAULT_ALPHABET + EXTENSION_TABLE for char in text):
        widths, single, room = [2 if char in EXTENSION_TABLE else 1 for char in text], 160, 153
    else:
        widths, single, room = [len(char.encode("utf-16-be")) // 2 for char in text], 70, 67
    parts: list[int] = [0]
    for width in widths:
        if parts[-1] + width > room:
            parts.append(0)
        parts[-1] += width
    found = segments(text)
    assert found.units == sum(widths)
    assert found.parts == (1 if sum(widths) <= single else len(parts))
