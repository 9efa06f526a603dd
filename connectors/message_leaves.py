"""Which values of messages a field map does not look at, by their paths."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from engine.refusals import redact

PATHS_AT_MOST = 1_000
"""Different paths that are counted: names of fields may be data themselves."""
_PLAIN = re.compile(r"[^\s.\[\]\"@$]+")

Steps = tuple[str, ...]
"""Names of fields; `[]` for any element of an array."""


class Unread:
    """Counts values that stand at no path of a map. `each`, `looked`: paths as the map has them.

    What is looked at as a whole is read with all that is in it. An array counts as one path, whichever of its
    elements are read.
    """

    def __init__(self, each: str | None, looked: Iterable[str], counts: Counter[str]) -> None:
        self._each = None if each is None else _steps(each.removeprefix("$"))
        self._counts = counts
        self._inside: set[Steps] = set()
        self._around: set[Steps] = set()
        for path in looked:
            if path.startswith("@"):
                continue
            outer = path.startswith("$")
            steps = _steps(path.removeprefix("$"))
            if outer or self._each is None:
                self._around.add(steps)
            else:
                self._inside.add(steps)

    def message(self, message: Any) -> None:
        """Count what stands around the parts of a message, or of an array of them."""
        if self._each is None:
            return
        for whole in message if isinstance(message, list) else (message,):
            self._count(whole, {*self._around, self._each}, "$.")

    def part(self, part: Any) -> None:
        """Count what stands in one part of a message: all of it, if the map has no `each`."""
        self._count(part, self._inside if self._each is not None else self._around, "")

    def _count(self, value: Any, looked: set[Steps], prefix: str) -> None:
        for steps in _leaves(value):
            if any(steps[:length] in looked for length in range(len(steps) + 1)):
                continue
            # names of fields may be numbers of persons
            path = prefix + redact(_written(steps))
            if path in self._counts or len(self._counts) < PATHS_AT_MOST:
                self._counts[path] += 1


def _leaves(value: Any) -> Iterator[Steps]:
    """Yield where something stands that is neither object nor array; each place once, a null nowhere."""
    found: dict[Steps, None] = {}
    waiting: list[tuple[Steps, Any]] = [((), value)]
    while waiting:
        steps, node = waiting.pop()
        if isinstance(node, dict):
            waiting += [((*steps, str(name)), inner) for name, inner in node.items()]
        elif isinstance(node, list):
            waiting += [((*steps, "[]"), inner) for inner in node]
        elif node is not None:
            found[steps] = None
    return iter(found)


def _steps(path: str) -> Steps:
    """Split a path that is known to be one; of elements it does not matter which."""
    found = re.finditer(r"\[\"(?P<quoted>[^\"]+)\"\]|(?P<index>\[-?\d+\])|(?P<name>[^\s.\[\]\"]+)", path)
    return tuple(each["quoted"] or ("[]" if each["index"] else each["name"]) for each in found)


def _written(steps: Steps) -> str:
    text = ""
    for step in steps:
        if step == "[]":
            text += step
        elif _PLAIN.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f'["{step}"]'
    return text or "."
