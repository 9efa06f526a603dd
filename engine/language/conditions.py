"""Lines of `where`, `unless`, `who`, `except` and `if`: a field, and what it is held against, in words.

    VALUE | [VALUE, …] | at least A | at most A | over A | under A | A to A | not VALUE

Which of these a field takes depends on its type: text, sets, phones and places have no order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Protocol

from engine.event_kinds import KINDS
from engine.language import words
from engine.language.catalog import Names
from engine.language.checks import shape
from engine.language.checks.duplicates import check_members
from engine.language.checks.fields import unknown_field
from engine.language.checks.numbers import number_class, phones
from engine.language.checks.places import place_members
from engine.language.checks.products import is_product
from engine.language.checks.values import NOT_WANTED, check_open, never
from engine.language.mending import mend, other_words, ranged
from engine.language.model import FieldType, Op, Test, Value
from engine.language.report import Report
from engine.language.source import Node, Scalar, Sequence
from engine.language.suggest import plain_form

_COMPARISON = re.compile(r"(at least|at most|over|under|not)\s+(\S.*)", re.DOTALL)
OPS: Final[dict[str, Op]] = {
    "at least": "at_least", "at most": "at_most", "over": "over", "under": "under", "not": "not"
}  # fmt: skip
ORDERED: Final = ("number", "money", "bytes", "percent", "duration")
NUMBER_CLASS: Final = KINDS["call.out"].fields["number_class"]
"""Its values are keys of numbers.yaml."""
PRODUCT_FIELDS: Final = ("product", "products")
"""Their values are keys of products.yaml."""


class Field(Protocol):
    """What a test needs to know of a field: the catalogue's `FieldSpec` and an event's `FieldDef` have it."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> FieldType: ...
    @property
    def values(self) -> tuple[str, ...]: ...


def may_have_others(spec: Field) -> bool:
    """Tell whether the values of a field are only those that are known: records may have others."""
    return bool(getattr(spec, "known", ()))


def read_tests(
    report: Report, node: Node | None, fields: Mapping[str, Field], owner: str, names: Names
) -> tuple[Test, ...]:
    """Read a mapping of `field: test`. `owner` opens "… no field `x`": `subscribers have`."""
    body = (
        shape.mapping(report, node, "a field on each line, with what it is held against")
        if node is not None
        else None
    )
    tests = []
    for key, value in body or ():
        spec = fields.get(key.text)
        if spec is None:
            unknown_field(report, key, owner, fields)
            continue
        test = _read_test(report, spec, value, names)
        if test is not None:
            tests.append(test)
    return tuple(tests)


def subscriber_tests(report: Report, node: Node | None, names: Names) -> tuple[Test, ...]:
    """Read `who`, `except` or `if`: tests of fields of the catalogue."""
    if "fields" in names.unreadable:
        return ()
    return read_tests(report, node, names.catalog.fields, "subscribers have", names)


def _read_test(report: Report, spec: Field, node: Node, names: Names) -> Test | None:
    if isinstance(node, Sequence):
        items = shape.sequence(report, node, "values")
        check_members(report, items)
        found: list[Value] = []
        for item in items:
            text = shape.text(report, item, f"a value of `{spec.name}`", any_word=spec.type == "yes/no")
            if not text:
                continue
            assert isinstance(item, Scalar)
            comparison = _comparison(spec, text)
            if comparison is not None:
                hint = NOT_WANTED if comparison[0] == "not" else ""
                report.error("R209", item, f"`{text}`: a list holds plain values", hint)
                continue
            if _is_range(spec, text):
                hint = f"one range stands without brackets: `{text}`" if len(items) == 1 else ""
                report.error("R209", item, f"`{text}`: a list holds plain values", hint)
                continue
            found += _values(report, spec, item, text, names)
        written = ", ".join(item.text for item in items if isinstance(item, Scalar))
        return _test(spec, "is", tuple(found), f"[{written}]")
    text = shape.text(report, node, f"a value of `{spec.name}`", any_word=spec.type == "yes/no")
    if not text:
        return None
    assert isinstance(node, Scalar)
    comparison = _comparison(spec, text)
    if comparison is not None:
        op, rest = comparison
        if op != "not" and spec.type not in ORDERED:
            report.error("R209", node, f"`{spec.name}` has no order, so `{text}` can't be tested")
            return None
        barred = ranged(plain_form(rest))
        if op == "not" and _is_range(spec, barred):
            said = f"`{text}`: a single value can be barred like this, not a range"
            report.error("R209", node, said, f"write `{barred}` under `except` or `unless`")
            return None
        values = _values(report, spec, node, rest, names)
        return _test(spec, OPS[op], values, text)
    if spec.type in ORDERED:
        try:
            span = words.amounts_between(text, spec.type)
        except words.Unreadable as wrong:
            _unreadable(report, spec, node, wrong)
            return None
        if span is not None:
            return _test(spec, "between", span, text)
    elif " " in text and (spec.values or spec.type not in ("text", "set")) and text not in spec.values:
        hint = words.comparison_hint(text)
        if hint:
            report.error("R209", node, f"`{text}` is not a comparison", hint)
            return None
    return _test(spec, "is", _values(report, spec, node, text, names), text)


def _is_range(spec: Field, text: str) -> bool:
    try:
        return spec.type in ORDERED and words.amounts_between(text, spec.type) is not None
    except words.Unreadable:
        return False


def _unreadable(report: Report, spec: Field, node: Scalar, wrong: words.Unreadable) -> None:
    def reads(text: str) -> None:
        comparison = _comparison(spec, text)
        rest = text if comparison is None else comparison[1]
        if spec.type == "yes/no":
            words.yes_no(rest)
        elif comparison is not None or words.amounts_between(text, spec.type) is None:
            words.amount(rest, spec.type)

    mended = mend(node.text, reads)
    hint = wrong.hint
    comparison = _comparison(spec, node.text)
    if comparison is not None and hint.startswith("did you mean `"):  # of what is behind the comparison
        hint = hint.replace("`", f"`{comparison[0]} ", 1)
    report.error("R209", node, wrong.message, mended if other_words(node.text) else hint or mended)


def _comparison(spec: Field, text: str) -> tuple[str, str] | None:
    """Split `at least 30s`. Open text may begin with `over` or `under` itself: `Over the Top`."""
    found = _COMPARISON.fullmatch(text)
    if found is None:
        return None
    if (
        found[1] in ("over", "under")
        and spec.type == "text"
        and not spec.values
        and not found[2][0].isdigit()
    ):
        return None
    return found[1], found[2]


def _test(spec: Field, op: Op, values: tuple[Value, ...], text: str) -> Test | None:
    return Test(spec.name, spec.type, op, values, text) if values else None


def _values(report: Report, spec: Field, node: Scalar, text: str, names: Names) -> tuple[Value, ...]:
    """Read one value as written: several for the name of a list or group, none after a report."""
    if spec.type in ORDERED:
        try:
            return (words.amount(text, spec.type),)
        except words.Unreadable as wrong:
            _unreadable(report, spec, node, wrong)
            return ()
    if spec.type == "yes/no":
        try:
            return (words.yes_no(text),)
        except words.Unreadable as wrong:
            _unreadable(report, spec, node, wrong)
            return ()
    if spec.type == "phone":
        return phones(report, node, text, names)
    if spec is NUMBER_CLASS:
        return number_class(report, node, text, names)
    if spec.type == "place":
        return place_members(report, node, text, names)
    if spec.values and text not in spec.values:
        open_ended = may_have_others(spec)
        if open_ended and not check_open(report, node, spec.name, spec.type, text):
            return ()
        never(report, node, spec.name, text, spec.values, known=open_ended)
        return (text,) if open_ended else ()
    if spec.name in PRODUCT_FIELDS:
        return (text,) if is_product(report, node, text, names) else ()
    if not spec.values and not check_open(report, node, spec.name, spec.type, text):
        return ()
    return (text,)
