"""Values and the tests over them: for every field the few values that lie on, below and above its marks.

A `Domain` pairs each test with the values that pass it, so that a case can be made to pass or fail a line on
purpose. Values are JSON as records and profiles carry them: yuan, percent, bytes, seconds, bool, text, list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Text = str | list[str]
"""A test as YAML gives it: a scalar or a list of scalars."""

MB = 1 << 20


@dataclass(frozen=True, slots=True)
class Domain:
    values: tuple[Any, ...]
    tests: tuple[tuple[Text, tuple[Any, ...]], ...]
    """(test, the values that pass it); every test has passing and failing values."""
    spec: Mapping[str, Any] | None = None
    """Entry of `catalog/fields.yaml`; None for fields of events."""


def _domain(
    values: Iterable[Any], tests: Iterable[tuple[Text, Callable[[Any], bool]]], spec: Mapping[str, Any] | None
) -> Domain:
    kept = tuple(values)
    split = tuple((text, tuple(v for v in kept if passes(v))) for text, passes in tests)
    return Domain(kept, tuple((text, good) for text, good in split if 0 < len(good) < len(kept)), spec)


def _numeric(shape: str, low: int, high: int, values: Iterable[Any], type_: str, scale: float = 1) -> Domain:
    """Tests around `low` and `high` (as written, `shape` adds the unit); `scale` leads to the stored unit."""
    a, b = low * scale, high * scale
    low_text, high_text = shape.format(low), shape.format(high)
    tests: list[tuple[Text, Callable[[Any], bool]]] = [
        (f"at least {low_text}", lambda v: v >= a),
        (f"at most {high_text}", lambda v: v <= b),
        (f"over {low_text}", lambda v: v > a),
        (f"under {high_text}", lambda v: v < b),
        (f"{low_text} to {high_text}", lambda v: a <= v <= b),
        (low_text, lambda v: v == a),
        (f"not {high_text}", lambda v: v != b),
    ]
    return _domain(values, tests, {"type": type_})


def _words(*words: str, spec: Mapping[str, Any] | None = None) -> Domain:
    first, second = words[0], words[1]
    tests: list[tuple[Text, Callable[[Any], bool]]] = [
        (first, lambda v: v == first),
        ([first, second], lambda v: v in (first, second)),
        (f"not {first}", lambda v: v != first),
    ]
    return _domain(words, tests, spec)


def _sets(*words: str) -> Domain:
    a, b, *_ = words
    values = ((), (a,), (b,), (a, b), tuple(words[1:]), (words[-1],))
    tests: list[tuple[Text, Callable[[Any], bool]]] = [
        (a, lambda v: a in v),
        ([a, b], lambda v: a in v or b in v),
        (f"not {a}", lambda v: a not in v),
    ]
    return _domain(values, tests, {"type": "set"})


FIELDS: dict[str, Domain] = {
    "brand": _words("GoTone", "EasyOwn", "M-Zone", spec={"values": ["GoTone", "EasyOwn", "M-Zone"]}),
    "tier": _words(
        "gold", "vip", "silver", "ordinary", spec={"values": ["ordinary", "silver", "gold", "vip"]}
    ),
    "arpu": _numeric("{} yuan", 58, 100, (57.99, 58, 58.01, 99, 100, 100.5), "money"),
    "credit": _numeric("{} fen", 50, 75, (0, 0.5, 0.51, 0.75, 1), "money", 0.01),
    "age": _numeric("{}", 17, 26, (16, 17, 20, 26, 27), "number"),
    "data.left": _numeric("{}%", 20, 50, (0, 19.5, 20, 50, 100), "percent"),
    "data.month": _numeric("{} MB", 1, 2, (0, MB - 1, MB, 2 * MB, 2 * MB + 1), "bytes", MB),
    "online": _numeric("{}m", 10, 20, (599, 600, 601, 1200, 1201), "duration", 60),
    "city": _words("hangzhou", "Hangzhou", "ningbo", spec={"type": "text"}),
    "handset.mms": _domain(
        (True, False), (("yes", lambda v: v is True), ("no", lambda v: v is False)), {"type": "yes/no"}
    ),
    "tags": _sets("student", "do-not-disturb", "heavy", "in-contract"),
    "products": _sets("x1", "x2", "x3"),
}
"""Subscriber fields that rules test."""

_HOTLINE = ("10086", "+8610086", "008610086", "100-86", "(100) 86", "+86 100.86")
_RIVAL = ("10010", "+8610010", "10000")
_LONG = ("13800138000", "+8613800138000", "0086 138-0013-8000")
_OTHER = ("95555", "8610086", "+4915112345678", "86861234", "868612345")


def _numbers() -> Domain:
    tests: list[tuple[Text, Callable[[Any], bool]]] = [
        ("hotline", lambda v: v in _HOTLINE),
        ("10086", lambda v: v in _HOTLINE),
        ("rivals", lambda v: v in _RIVAL),
        (["hotline", "13800138000"], lambda v: v in _HOTLINE + _LONG),
        ("13800138000", lambda v: v in _LONG),
        ("not 10086", lambda v: v not in _HOTLINE),
    ]
    return _domain(_HOTLINE + _RIVAL + _LONG + _OTHER, tests, None)


NUMBERS = {"hotline": ["10086"], "rivals": ["10010", "10000"]}
"""Number lists of the catalogue."""

NUMBER = _numbers()
TALK = _numeric("{}s", 30, 60, (0, 29, 30, 31, 60, 61), "duration")
VOLUME = _numeric("{} MB", 1, 2, (0, MB - 1, MB, MB + 1, 2 * MB, 2 * MB + 1), "bytes", MB)
LENGTH = _numeric("{}", 10, 70, (1, 10, 11, 70, 71), "number")
AMOUNT = _numeric("{} yuan", 10, 20, (9.99, 10, 10.01, 20, 30), "money")
COUNTRY = _words("CN", "DE", "TH")
RAT = _words("LTE", "GSM", "NR", "UMTS")
PRODUCT = _words("x1", "x2", "x3")

_CALL = {"number": NUMBER, "duration": TALK}
_MESSAGE = {"number": NUMBER, "length": LENGTH}
_ROAM = {"country": COUNTRY}

EVENTS: dict[str, dict[str, Domain]] = {
    "call.out": _CALL,
    "call.in": _CALL,
    "sms.out": _MESSAGE,
    "sms.in": _MESSAGE,
    "mms.out": {"number": NUMBER},
    "data.session": {"bytes": VOLUME, "apn": _words("cmnet", "ims", "cmwap")},
    "data.http": {"host": _words("a.example", "b.example", "c.example")},
    "handset.change": {"to.network": _words("4G", "5G", "2G"), "to.model": _words("Mate", "Find", "Nova")},
    "sim.change": {},
    "roam.out": _ROAM,
    "roam.home": _ROAM,
    "power.on": {},
    "power.off": {},
    "loc.update": {},
    "loc.handover": {},
    "product.bought": {"product": PRODUCT},
    "recharge": {"amount": AMOUNT},
    "bill": {"amount": AMOUNT},
    "complaint": {},
    "sms.reply": {"text": _words("KT1", "KT2", "hello")},
}
"""Kinds that rules name and their own fields (`bytes` stands for `up` + `down`)."""

REQUIRED = frozenset({("product.bought", "product"), ("sms.reply", "text")})
"""(kind, field) without which intake refuses the record."""

BUSINESS = frozenset({"product.bought", "recharge", "bill", "complaint", "sms.reply"})
PHASED = frozenset({"call.out", "call.in", "data.session"})

TOTALS: dict[tuple[str, str], tuple[str, int, int]] = {
    ("data.session", "bytes"): ("{} MB", 1, MB),
    ("data.session", "up"): ("{} KB", 1, 1024),
    ("data.session", "down"): ("{} MB", 1, MB),
    ("call.out", "duration"): ("{}s", 30, 30),
    ("call.in", "duration"): ("{}s", 60, 60),
    ("sms.out", "length"): ("{}", 10, 10),
    ("recharge", "amount"): ("{} yuan", 10, 10),
}
"""(kind, field) -> text of a mark, step of the number written, the same step as stored in records."""
