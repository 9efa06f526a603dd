"""Near misses of a word: one slip of the fingers each."""

from __future__ import annotations

from collections.abc import Iterator
from string import ascii_lowercase

_ROWS = ("`1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./")


def slips(word: str) -> list[str]:
    """Every word that is one delete, swap of neighbours, doubling or replacement away, each once, in order.

    A character is replaced by every letter, the digits and marks beside it on a keyboard, and itself in the
    other case.
    """
    found: dict[str, None] = {}
    for at, char in enumerate(word):
        before, behind = word[:at], word[at + 1 :]
        found[before + behind] = None
        found[before + char + char + behind] = None
        if behind:
            found[before + behind[0] + char + behind[1:]] = None
        for other in (*ascii_lowercase, *_neighbours(char), char.swapcase()):
            found[before + other + behind] = None
    found.pop(word, None)
    return list(found)


def _neighbours(char: str) -> Iterator[str]:
    """The digits and marks around a key that mean nothing to YAML."""
    for number, row in enumerate(_ROWS):
        at = row.find(char.lower())
        if at < 0:
            continue
        around = row[max(0, at - 1) : at + 2]
        if number:
            around += _ROWS[number - 1][at : at + 2]
        yield from (other for other in around if other in "0123456789-=.;/" and other != char.lower())
