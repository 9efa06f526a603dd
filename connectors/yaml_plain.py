"""YAML as plain text values, with the place of each: for files of ours that are checked by pydantic.

Every scalar is text: YAML's own types would turn `1` into a number, `no` into false and `0123` into 83.
Aliases and keys given twice are refused. Where a mistake of a model stands is found by `Marked.where`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from engine.errors import InputError

Steps = tuple[str | int, ...]
"""The way to a value: keys of mappings, numbers of lists."""


class Marked:
    """A YAML file: its `data`, and where in the file each part of it stands."""

    def __init__(self, path: Path, text: bytes, what: str) -> None:
        """Read a file's text. `what` it should hold, for messages. Raises InputError with line and column."""
        self.path = path
        self._marks: dict[Steps, tuple[int, int]] = {}
        self._lists: set[Steps] = set()
        self._seen: set[int] = set()
        try:
            node = yaml.compose(text, Loader=yaml.CSafeLoader)
            self.data: Any = {} if node is None else self._plain(node, ())
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
            raise InputError(where, "YAML", getattr(error, "problem", None) or str(error)) from None
        except RecursionError:
            raise InputError(str(path), what, "nested too deep") from None

    def _plain(self, node: Any, steps: Steps) -> Any:
        mark = node.start_mark
        self._marks.setdefault(steps, (mark.line + 1, mark.column + 1))
        if id(node) in self._seen:
            raise InputError(f"{self.path}:{mark.line + 1}:{mark.column + 1}", "no aliases", "an alias")
        self._seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            return node.value
        if isinstance(node, yaml.SequenceNode):
            self._lists.add(steps)
            return [self._plain(item, (*steps, number)) for number, item in enumerate(node.value)]
        mapping: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value)
            place = (key.start_mark.line + 1, key.start_mark.column + 1)
            if name in mapping:
                raise InputError(f"{self.path}:{place[0]}:{place[1]}", f"{name} once", "twice")
            self._marks[(*steps, name)] = place
            mapping[name] = self._plain(value, (*steps, name))
        return mapping

    def where(self, steps: Sequence[str | int]) -> str:
        """Return `FILE:LINE:COLUMN: NAME` of a value, or of the nearest thing around it that is there.

        `steps` as pydantic gives them: numbers of lists that the file does not have are left out.
        """
        found: Steps = ()
        named: list[str] = []
        for step in steps:
            if isinstance(step, int) and found not in self._lists:
                continue  # one thing where a list may stand
            named.append(str(step))
            if (*found, step) in self._marks:
                found = (*found, step)
        line, column = self._marks.get(found, (1, 1))
        name = ".".join(named)
        return f"{self.path}:{line}:{column}" + (f": {name}" if name else "")
