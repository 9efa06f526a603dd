"""A file as an editor reads it: plain scalars typed by YAML 1.2, quoted ones text."""

from __future__ import annotations

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
        isinstance(event, yaml.ScalarEvent) and event.style is None and is_odd(event.value)
        for event in yaml.parse(text, Loader=yaml.CSafeLoader)
    )


def _data(node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {key.value: _data(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_data(item) for item in node.value]
    assert isinstance(node, yaml.ScalarNode)
    return node.value if node.style else core(node.value)


def lines_of(text: str, path: list[str | int], known: Mapping[str, Any] | None) -> set[int]:
    """Return the lines, counted from 1, of what stands at a path; with `known`, of the keys not in it."""
    node = yaml.compose(text, Loader=yaml.CSafeLoader)
    begin = node
    for step in path:
        if isinstance(node, yaml.MappingNode):
            begin, node = next(pair for pair in node.value if pair[0].value == step)
        else:
            begin = node = node.value[step]
    if known is None:
        return {begin.start_mark.line + 1, node.start_mark.line + 1}
    return {key.start_mark.line + 1 for key, _ in node.value if key.value not in known}
