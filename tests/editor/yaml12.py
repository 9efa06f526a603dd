"""A file as an editor reads it: plain scalars typed by YAML 1.2, quoted ones text."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import yaml

from engine.language.editor.scalars import core, is_odd


def read(text: str) -> Any:
    """Return the data of a file; raises `yaml.YAMLError` if it is no YAML."""
    node = yaml.compose(text, Loader=yaml.CSafeLoader)
    return None if node is None else _data(node)


def has_odd_text(text: str) -> bool:
    """Tell whether a file has a plain scalar that an editor wants quoted, such as `true`."""
    return any(
        isinstance(event, yaml.ScalarEvent) and not event.style and is_odd(event.value)
        for event in yaml.parse(text, Loader=yaml.CSafeLoader)
    )


def _data(node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _data(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_data(item) for item in node.value]
    assert isinstance(node, yaml.ScalarNode)
    return node.value if node.style else core(node.value)


def rewritten(text: str, rng: random.Random) -> str:
    """Write one plain scalar in another way that may mean the same."""
    events = yaml.parse(text, Loader=yaml.CSafeLoader)
    scalars = [e for e in events if isinstance(e, yaml.ScalarEvent) and not e.style and e.value]
    chosen = rng.choice(scalars)
    assert chosen.start_mark is not None
    assert chosen.end_mark is not None
    start, end = chosen.start_mark.index, chosen.end_mark.index
    old = text[start:end]
    ways = (f"'{old}'", f'"{old}"', f"+{old}", f"0{old}", f"{old}.0", old.replace(" ", "  "), f"[{old}]")
    new = rng.choice(ways)
    return text[:start] + new + text[end:]


def lines_of(text: str, path: list[str | int], known: Mapping[str, Any] | None) -> set[int]:
    """Return the lines, counted from 1, of what stands at a path; with `known`, of the keys not in it."""
    node: Any = yaml.compose(text, Loader=yaml.CSafeLoader)
    begin = node
    for step in path:
        if isinstance(node, yaml.MappingNode):
            begin, node = next(pair for pair in node.value if pair[0].value == step)
        else:
            begin = node = node.value[step]
    if known is None:
        return {begin.start_mark.line + 1, node.start_mark.line + 1}
    return {key.start_mark.line + 1 for key, _ in node.value if str(key.value) not in known}
