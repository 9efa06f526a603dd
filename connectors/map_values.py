"""What is known of a map's values before anything is read: whether their fields can take them.

What no record of the map's kinds could have is a mistake of the map, told with its place, and not one of
every row. It says nothing of a value that one of the kinds takes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from connectors.column_spec import ValueSpec
from connectors.xdr_values import converter, types_of
from engine.event_kinds import KINDS, FieldDef
from engine.field_checks import PERSONAL, plain_check_of
from engine.refusals import Bad, redact

Step = str | int
_TYPES = {
    "text": "text, host or phone",
    "place": "text, host or phone",
    "phone": "text, host or phone",
    "yes/no": "yes/no",
}
"""Type of a field -> types of a map that give it; of all others numbers do."""
_TEXTS = frozenset({"text", "place", "phone"})
_ALWAYS = PERSONAL | {"source", "tac8"}
"""Fields of every kind that are text."""


def wrong_values(
    name: str, ways: Sequence[ValueSpec], kinds: Collection[str]
) -> Iterator[tuple[tuple[Step, ...], str]]:
    """Yield (steps below its name, what is wrong) with the types and the texts of the ways to a value.

    `kinds`: of the map's records; none: the name is that of a helper, which is in no record.
    """
    defs = [KINDS[kind].fields[name] for kind in kinds if name in KINDS[kind].fields]
    if kinds and name in _ALWAYS:
        defs = [FieldDef(name, "text", "")]
    for number, way in enumerate(ways):
        wrong = _wrong_type(name, way, defs)
        if wrong:
            yield (number,), wrong
            continue
        for steps, text in _texts(way):
            wrong = _wrong_text(way, text, defs)
            if wrong:
                yield (number, *steps), f"expected {wrong}, was {redact(text) or 'empty'}"


def _texts(way: ValueSpec) -> Iterator[tuple[tuple[Step, ...], str]]:
    """Yield the texts that the map itself gives, with where they stand."""
    if way.constant is not None:
        yield ("constant",), way.constant
    for given, meant in (way.values or {}).items():
        yield ("values", given), meant


def _wrong_text(way: ValueSpec, text: str, defs: Sequence[FieldDef]) -> str:
    """Say what is expected where a text of the map is none of its type, or no kind takes it; else empty."""
    plain = way.model_copy(update={"values": None, "empty": ()})
    try:
        # local time or not: a text is a time in either
        found = converter(plain, "+00:00")(text.encode())
    except Bad as bad:
        return bad.expected
    return f"a value of type {way.type}" if found is None else _refused(found, defs)


def _wrong_type(name: str, way: ValueSpec, defs: Sequence[FieldDef]) -> str:
    """Say that no kind takes what a way gives; empty if one does, or it is not known."""
    if not defs:
        return ""
    if all(field.type == "set" for field in defs):
        return "expected a field of one value, was a list"
    given = types_of(way)
    if any(given & _taken(field) for field in defs):
        return ""
    is_read = way.template is None and way.sum is None
    was = f"type {way.type}" if is_read else "a template" if way.sum is None else "a sum"
    return f"expected type {_TYPES.get(defs[0].type, 'int, float, bytes or hex')} for {name}, was {was}"


def _taken(field: FieldDef) -> frozenset[type]:
    if field.type in _TEXTS:
        return frozenset({str})
    return frozenset({bool} if field.type == "yes/no" else {int, float} if field.type != "set" else ())


def _refused(value: Any, defs: Sequence[FieldDef]) -> str:
    """Say what is expected of a value that no kind takes; empty if one does."""
    expected = ""
    for field in defs:
        try:
            plain_check_of(field)(value)
        except Bad as bad:
            expected = bad.expected
        else:
            return ""
    return expected
