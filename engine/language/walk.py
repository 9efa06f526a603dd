"""From what was compiled back to where it stands: the nodes of a rule file that has no errors."""

from __future__ import annotations

from collections.abc import Iterator

from engine.language.model import After, AllOf, AnyOf, Pattern, Sequence
from engine.language.moments import parts_of
from engine.language.source import Mapping, Node
from engine.language.source import Sequence as SequenceNode


def find(node: Node | None, *path: str) -> Node | None:
    """Return the value at a path of keys; None if there is none."""
    for key in path:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node


def patterns(pattern: Pattern, node: Node | None) -> Iterator[tuple[Pattern, Mapping]]:
    """Yield a pattern and all patterns inside it, outermost first, each with its mapping in the file."""
    if not isinstance(node, Mapping):
        return
    yield pattern, node
    match pattern:
        case After():
            inner = [node.get("after"), node.get("no")]
        case Sequence():
            inner = _items(node.get("sequence"))
        case AnyOf():
            inner = _items(node.get("any_of"))
        case AllOf():
            inner = _items(node.get("all_of"))
        case _:
            return
    for part, below in zip(parts_of(pattern), inner, strict=False):
        yield from patterns(part, below)


def _items(node: Node | None) -> list[Node | None]:
    return list(node.items) if isinstance(node, SequenceNode) else []
