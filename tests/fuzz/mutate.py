"""Damaged copies of valid files, from a seeded stream."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from engine.language.source import Mapping, Node, Scalar, read
from engine.language.source import Sequence as List

_BITS: list[str] = [
    *"{}[]:,-#&*!|>'\"%@`?~\t\n \x00\x07\u2028\x85\ud800\ufeff",
    "null", "yes", "- ", "? ", ": ", "<<", "１２", "²", "-1", "0", "1e9", "nan", "48h", "0m", "99999d",
    "at least ", "not ", "A to B", "to", "{event.x}", "\n---\n", "...\n", "%YAML 1.1\n", "!!python/object:os",
    "&a", "*a", "\r\n", "2026-02-30 to 2026-13-01", "25:00 to 24:00", "24:00 to 01:00", "0 in 0d",
    "101%", "-5%",
    "：", "，", "“", "【", "\u3000", "\xa0", "\u200b", "- - ", "|\n", ">-\n", "'", "[]", "{}", "~", "on",
    "0x10", "at least 20 percent", "every 5 yuan", "9" * 20, "9" * 5_000, "[" * 25, "{a: " * 25,
]  # fmt: skip
"""What fingers, editors and attackers put into files."""


def damage(text: str, lines: Sequence[str], rng: random.Random) -> bytes:
    """Damage a file as text, as a tree or as bytes. `lines`: lines of other files, to be put in."""
    kind = rng.randrange(10)
    if kind < 5:
        return mutate(text, lines, rng).encode("utf-8", "surrogatepass")
    if kind < 9:
        for _ in range(rng.choice((1, 1, 2, 3))):
            text = transplant(text, lines, rng)
        return text.encode("utf-8", "surrogatepass")
    raw = bytearray(text.encode())
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(len(raw) + 1)
        if rng.random() < 0.5:
            raw[at : at + rng.choice((0, 1, 1, 3))] = bytes(
                rng.randrange(256) for _ in range(rng.choice((0, 1, 2)))
            )
        else:
            raw[at : at + 1] = bytes((rng.choice(_BYTES),))
    return bytes(raw)


_BYTES = (0, 9, 10, 13, 0x20, 0x23, 0x2D, 0x3A, 0x5B, 0x7B, 0x80, 0xA0, 0xC2, 0xE3, 0xEF, 0xFE, 0xFF)


def transplant(text: str, lines: Sequence[str], rng: random.Random) -> str:
    """Change the tree of a file: swap, delete, double, empty or replace one of its values or keys."""
    root = read("fuzz.yaml", text).root
    parts = [] if root is None else list(_nodes(root))
    if len(parts) < 2:
        return mutate(text, lines, rng)
    a, b = sorted(rng.sample(parts, 2), key=lambda node: node.start.index)
    first, second = slice(a.start.index, a.end.index), slice(b.start.index, b.end.index)
    kind = rng.randrange(6)
    if kind == 0 and first.stop <= second.start:
        return "".join((text[: first.start], text[second], text[first.stop : second.start], text[first],
                        text[second.stop :]))  # fmt: skip
    if kind == 1:
        return text[: first.start] + text[first.stop :]
    if kind == 2:
        return text[: first.stop] + rng.choice((" ", ", ", "\n")) + text[first] + text[first.stop :]
    if kind == 3:
        return text[: second.start] + text[first] + text[second.stop :]
    if kind == 4:
        return text[: first.start] + rng.choice(_BITS) + text[first.stop :]
    wrapped = rng.choice(("[{}]", "{{x: {}}}", "'{}'", "not {}", "{} to {}", "at least {}"))
    return text[: first.start] + wrapped.format(text[first], text[second]) + text[first.stop :]


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, Mapping):
        for key, value in node:
            yield key
            yield from _nodes(value)
    elif isinstance(node, List):
        for item in node.items:
            yield from _nodes(item)
    else:
        assert isinstance(node, Scalar)


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
