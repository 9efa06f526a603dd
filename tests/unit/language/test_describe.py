"""Every key and closed word of the language has its line."""

from __future__ import annotations

from typing import get_args

from engine.language import cases, catalog, compile, geometry, policy, schedule
from engine.language.checks.channels import CHANNELS
from engine.language.checks.reasons import REASONS
from engine.language.checks.verbs import COMPANIONS
from engine.language.describe import KEYS, WORDS
from engine.language.model import Channel, FieldType, Status


def flat(*pairs: tuple[tuple[str, ...], tuple[str, ...]]) -> set[str]:
    return {key for pair in pairs for keys in pair for key in keys}


READ: dict[str, set[str]] = {
    "rule": {*compile.REQUIRED, *compile.OPTIONAL},
    "schedule": {*schedule.KEYS},
    "offer": flat(compile.OFFER),
    "message": {"channel", "if", *flat(*((keys, ()) for keys in CHANNELS.values()))},
    "faq": flat(compile.FAQ),
    "limits": flat(compile.LIMITS),
    "goal": flat(compile.GOAL),
    "pattern": {*COMPANIONS, *flat(*COMPANIONS.values())},
    "policy": {*policy.KEYS},
    "cost": {*policy.PAID},
    "learn": {*policy.LEARN[1]},
    "presence": flat(policy.PRESENCE),
    "contact": flat(policy.CONTACT),
    "group": flat(policy.GROUP),
    "field": flat(catalog.FIELD),
    "place": flat(catalog.PLACE),
    "area": flat(geometry.AREA),
    "circle": flat(geometry.CIRCLE),
    "product": flat(catalog.PRODUCT),
    "file": flat(cases.FILE),
    "case": flat(cases.CASE),
    "step": {*cases.STEPS, *flat(*cases.STEPS.values())},
    "expected": flat(cases.EXPECTED),
}
"""Section -> the keys its reader takes."""


def test_every_key_has_its_line() -> None:
    assert {*READ} == {*KEYS}
    assert {name: keys - {*KEYS[name]} for name, keys in READ.items() if keys - {*KEYS[name]}} == {}


def test_every_closed_word_has_its_line() -> None:
    closed: dict[str, tuple[str, ...]] = {
        "status": get_args(Status),
        "channel": get_args(Channel),
        "type": get_args(FieldType),
        "arm": cases.ARMS,
        "restart": cases.RESTARTED,
        "mode": geometry.MODES,
        "reason": REASONS,
    }
    assert {of: {*words} for of, words in closed.items()} == {of: {*words} for of, words in WORDS.items()}


def test_a_line_is_one_line_without_surprises_in_an_editor() -> None:
    lines = [line for table in (KEYS, WORDS) for words in table.values() for line in words.values()]
    assert [line for line in lines if not line.strip() or "\n" in line or len(line) > 100] == []
    assert [line for words in KEYS.values() for line in words.values() if line[-1] not in ".?"] == []
