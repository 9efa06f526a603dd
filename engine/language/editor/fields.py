"""What stands behind a field: a test in words (`at least 58 yuan`, `[GoTone, M-Zone]`, `not vip`), or, in a
rule test, a plain value.

Alternatives have titles: an editor tells them apart by these when it shows what is under the mouse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.language.cases import UNKNOWN
from engine.language.checks.values import NEVER_IN_SETS
from engine.language.conditions import NUMBER_CLASS, OPS, ORDERED, PRODUCT_FIELDS, Field, may_have_others
from engine.language.describe import word
from engine.language.editor.scalars import Schema, escape, one_of, text, words
from engine.language.editor.values import LENGTH
from engine.language.editor.vocabulary import NUMBERS, PLACES, PRODUCTS, Vocabulary, refer
from engine.language.model import FieldType
from engine.language.testing import PURPOSES
from engine.language.words import NUMBER, UNITS
from engine.numbers import SEPARATORS

_NOT: Final = r"not\s+"
_SIGNS: Final = "".join(escape(chr(sign)) for sign in SEPARATORS).replace("-", r"\-")
PHONE: Final = rf"^\+?[0-9{_SIGNS}]*[0-9][0-9+{_SIGNS}]*$"
_EXAMPLES: Final[Mapping[FieldType, tuple[str, ...]]] = {
    "number": ("at least 3", "17 to 26"),
    "money": ("at least 50 yuan", "20 to 50 yuan"),
    "bytes": ("at least 300 MB", "under 1 GB"),
    "percent": ("at most 20%", "20% to 50%"),
    "duration": ("at least 30s", "5m to 1h"),
}
_VALUES: Final[Mapping[FieldType, tuple[str, ...]]] = {
    "number": (), "money": ("50 yuan",), "bytes": ("300 MB",), "percent": ("20%",), "duration": ("30s",)
}  # fmt: skip
YES_NO: Final = ("yes", "no")
_SHOWN: Final = f"[^{escape(NEVER_IN_SETS)}]"
_MEMBER: Final = text(
    (rf"^(?=.*\S){_SHOWN}*$", "expected one value in plain letters; several are written as a list: [a, b]")
)


def lines(fields: Mapping[str, Field] | None, known: Vocabulary, description: str = "") -> Schema:
    """Describe a mapping of `field: test`."""
    return _lines({name: line(spec, known) for name, spec in (fields or {}).items()}, fields, description)


def profile(known: Vocabulary, description: str = "") -> Schema:
    """Describe `given` of a rule test: a mapping of `field: value`, consents and timezone among them."""
    unknown = {"title": "not known", "const": UNKNOWN}
    lines: dict[str, Schema] = {
        name: {"anyOf": [value(spec, known), unknown], "description": about(spec)}
        for name, spec in (known.fields or {}).items()
    }
    for purpose in PURPOSES:
        said = f"consent to {purpose}: yes if not given"
        lines[f"consent.{purpose}"] = {"anyOf": [words(YES_NO), unknown], "description": said}
    lines["timezone"] = {**text(examples=("Asia/Shanghai",)), "description": "the subscriber's timezone"}
    return _lines(lines, known.fields, description)


def _lines(lines: dict[str, Schema], fields: Mapping[str, Field] | None, description: str) -> Schema:
    schema: Schema = {"type": "object", "properties": lines}
    if fields is not None:
        schema["additionalProperties"] = False
    if description:
        schema["description"] = description
    return schema


def about(spec: Field) -> str:
    """Say what a field means and how its values are written."""
    said = str(getattr(spec, "say", "") or spec.name)
    kind = "" if spec.values or spec.type == "text" else f" ({word('type', spec.type)})"
    return said + kind


def line(spec: Field, known: Vocabulary) -> Schema:
    """Describe a test on a field."""
    return {"description": about(spec), **_line(spec, known)}


def _line(spec: Field, known: Vocabulary) -> Schema:
    if spec.type in ORDERED:
        return _or_list(spec.type, ordered(spec.type), amount(spec.type, shown=False))
    if spec.type == "yes/no":
        return _closed(words(YES_NO), YES_NO)
    if spec.type == "phone":
        number = {
            "title": "phone number",
            "type": ["string", "number"],
            "pattern": PHONE,
            "errorMessage": "no such list of numbers",
        }
        negated = {"title": "not", "type": "string", "pattern": rf"^{_NOT}(?:{PHONE[1:-1]})$"}
        lists = tuple(known.lists.get(NUMBERS, ()))
        either = {"anyOf": [refer(NUMBERS), number]}
        return {"anyOf": [refer(NUMBERS), number, negated, *_negated(lists), _list(either)]}
    if spec.type == "place":
        return _named(PLACES, known)
    if spec is NUMBER_CLASS:
        return _named(NUMBERS, known)
    if spec.name in PRODUCT_FIELDS:
        return _named(PRODUCTS, known)
    if spec.values and not may_have_others(spec):
        return _closed(words(spec.values), spec.values)
    free = _or_list("text", _MEMBER, _MEMBER) if spec.type == "set" else _or_list("text", text(), text())
    # proposed are the words that are known; others are a warning of `check`, no mistake
    return {"anyOf": [_closed(words(spec.values), spec.values), free]} if spec.values else free


def value(spec: Field, known: Vocabulary) -> Schema:
    """Describe a plain value of a field, as a profile or record carries it."""
    if spec.type in ORDERED:
        return amount(spec.type)
    if spec.type == "yes/no":
        return words(YES_NO)
    if spec.type == "place":
        return refer(PLACES)
    if spec.type == "set":
        one = _word(spec)
        if spec.name in PRODUCT_FIELDS and not spec.values:
            one = {"anyOf": [refer(PRODUCTS), text()]}  # what a subscriber holds may be sold no longer
        return {"anyOf": [one, {"type": "array", "items": one}]}
    return _word(spec)


def _word(spec: Field) -> Schema:
    if spec.values and may_have_others(spec):
        return {"anyOf": [words(spec.values), text()]}
    return words(spec.values) if spec.values else text()


def amount(of: FieldType, *, shown: bool = True) -> Schema:
    """Describe one amount of an ordered type, with its unit. `shown`: with an example to take."""
    said = f"expected {word('type', of)}"
    return text((f"^(?:{_amount(of)})$", said), examples=_VALUES[of] if shown else (), number=of == "number")


def ordered(of: FieldType) -> Schema:
    """Describe a test on an ordered type: an amount, a comparison or a range."""
    comparison = "|".join(OPS)
    low = _amount(of) if of in ("number", "duration") else rf"(?:{_amount(of)}|{NUMBER})"
    tested = rf"^(?:(?:{comparison})\s+)?(?:{_amount(of)})$|^{low}\s+to\s+{_amount(of)}$"
    said = f"expected {word('type', of)}; or in words, such as {_EXAMPLES[of][0]} or {_EXAMPLES[of][1]}"
    return text((tested, said), examples=_EXAMPLES[of], number=of == "number")


def _amount(of: FieldType) -> str:
    if of == "duration":
        return LENGTH
    units = UNITS.get(of)
    if units is None:
        return NUMBER
    return rf"{NUMBER}\s*(?:{'|'.join(escape(unit) for unit in units)})"


def _named(of: str, known: Vocabulary) -> Schema:
    if of not in known.lists:
        return _or_list("text", text(), text())
    return {"anyOf": [refer(of), *_negated(tuple(known.lists[of])), _list(refer(of))]}


def _closed(plain: Schema, options: tuple[str, ...]) -> Schema:
    return {"anyOf": [{"title": "one of a list", **plain}, *_negated(options), _list(plain)]}


def _negated(options: tuple[str, ...]) -> list[Schema]:
    return [{"title": "not", "type": "string", "pattern": one_of(options, _NOT)}] if options else []


def _or_list(title: str, one: Schema, item: Schema) -> Schema:
    return {"anyOf": [{"title": title, **one}, _list(item)]}


def _list(item: Schema) -> Schema:
    return {"title": "any of these", "type": "array", "items": item, "minItems": 1}
