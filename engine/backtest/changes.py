"""Two folders of rules, line by line: what was added, removed, written differently, and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.language.loader import is_rule
from engine.language.source import Mapping as Block
from engine.language.source import Node, Scalar, Sequence, read

Leaf = tuple[str, int]
"""Text of a scalar, line of it in its file, from 1."""


def changed_files(new: Mapping[str, str], old: Mapping[str, str]) -> list[dict[str, Any]]:
    """Compare two sets of files, given as relative path -> text; tests are left out.

    Returns the files that differ, by path: {file, status, lines}; status `added`, `removed`, `changed`; a
    line is {key, line, before, after}; `line` is that in the new file, or in the old one if `after` is None.
    Comments and the order of keys are no difference, and no file is listed for them. Lists that are no YAML
    (cells) are named without lines.
    """
    found = []
    for path in sorted({*new, *old}):
        if not _counts(path) or new.get(path) == old.get(path):
            continue
        status = "added" if path not in old else "removed" if path not in new else "changed"
        lines: list[dict[str, Any]] = []
        if status == "changed" and path.endswith((".yaml", ".yml")):
            lines = list(_lines(_leaves(path, new[path]), _leaves(path, old[path])))
            if not lines:
                continue
        found.append({"file": path, "status": status, "lines": lines})
    return found


def _counts(path: str) -> bool:
    return is_rule(path) or path == "policy.yaml" or path.startswith("catalog/")


def _leaves(path: str, text: str) -> dict[str, Leaf]:
    root = read(path, text).root
    return dict(_walk(root, "")) if root is not None else {}


def _walk(node: Node, key: str) -> Iterator[tuple[str, Leaf]]:
    if isinstance(node, Scalar):
        yield key, (node.text, node.start.line + 1)
    elif isinstance(node, Sequence):
        if all(isinstance(item, Scalar) for item in node.items):
            words = ", ".join(item.text for item in node.items if isinstance(item, Scalar))
            yield key, (f"[{words}]", node.start.line + 1)
            return
        for number, item in enumerate(node.items, 1):
            yield from _walk(item, f"{key}[{number}]")
    elif isinstance(node, Block):
        for name, value in node:
            yield from _walk(value, f"{key}.{name.text}" if key else name.text)


def _lines(new: dict[str, Leaf], old: dict[str, Leaf]) -> Iterator[dict[str, Any]]:
    for key in dict.fromkeys((*new, *old)):
        after, before = new.get(key), old.get(key)
        if after is None and before is not None:
            yield {"key": key, "line": before[1], "before": before[0], "after": None}
        elif after is not None and (before is None or before[0] != after[0]):
            yield {
                "key": key,
                "line": after[1],
                "before": None if before is None else before[0],
                "after": after[0],
            }
