"""The pieces of a compiled field map: functions that find a value, or the kind, of one record.

A record is looked for in three places at once (`Roots`): its own part of the message, the message, and what
stands around that. One and two steps into a mapping, as nearly all paths are, cost no call of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.column_spec import SLOT
from connectors.field_map import KindByPresence, KindByValue, PathSpec
from connectors.message_path import Path
from connectors.message_values import Take, written
from engine.refusals import Bad, quote

Roots = tuple[Any, Any, Any]
"""(part, message, envelope)."""
Pick = Callable[[Roots], Any]
"""What is at a path; None: nothing."""
Find = Callable[[Roots, dict[str, Any]], Any]
"""(roots, fields found so far) -> a field's value; None: there is none. Raises `Bad`."""
FindKind = Callable[[Roots], str | None]
"""The kind; None: the record is skipped. Raises `Bad`."""

_AT = {"part": 0, "message": 1, "envelope": 2}


def picker(path: Path) -> Pick:
    """Return what gets what is at a path."""
    at, get = _AT[path.root], path.get
    return lambda roots: get(roots[at])


def value_finder(name: str, path: Path, take: Take) -> Find:
    """Return what finds the value of a field at a path; its mistakes name both."""
    where = name if path.text == name else f"{name} ({path})"
    at, get = _AT[path.root], path.get
    first, second = (*path.steps, None, None)[:2]
    if len(path.steps) == 1 and isinstance(first, str):

        def find_one(roots: Roots, fields: dict[str, Any]) -> Any:
            root = roots[at]
            value = root.get(first) if root.__class__ is dict else None
            try:
                return None if value is None else take(value)
            except Bad as bad:
                bad.field = where
                raise

        return find_one
    if len(path.steps) == 2 and isinstance(first, str) and isinstance(second, str):

        def find_two(roots: Roots, fields: dict[str, Any]) -> Any:
            root = roots[at]
            inner = root.get(first) if root.__class__ is dict else None
            value = inner.get(second) if inner.__class__ is dict else None
            try:
                return None if value is None else take(value)
            except Bad as bad:
                bad.field = where
                raise

        return find_two

    def find(roots: Roots, fields: dict[str, Any]) -> Any:
        value = get(roots[at])
        try:
            return None if value is None else take(value)
        except Bad as bad:
            bad.field = where
            raise

    return find


def conditional(find: Find, spec: PathSpec) -> Find:
    """Return what looks for a value only in records that `when` of its spec names."""
    when = spec.when
    if when is None:
        return find
    pick, texts = picker(Path(when.path)), frozenset(text.encode() for text in when.texts)

    def find_if(roots: Roots, fields: dict[str, Any]) -> Any:
        value = pick(roots)
        if value is None or isinstance(value, list | dict) or written(value).strip() not in texts:
            return None
        return find(roots, fields)

    return find_if


def first_of(finds: tuple[Find, ...]) -> Find:
    """Return what finds the first value that there is, by several ways."""
    if len(finds) == 1:
        return finds[0]

    def find(roots: Roots, fields: dict[str, Any]) -> Any:
        for way in finds:
            value = way(roots, fields)
            if value is not None:
                return value
        return None

    return find


def templated(template: str) -> Find:
    """Return what fills a template; if one of the values is missing, so is the text."""
    parts = SLOT.split(template)
    texts, slots = parts[::2], parts[1::2]
    if len(slots) == 1:
        [slot], [before, after] = slots, texts

        def find_one(roots: Roots, fields: dict[str, Any]) -> Any:
            value = fields.get(slot)
            return None if value is None else f"{before}{value}{after}"

        return find_one

    def find(roots: Roots, fields: dict[str, Any]) -> Any:
        values = [fields.get(slot) for slot in slots]
        if None in values:
            return None
        return texts[0] + "".join([f"{value}{text}" for value, text in zip(values, texts[1:], strict=True)])

    return find


def summed(factors: dict[str, int]) -> Find:
    """Return what adds up whole numbers, each multiplied; if one is missing, there is no sum."""

    def find(roots: Roots, fields: dict[str, Any]) -> Any:
        if all(name in fields for name in factors):
            return sum(fields[name] * factor for name, factor in factors.items())
        return None

    return find


def kind_finder(kind: str | KindByValue | KindByPresence) -> FindKind:
    """Return what finds the kind."""
    if isinstance(kind, str):
        return lambda roots: kind
    return _by_presence(kind) if isinstance(kind, KindByPresence) else _by_value(kind)


def _by_presence(kind: KindByPresence) -> FindKind:
    picks = [(picker(Path(path)), meant) for path, meant in kind.present.items()]
    expected, skips = "one of " + ", ".join(kind.present), kind.otherwise == "skip"

    def find(roots: Roots) -> str | None:
        for pick, meant in picks:
            if pick(roots) is not None:
                return meant
        if skips:
            return None
        raise Bad(expected, "none of them", "value", "kind")

    return find


def _by_value(kind: KindByValue) -> FindKind:
    pick, where = picker(Path(kind.path)), f"kind ({kind.path})"
    finds = {text: kind_finder(meant) for text, meant in kind.values.items()}
    expected, skips = "one of " + ", ".join(kind.values), kind.otherwise == "skip"

    def find(roots: Roots) -> str | None:
        value = pick(roots)
        text = value.strip() if value.__class__ is str else _as_text(value, where)
        found = finds.get(text)
        if found is not None:
            return found(roots)
        if skips:
            return None
        raise Bad(expected, quote(text) if text else "nothing", "value", where)

    return find


def _as_text(value: Any, where: str) -> str:
    if value is None:
        return ""
    try:
        return written(value).decode("utf-8", "replace").strip()
    except Bad as bad:
        bad.field = where
        raise
