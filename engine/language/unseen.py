"""Characters of a text that nobody sees: they turn its direction around, or make two equal words differ.

What some scripts need is left alone: joiners between Arabic or Indic letters, direction marks in a text that
runs from right to left, the selectors of Mongolian, and what emoji are put together with.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

from engine.language.suggest import LOOK_ALIKES
from engine.text import BLANK

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Control, format, surrogate and private characters, line ends. Not those that Unicode has yet to name: a new
emoji is one of them."""
_JOINERS: Final = "\u200c\u200d"
_MARKS: Final = "\u200e\u200f\u061c"
_PICTURES: Final = ("So", "Sk", "Sm")
_SHOWN: Final = (*_PICTURES, "Po", "Pd", "Nd")
"""What a variation selector may stand behind: pictures, and digits and signs that are shown as such."""
_FLAG: Final = "\U0001f3f4"


def unseen(text: str) -> Iterator[tuple[int, str]]:
    """Yield the characters that nobody sees, each with its index. Line breaks and tabs are seen."""
    if text.isascii() and text.isprintable():
        return
    for at, char in enumerate(text):
        if char in "\n\t" or (char not in BLANK and unicodedata.category(char) not in _UNSEEN):
            continue
        if not _needed(text, at):
            yield at, char


def name_of(char: str) -> str:
    """Name such a character, or a blank that is no space."""
    known = LOOK_ALIKES.get(char)
    return known[1] if known else f"an invisible character (U+{ord(char):04X})"


def _needed(text: str, at: int) -> bool:
    """Tell whether a script or an emoji asks for the character."""
    char, before, behind = text[at], text[at - 1 : at] if at else "", text[at + 1 : at + 2]
    if char in "\ufe0e\ufe0f":
        return bool(before) and unicodedata.category(before) in _SHOWN
    if char in _JOINERS and before and behind:
        shown = text[at - 2 : at - 1] if before in "\ufe0e\ufe0f" and at > 1 else before
        joined = unicodedata.category(shown) in _PICTURES and unicodedata.category(behind) in _PICTURES
        return joined or (_joins(before) and _joins(behind))
    if char in _MARKS:
        return any(unicodedata.bidirectional(each) in ("R", "AL") and each not in _MARKS for each in text)
    if "\u180b" <= char <= "\u180f":
        return "\u1800" <= before <= "\u18af"
    if "\U000e0020" <= char <= "\U000e007f":  # the flags of England, Scotland and Wales
        return text[:at].rstrip("".join(map(chr, range(0xE0020, 0xE0080)))).endswith(_FLAG)
    return False


def _joins(char: str) -> bool:
    """Tell whether a letter is of the scripts from Hebrew to Vedic, where joiners shape words."""
    return "\u0590" <= char <= "\u1cff"
