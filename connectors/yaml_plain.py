"""YAML as plain text values, with the place of each: for files of ours that are checked by pydantic.

Every scalar is text: YAML's own types would turn `1` into a number, `no` into false and `0123` into 83.
Aliases and keys given twice are refused. Where a mistake of a model stands is found by `Marked.where`. Values
are built from parser events, not by `yaml.compose`: that one has no limit of depth, and a file of nothing but
brackets would end the process.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from engine.errors import InputError

Steps = tuple[str | int, ...]
"""The way to a value: keys of mappings, numbers of lists."""
DEPTH_AT_MOST: Final = 50
"""Lists and mappings inside one another."""


class Marked:
    """A YAML file: its `data`, and where in the file each part of it stands."""

    def __init__(self, path: Path, text: bytes) -> None:
        """Read a file's text. Raises InputError with line and column."""
        self.path = path
        self._marks: dict[Steps, tuple[int, int]] = {}
        self._lists: set[Steps] = set()
        try:
            self._next: Any = yaml.CSafeLoader(text).get_event
            self.data: Any = self._document()
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
            raise InputError(where, "YAML", getattr(error, "problem", None) or str(error)) from None

    def _document(self) -> Any:
        """Return what the one document of the file holds; an empty file is an empty mapping."""
        self._next()  # the stream begins
        if type(self._next()) is yaml.StreamEndEvent:
            return {}
        data = self._plain(self._next(), ())
        self._next()  # the document ends
        event = self._next()
        if type(event) is not yaml.StreamEndEvent:
            raise self._wrong(event, "one document", "another one")
        return data

    def _plain(self, event: Any, steps: Steps) -> Any:
        kind = type(event)
        self._marks.setdefault(steps, _place(event))
        if kind is yaml.AliasEvent:
            raise self._wrong(event, "no aliases", "an alias")
        if kind is yaml.ScalarEvent:
            return event.value
        if len(steps) >= DEPTH_AT_MOST:
            raise self._wrong(event, f"at most {DEPTH_AT_MOST} levels", "more")
        if kind is yaml.SequenceStartEvent:
            self._lists.add(steps)
            items: list[Any] = []
            while type(event := self._next()) is not yaml.SequenceEndEvent:
                items.append(self._plain(event, (*steps, len(items))))
            return items
        mapping: dict[str, Any] = {}
        while type(key := self._next()) is not yaml.MappingEndEvent:
            if type(key) is not yaml.ScalarEvent:
                raise self._wrong(key, "a text as key", "something else")
            name = str(key.value)
            if name in mapping:
                raise self._wrong(key, f"{name} once", "twice")
            self._marks[(*steps, name)] = _place(key)
            mapping[name] = self._plain(self._next(), (*steps, name))
        return mapping

    def _wrong(self, event: Any, expected: str, was: str) -> InputError:
        line, column = _place(event)
        return InputError(f"{self.path}:{line}:{column}", expected, was)

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


def _place(event: Any) -> tuple[int, int]:
    """Return line and column of an event, from 1."""
    return event.start_mark.line + 1, event.start_mark.column + 1
