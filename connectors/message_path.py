"""Paths into messages, to values: `header.imsi`, `cells[0].id`, `["a.b"].c`, `cells[-1]` for the last.

A path begins at the record's own part of a message: the message itself, or with `each` one element of its
array. `$.` begins at the message in any case, `.` alone is the whole part. `@` begins outside of the message:

    @key                the key of the Kafka message, as text
    @timestamp          its time, as epoch ms
    @topic              the topic it came from
    @headers.NAME       one of its headers, as text; the last of several

What is not there, or is null on the way, is no value. A path never fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Root = Literal["part", "message", "envelope"]
Get = Callable[[Any], Any]
"""What a path begins at, to the value there; None: there is none."""

_STEP = re.compile(r"\.?(?:(?P<name>[^\s.\[\]\"@$]+)|\[(?P<index>-?\d{1,6})\]|\[\"(?P<quoted>[^\"]+)\"\])")
_ENVELOPE = ("key", "timestamp", "topic", "headers")
LENGTH_AT_MOST = 500


@dataclass(frozen=True, slots=True)
class Envelope:
    """What stands around a Kafka message."""

    key: bytes | None = None
    timestamp: int = -1
    """Epoch ms; -1: none."""
    headers: Sequence[tuple[str, bytes | None]] = ()
    topic: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as a path beginning with `@` sees it."""
        return {
            "key": _text(self.key),
            "timestamp": self.timestamp if self.timestamp >= 0 else None,
            "topic": self.topic,
            "headers": {name: _text(value) for name, value in self.headers},
        }


NOTHING = Envelope()


class Path:
    """A path, read. Raises ValueError saying what is wrong with it."""

    __slots__ = ("get", "root", "steps", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.root: Root = "part"
        if len(text) > LENGTH_AT_MOST:
            raise ValueError(f"expected a path of at most {LENGTH_AT_MOST} characters, was {len(text)}")
        rest = text
        if text.startswith("$"):
            self.root, rest = "message", text[1:]
        elif text.startswith("@"):
            self.root, rest = "envelope", text[1:]
        self.steps = _steps(text, "" if rest == "." else rest)
        """Names of fields, and numbers of elements."""
        if self.root == "envelope":
            _check_envelope(text, self.steps)
        self.get = _getter(self.steps)

    def is_null(self, node: Any) -> bool:
        """Say whether there is a null in the very place, rather than nothing."""
        if not self.steps:
            return node is None
        parent, last = _follow(node, self.steps[:-1]), self.steps[-1]
        return parent.__class__ is dict and last in parent and parent[last] is None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Path) and (self.root, self.steps) == (other.root, other.steps)

    def __hash__(self) -> int:
        return hash((self.root, self.steps))

    def __str__(self) -> str:
        return self.text


def _steps(text: str, rest: str) -> tuple[str | int, ...]:
    steps: list[str | int] = []
    at = 0
    while at < len(rest):
        found = _STEP.match(rest, at)
        # `a..b` and `[0]b` are mistakes, a dot before the first name only follows `$`
        glued = found is not None and found["name"] is not None and at > 0 and rest[at] != "."
        leading = at == 0 and rest[0] == "." and text[:1] != "$"
        if found is None or glued or leading:
            raise ValueError(f"expected a path such as header.imsi or cells[0].id, was {text!r}")
        steps.append(int(found["index"]) if found["index"] is not None else found["name"] or found["quoted"])
        at = found.end()
    if not steps and text not in (".", "$"):
        raise ValueError(f"expected a path such as header.imsi or cells[0].id, was {text!r}")
    return tuple(steps)


def _check_envelope(text: str, steps: tuple[str | int, ...]) -> None:
    known = steps[0] in _ENVELOPE if steps else False
    if not known or len(steps) != (2 if steps[0] == "headers" else 1):
        raise ValueError(f"expected @key, @timestamp, @topic or @headers.NAME, was {text!r}")


def _getter(steps: tuple[str | int, ...]) -> Get:
    """Return what follows the steps; one and two names, as nearly all paths have, without a loop."""
    match steps:
        case ():
            return lambda node: node
        case (str(name),):
            return lambda node: node.get(name) if node.__class__ is dict else None
        case (str(first), str(second)):

            def two(node: Any) -> Any:
                if node.__class__ is not dict:
                    return None
                inner = node.get(first)
                return inner.get(second) if inner.__class__ is dict else None

            return two
    return lambda node: _follow(node, steps)


def _follow(node: Any, steps: tuple[str | int, ...]) -> Any:
    for step in steps:
        if step.__class__ is str:
            if node.__class__ is not dict:
                return None
            node = node.get(step)
        elif node.__class__ is list and -len(node) <= step < len(node):  # type: ignore[operator]
            node = node[step]  # type: ignore[index]
        else:
            return None
    return node


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode("utf-8", "replace")
