"""How two texts differ, so that a person sees it: also where they look alike.

A comma of Chinese and one of ASCII, or a space at the end of a line, are hard to see and mattered to whoever
wrote the expected text. Marks stand by display width, which is two for wide characters.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import zip_longest

from engine.language.problems import char_width, width

ALIKE = 0.5
"""Share of two lines that is common, from which on marks help; below nearly all would be marked."""
ENDED = "the end of the text"


def difference(wanted: str, came: str) -> Iterator[str]:
    """Yield both texts, line by line, with `^` below what differs, then the first difference by name."""
    for want, got in zip_longest(wanted.split("\n"), came.split("\n")):
        if want == got:
            yield f"    {_shown(want)}"
            continue
        below_want, below_got = _marks(want or "", got or "")
        for sign, line, below in (("-", want, below_want), ("+", got, below_got)):
            if line is not None:
                bare = line.rstrip(" ")
                yield f"  {sign} {_shown(bare)}{'␣' * (len(line) - len(bare))}"
                if below:
                    yield f"    {below}"
    yield _first(wanted, came)


def _marks(want: str, got: str) -> tuple[str, str]:
    """Return what stands below each line: `^` under the characters that the other has not."""
    under_want, under_got = [" "] * len(want), [" "] * len(got)
    matcher = SequenceMatcher(None, want, got, autojunk=False)
    if matcher.ratio() < ALIKE:
        return "", ""
    for tag, w1, w2, g1, g2 in matcher.get_opcodes():
        if tag != "equal":
            under_want[w1:w2] = "^" * (w2 - w1)
            under_got[g1:g2] = "^" * (g2 - g1)
    return _spread(want, under_want), _spread(got, under_got)


def _spread(line: str, marks: list[str]) -> str:
    return "".join(mark * width(_shown(char)) for char, mark in zip(line, marks, strict=True)).rstrip()


def _shown(line: str) -> str:
    """Make visible what a terminal would swallow or obey."""
    return "".join(
        char if char.isprintable() and char_width(char) else f"<U+{ord(char):04X}>" for char in line
    )


def _first(wanted: str, came: str) -> str:
    pairs = zip_longest(wanted, came)
    at, want, got = next((at, want, got) for at, (want, got) in enumerate(pairs, 1) if want != got)
    return f"first at character {at}: expected {_name(want)}, was {_name(got)}"


def _name(char: str | None) -> str:
    if char is None:
        return ENDED
    name = unicodedata.name(char, "")
    shown = f"`{char}` " if char.isprintable() and char_width(char) and char != " " else ""
    return f"{shown}U+{ord(char):04X} {name}".rstrip()
