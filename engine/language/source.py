"""YAML text to nodes that know where they stand.

Every scalar stays the string that was written: YAML's own typing turns `22:30` into 1350 and `NO` into
false, so the schema decides types, not YAML. The tree is built from parser events, not from `yaml.compose`:
events show anchors and tags, and a deep file can't exhaust the stack. Refused: aliases, anchors, tags,
complex keys, duplicate keys, several documents, files over `MAX_BYTES`, `MAX_DEPTH` or `MAX_NODES`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Any, Final

import yaml

from engine.language.checks.yaml_form import diagnose
from engine.language.complaint import Complaint
from engine.language.problems import Problem, Severity

MAX_BYTES: Final = 256 * 1024
MAX_DEPTH: Final = 20
MAX_NODES: Final = 50_000

_BREAK = re.compile(r"\r\n|[\r\n]")
_NO_BREAK = re.compile(r"[\x85\u2028\u2029]")
"""Ends of lines for YAML, of which editors show nothing: behind them all lines would be off by one."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Characters that an escape can bring into a text and that belong in none."""
_SECTION = re.compile(r"\w[\w.-]*")
"""What opens a section of a file: a key in the first column, also one without its colon."""
_TOP = re.compile(r"^\w[\w.-]*", re.MULTILINE)
_INDENTED = re.compile(r"^( *)%?(\w[\w.-]*)", re.MULTILINE)
"""The same in whatever column."""
_VISIBLE = re.compile(r"[^\r\n]")
_MENDS: Final = 8
"""So many sections of a file are left out; beyond that it is no rule."""
_MENDED: Final = 32 * 1024
"""A longer file is not read around its mistakes, so that no file takes long."""
_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Node:
    """A value in a file. `start` and `end` are libyaml marks: `line`, `column`, `index`, all from 0."""

    __slots__ = ("end", "start")

    def __init__(self, start: Any, end: Any) -> None:
        self.start = start
        self.end = end


class Scalar(Node):
    """One word or text, as written, without quotes."""

    __slots__ = ("text",)

    def __init__(self, text: str, start: Any, end: Any) -> None:
        super().__init__(start, end)
        self.text = text


class Sequence(Node):
    """A list."""

    __slots__ = ("items",)

    def __init__(self, start: Any, end: Any) -> None:
        super().__init__(start, end)
        self.items: list[Node] = []


class Mapping(Node):
    """Keys and values in written order: key text -> (key node, value node)."""

    __slots__ = ("entries",)

    def __init__(self, start: Any, end: Any) -> None:
        super().__init__(start, end)
        self.entries: dict[str, tuple[Scalar, Node]] = {}

    def get(self, key: str) -> Node | None:
        """Return the value of a key, or None."""
        entry = self.entries.get(key)
        return None if entry is None else entry[1]

    def __iter__(self) -> Iterator[tuple[Scalar, Node]]:
        return iter(self.entries.values())


Plain = str | list["Plain"] | dict[str, "Plain"]


def plain(node: Node) -> Plain:
    """Return the node as plain data: strings, lists, dicts."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    assert isinstance(node, Mapping)
    return {key.text: plain(value) for key, value in node}


@dataclass(frozen=True, slots=True)
class Source:
    """One file as read. `root` is None if it is empty or no YAML; `problems` says why."""

    path: str
    text: str
    root: Node | None
    problems: tuple[Problem, ...] = ()
    broken: frozenset[str] = frozenset()
    """Top keys whose sections are no YAML: they are not in `root`, and not to be missed there."""

    def line(self, number: int) -> str:
        """Return the text of a line, counted from 0."""
        return line_of(self.text, number)

    def problem(
        self, code: str, where: Node, message: str, hint: str = "", severity: Severity = "error"
    ) -> Problem:
        """Make a problem that marks a scalar whole, a mapping by its first key, a list by its first line."""
        node = where
        if isinstance(node, Mapping) and node.entries:
            node = next(iter(node.entries.values()))[0]
        start, end = node.start, node.end
        text = self.line(start.line)
        stop = end.column if end.line == start.line else len(text.rstrip())
        return Problem(
            self.path,
            start.line + 1,
            start.column + 1,
            max(stop, start.column) + 1,
            code,
            message,
            hint,
            severity,
            text,
        )

    def problem_inside(
        self, code: str, where: Scalar, part: str, nth: int, message: str, hint: str = ""
    ) -> Problem:
        """Make a problem that marks the `nth` (from 0) `part` inside a scalar, quoted or folded."""
        at = where.start.index - 1
        for _ in range(nth + 1):
            at = self.text.find(part, at + 1, where.end.index)
            if at < 0:  # written with escapes: mark the whole
                return self.problem(code, where, message, hint)
        line = where.start.line + len(_BREAK.findall(self.text, where.start.index, at))
        text = self.line(line)
        begin = where.start.index - where.start.column
        for found in _BREAK.finditer(self.text, where.start.index, at):
            begin = found.end()
        col = at - begin
        return Problem(self.path, line + 1, col + 1, col + 1 + len(part), code, message, hint, "error", text)


def line_of(text: str, number: int) -> str:
    """Return the text of a line, counted from 0; of a line that is not there nothing."""
    lines = _lines(text)
    return lines[number] if number < len(lines) else ""


@lru_cache(maxsize=8)
def _lines(text: str) -> list[str]:
    return _BREAK.split(text)


@lru_cache(maxsize=512)
def read(path: str, text: str) -> Source:
    """Read one file. Never raises: what is wrong is in `problems`.

    Cached by content, because a reload or a property test reads mostly what it has read before; nodes are
    never changed.
    """
    text = text.removeprefix("\ufeff")
    if len(text) > MAX_BYTES or len(text.encode(errors="replace")) > MAX_BYTES:
        message = f"this file is larger than {MAX_BYTES // 1024} KB"
        hint = "split it, or list the cells of a place in a .csv file"
        return Source(path, text, None, (_point(path, text, 0, 0, "R004", message, hint),))
    bad = _UNPRINTABLE.search(text)
    if bad is not None:
        line, column = _position(text, bad.start())
        message = f"this is not valid YAML: the character U+{ord(bad[0]):04X} can't be shown"
        return Source(path, text, None, (_point(path, text, line, column, "R001", message, "delete it"),))
    if _NO_BREAK.search(text) is None:
        return _read_around(path, text)
    plain_text = _NO_BREAK.sub(" ", text)
    source = _read_around(path, plain_text)
    hidden = []
    for found in islice(_NO_BREAK.finditer(text), _MENDS):
        said = f"here is an invisible line break (U+{ord(found[0]):04X})"
        hidden.append(_point(path, plain_text, *_position(text, found.start()), "R001", said, "delete it"))
    return replace(source, problems=(*hidden, *source.problems))


def _read_around(path: str, text: str) -> Source:
    """Read a file; a section that is no YAML is reported and left out, so that the others are checked too."""
    found: list[Problem] = []
    broken: set[str] = set()
    rest = text
    while True:
        builder = _Builder(path, rest)
        root, problems = builder.build()
        if root is not None or not problems:
            return Source(path, text, root, (*found, *problems), frozenset(broken))
        found += problems
        if builder.lines is not None:
            section = _cut(rest, *builder.lines)
        else:
            section = _section(rest, problems[-1].line - 1)
        if builder.hopeless or section is None or len(text) > _MENDED or len(found) > _MENDS:
            return Source(path, text, None, tuple(found))
        names, start, end = section
        broken |= names
        rest = rest[:start] + _VISIBLE.sub(" ", rest[start:end]) + rest[end:]


def _cut(text: str, first: int, stop: int) -> tuple[set[str], int, int] | None:
    """Find some lines: the keys that open in them, first and last index; None if they hold nothing."""
    lines = [0, *(found.end() for found in _BREAK.finditer(text)), len(text)]
    start, end = lines[first], lines[min(stop, len(lines) - 1)]
    keys = [(len(found[1]), found[2]) for found in _INDENTED.finditer(text, start, end)]
    least = min((indent for indent, _ in keys), default=0)
    return ({key for indent, key in keys if indent == least}, start, end) if text[start:end].strip() else None


def _section(text: str, line: int) -> tuple[set[str], int, int] | None:
    """Find the section a line lies in: its key, first and last index; None if it is all there is."""
    lines = [0, *(found.end() for found in _BREAK.finditer(text))]
    opened = [found for begin in lines if (found := _SECTION.match(text, begin)) is not None]
    at = bisect_right([found.start() for found in opened], lines[min(line, len(lines) - 1)]) - 1
    if at < 0 or len(opened) < 2:
        return None
    end = opened[at + 1].start() if at + 1 < len(opened) else len(text)
    return {opened[at][0]}, opened[at].start(), end


def _explain(path: str, text: str, error: yaml.MarkedYAMLError) -> tuple[Problem, tuple[int, int] | None]:
    mark, opened = error.problem_mark or error.context_mark, error.context_mark
    at = (mark.line, mark.column) if mark is not None else (0, 0)
    said = error.problem or error.context or "it can't be read"
    began = (opened.line, opened.column) if opened is not None else None
    fault = diagnose(Complaint(said, _lines(text), *at, began))
    shown = line_of(text, fault.line)
    message = f"this is not valid YAML: {fault.said}"
    line, col, end = fault.line + 1, fault.column + 1, fault.end + 1
    return Problem(path, line, col, end, "R001", message, fault.hint, "error", shown), fault.lines


def _position(text: str, index: int) -> tuple[int, int]:
    line, begin = 0, 0
    for found in _BREAK.finditer(text, 0, index):
        line, begin = line + 1, found.end()
    return line, index - begin


def _point(path: str, text: str, line: int, column: int, code: str, message: str, hint: str = "") -> Problem:
    return Problem(path, line + 1, column + 1, column + 1, code, message, hint, "error", line_of(text, line))


class _Stop(Exception):
    """Carries the problem that ends the reading of a file."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


class _Builder:
    """Builds the tree of one file from its parser events."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.nodes = 0
        self.problems: list[Problem] = []
        self.hopeless = False
        """No section of the file can be read around what is wrong."""
        self.lines: tuple[int, int] | None = None
        """Without these lines the file can be read, as far as can be seen; None: without the section."""

    def build(self) -> tuple[Node | None, tuple[Problem, ...]]:
        """Return the tree and what is wrong; of what can't be read no tree, and why as the only problem."""
        try:
            root = self._build()
        except _Stop as stop:
            return None, (stop.problem,)
        except yaml.MarkedYAMLError as error:
            problem, self.lines = _explain(self.path, self.text, error)
            return None, (problem,)
        except yaml.YAMLError as error:  # pragma: no cover - the reader's errors are caught by `_UNPRINTABLE`
            said = f"this is not valid YAML: {' '.join(str(error).split())}"
            return None, (_point(self.path, self.text, 0, 0, "R001", said),)
        return root, tuple(self.problems)

    def _build(self) -> Node | None:
        next_event: Any = yaml.CSafeLoader(self.text).get_event
        root: Node | None = None
        open_nodes: list[Mapping | Sequence] = []
        keys: list[Scalar | None] = []  # the key that waits for its value, for each open mapping
        documents = 0
        while True:
            event = next_event()
            kind = type(event)
            if kind is yaml.ScalarEvent:
                node: Node = Scalar(event.value, event.start_mark, event.end_mark)
                if not event.value.isprintable() and _CONTROL.search(event.value):
                    raise self._stop(event, "R001", "this text holds a control character", "delete it")
            elif kind is yaml.MappingStartEvent:
                node = Mapping(event.start_mark, event.end_mark)
            elif kind is yaml.SequenceStartEvent:
                node = Sequence(event.start_mark, event.end_mark)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                open_nodes.pop().end = event.end_mark
                keys.pop()
                continue
            elif kind is yaml.AliasEvent:
                raise self._stop(event, "R003", f"`*{event.anchor}`: aliases are not part of this language")
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    self.lines = (event.start_mark.line, event.start_mark.line + 1)
                    self.hopeless = self._goes_on_anew(event.start_mark.index)
                    said = "a file holds one document, but here a second one starts"
                    raise self._stop(event, "R001", said, "put each rule into a file of its own")
                continue
            elif kind is yaml.StreamEndEvent or event is None:
                return root
            else:
                continue
            self._refuse_extras(event, len(open_nodes))
            if not open_nodes:
                root = node
            else:
                self._attach(open_nodes[-1], keys, node)
            if not isinstance(node, Scalar):
                assert isinstance(node, Mapping | Sequence)
                open_nodes.append(node)
                keys.append(None)

    def _goes_on_anew(self, index: int) -> bool:
        """Tell whether the text from an index on is another rule, not the rest of the one above."""
        above, below = (set(_TOP.findall(part)) for part in (self.text[:index], self.text[index:]))
        return bool(above & below) or not below

    def _refuse_extras(self, event: Any, depth: int) -> None:
        self.nodes += 1
        if event.anchor is not None:
            said = f"`&{event.anchor}`: anchors are not part of this language"
            raise self._stop(event, "R003", said, "delete it; text that starts with `&` must be quoted")
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            said = f"`{tag}`: tags are not part of this language"
            raise self._stop(event, "R003", said, "delete it; text that starts with `!` must be quoted")
        self.hopeless = depth > MAX_DEPTH or self.nodes > MAX_NODES
        if depth > MAX_DEPTH:
            raise self._stop(event, "R004", f"this is nested deeper than {MAX_DEPTH} levels")
        if self.nodes > MAX_NODES:
            raise self._stop(event, "R004", f"this file holds more than {MAX_NODES:,} values")

    def _attach(self, parent: Mapping | Sequence, keys: list[Scalar | None], node: Node) -> None:
        if isinstance(parent, Sequence):
            parent.items.append(node)
            return
        key = keys[-1]
        if key is None:
            if not isinstance(node, Scalar):
                message = "this is not valid YAML: a list or mapping stands where a key belongs"
                raise _Stop(
                    self._at(node.start, node.start, "R001", message, "a text with `{` or `[` is quoted")
                )
            keys[-1] = node
            return
        keys[-1] = None
        first = parent.entries.get(key.text)
        if first is None:
            parent.entries[key.text] = (key, node)
            return
        message = f"`{key.text}` is given twice; first at line {first[0].start.line + 1}"
        self.problems.append(self._at(key.start, key.end, "R002", message))

    def _stop(self, event: Any, code: str, message: str, hint: str = "") -> _Stop:
        return _Stop(self._at(event.start_mark, event.start_mark, code, message, hint))

    def _at(self, start: Any, end: Any, code: str, message: str, hint: str = "") -> Problem:
        stop = end.column if end.line == start.line else start.column
        text = line_of(self.text, start.line)
        return Problem(
            self.path, start.line + 1, start.column + 1, stop + 1, code, message, hint, "error", text
        )
