"""Checks of single fields: each takes a value and returns what the log holds, or raises `Bad`.

Only what a plain comparison of types can't settle comes here: intake compares the types of text and whole
numbers itself, because a call per field would cost more than reading the record.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from math import isfinite
from typing import Any

from engine.event_kinds import FieldDef, MapDef
from engine.identity import Identity
from engine.localtime import is_timezone
from engine.numbers import is_hash, is_open
from engine.refusals import Bad, describe, quote, shown_id

Check = Callable[[Any], Any]

DEPTH_AT_MOST = 20
"""Levels of lists and mappings inside one another that a field may have before the record is refused."""
NUMBER_AT_MOST = 64
CELL_AT_MOST = 64
"""Characters: the cell is kept in the state of the subscriber."""
LEAST, MOST = -(2**63), 2**63 - 1
AMOUNT_AT_MOST = 2**53
"""Of bytes, seconds, yuan and other numbers of a record: beyond it sums would no longer be exact."""

FREE_TEXT = ("text", "about")
"""Fields that people write: a number among their words is hashed like any other."""
_LONG_NUMBER = re.compile(r"\+?\d{9,}")
PERSONAL = frozenset({"imsi", "msisdn", "imei", "imeisv", "subscriber"})
"""Fields that name a person: taken off every record (an MSISDN stays in `profile.update`)."""


def check_of(field: FieldDef, identity: Identity, *, from_log: bool) -> Check:
    """Return the check of a field. In a record of the log (`from_log`) phone numbers are hashed already."""
    if field.type == "phone":
        return logged_number if from_log else _number_check(identity)
    if field.name in FREE_TEXT and not from_log:
        return _free_text_check(identity)
    return plain_check_of(field)


def plain_check_of(field: FieldDef) -> Check:
    """Return the check of a field in which no number is looked for; of the others, that they are text."""
    if field.type == "set":
        return text_list
    if field.type == "yes/no":
        return yes_no
    if field.type in ("text", "place", "phone"):
        if field.values:
            return _one_of(field.values)
        if field.name in ("from.tac", "to.tac"):
            return tac
        return timezone if field.name == "timezone" else text
    return amount if field.type == "money" else positive_number


def map_check_of(field: MapDef) -> Check:
    """Return the check of a mapping: values of a profile, or consents."""
    return profile_map if field.values == "any" else yes_no_map


def text(value: Any) -> Any:
    """Take text."""
    if value.__class__ is str:
        return value
    raise Bad("text")


def yes_no(value: Any) -> Any:
    """Take true or false; 0 and 1 are numbers."""
    if value is True or value is False:
        return value
    raise Bad("true or false")


def any_number(value: Any) -> Any:
    """Take a finite number that fits 64 bits; true and false are none."""
    if value.__class__ is int and LEAST <= value <= MOST:
        return value
    if value.__class__ is float and isfinite(value):
        return value
    raise Bad("a number", "too large" if value.__class__ in (int, float) else None)


def amount(value: Any) -> Any:
    """Take a sum of money, also one that is owed."""
    if value.__class__ in (int, float) and -AMOUNT_AT_MOST <= value <= AMOUNT_AT_MOST:
        return value
    raise Bad("a number", "out of range" if value.__class__ in (int, float) else None)


def positive_number(value: Any) -> Any:
    """Take a finite number of 0 or more, up to 2⁵³."""
    if value.__class__ in (int, float) and 0 <= value <= AMOUNT_AT_MOST:
        return value
    raise Bad("a number of 0 or more", "out of range" if value.__class__ in (int, float) else None)


def whole(value: Any) -> Any:
    """Take a whole number, also one written as 1e6 or 1.0."""
    if value.__class__ is int:
        return value
    if value.__class__ is float and value.is_integer():
        return int(value)
    raise Bad("a whole number")


def text_list(value: Any) -> Any:
    """Take a list of text."""
    if value.__class__ is not list:
        raise Bad("a list of text")
    for item in value:
        if item.__class__ is not str:
            raise Bad("a list of text", f"a list with {describe(item)}")
    return value


def tac(value: Any) -> Any:
    """Take a type allocation code: 8 digits."""
    if value.__class__ is not str:
        raise Bad("8 digits")
    if len(value) != 8 or not (value.isascii() and value.isdecimal()):
        raise Bad("8 digits", f"text of {len(value)} characters")
    return value


def timezone(value: Any) -> Any:
    """Take the name of a timezone."""
    if value.__class__ is not str:
        raise Bad("the name of a timezone, such as Asia/Shanghai")
    if not is_timezone(value):
        raise Bad("the name of a timezone, such as Asia/Shanghai", quote(value))
    return value


def logged_number(value: Any) -> Any:
    """Take a number as the log holds it."""
    if value.__class__ is str and (is_hash(value) or is_open(value)):
        return value
    raise Bad("a number of at most 8 digits, or 32 hex digits", None)


def profile_map(value: Any) -> dict[str, Any]:
    """Take subscriber fields; what names a person is dropped."""
    if value.__class__ is not dict:
        raise Bad("a mapping of subscriber fields")
    kept = {}
    for name, entry in value.items():
        if name in PERSONAL:
            continue
        kind = entry.__class__
        if kind is list:
            entry = _entry(name, entry, text_list)
        elif kind is int or kind is float:
            entry = _entry(name, entry, any_number)
        elif not (kind is str or kind is bool or entry is None):
            raise Bad(f"text, a number, true or false, or a list of text in {quote(name)}", describe(entry))
        kept[name] = entry
    return kept


def yes_no_map(value: Any) -> dict[str, bool | None]:
    """Take consents by purpose; null means "now unknown"."""
    if value.__class__ is not dict:
        raise Bad("a mapping of true or false by purpose")
    return {name: None if entry is None else _entry(name, entry, yes_no) for name, entry in value.items()}


def id_check_of(identity: Identity) -> Check:
    """Return what takes the id of a record of a live feed, so that no number gets into the log as one."""

    def check(value: Any) -> Any:
        return shown_id(text(value), identity.key)

    return check


def deeper_than(value: Any, levels: int) -> bool:
    """Say whether lists and mappings lie in one another more than `levels` deep, walking no deeper."""
    if isinstance(value, dict):
        return levels < 1 or any(deeper_than(inner, levels - 1) for inner in value.values())
    if isinstance(value, list):
        return levels < 1 or any(deeper_than(inner, levels - 1) for inner in value)
    return False


def _entry(name: str, entry: Any, check: Check) -> Any:
    try:
        return check(entry)
    except Bad as bad:
        raise Bad(f"{bad.expected} in {quote(name)}", bad.was or describe(entry)) from None


def _one_of(values: tuple[str, ...]) -> Check:
    expected = "one of " + ", ".join(values)

    def check(value: Any) -> Any:
        if value.__class__ is not str:
            raise Bad(expected)
        if value not in values:
            raise Bad(expected, quote(value))
        return value

    return check


def _free_text_check(identity: Identity) -> Check:
    def check(value: Any) -> Any:
        if value.__class__ is not str:
            raise Bad("text")
        return _LONG_NUMBER.sub(lambda found: identity.number(found[0]), value)

    return check


def _number_check(identity: Identity) -> Check:
    def check(value: Any) -> str:
        if value.__class__ is not str:
            raise Bad("text with a phone number")
        if len(value) > NUMBER_AT_MOST:
            raise Bad(f"a phone number of at most {NUMBER_AT_MOST} characters", f"{len(value)} characters")
        return identity.number(value)

    return check
