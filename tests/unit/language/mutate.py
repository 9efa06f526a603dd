"""Damaged copies of valid files, from a seeded stream."""

from __future__ import annotations

import random
from collections.abc import Sequence

_BITS: list[str] = [
    *"{}[]:,-#&*!|>'\"%@`?~\t\n \x00\x07\u2028\x85\ud800\ufeff",
    "null", "yes", "- ", "? ", ": ", "<<", "１２", "²", "-1", "0", "1e9", "nan", "48h", "0m", "99999d",
    "at least ", "not ", "A to B", "to", "{event.x}", "\n---\n", "...\n", "%YAML 1.1\n", "!!python/object:os",
    "&a", "*a", "\r\n", "2026-02-30 to 2026-13-01", "25:00 to 24:00", "24:00 to 01:00", "0 in 0d",
    "101%", "-5%",
    "9" * 20, "9" * 5_000, "[" * 25, "{a: " * 25,
]  # fmt: skip
"""What fingers, editors and attackers put into files."""


def mutate(text: str, lines: Sequence[str], rng: random.Random) -> str:
    """Damage a file in one to six places. `lines`: lines of other files, to be put in."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        text = _once(text, lines, rng)
    return text


def _once(text: str, lines: Sequence[str], rng: random.Random) -> str:
    kind = rng.randrange(7)
    at = rng.randrange(len(text) + 1)
    gone: int = rng.choice((1, 1, 2, 5, 20, 100))
    if kind == 0:
        return text[:at] + text[at + gone :]
    if kind == 1:
        return text[:at] + rng.choice(_BITS) + text[at:]
    if kind == 2:
        return text[:at] + rng.choice(_BITS) + text[at + gone :]
    rows = text.split("\n")
    row = rng.randrange(len(rows))
    if kind == 3:
        rows[row] = rng.choice(lines)
    elif kind == 4:
        other = rng.randrange(len(rows))
        rows[row], rows[other] = rows[other], rows[row]
    elif kind == 5:
        del rows[row]
    else:
        rows[row] = " " * rng.randrange(8) + rows[row].strip()
    return "\n".join(rows)
