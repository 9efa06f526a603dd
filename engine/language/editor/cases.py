"""A file of rule tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

from engine.language import cases
from engine.language.checks.events import EVENTS, event_fields
from engine.language.checks.reasons import REASONS
from engine.language.describe import WORDS
from engine.language.editor.fields import about, profile, value
from engine.language.editor.patterns import event_words
from engine.language.editor.scalars import Schema, one_of, text, words
from engine.language.editor.sections import described, properties, section
from engine.language.editor.values import duration, integer, moment, offset, one_or_more
from engine.language.editor.vocabulary import PLACES, PRODUCTS, Vocabulary, mapping, refer
from engine.language.model import Channel

_STEP: Final = "event"
_NO_NEXT: Final[Schema] = {
    "type": "string",
    "pattern": r"[^\s\S]",  # no text; a `not` would have no message of its own
    "errorMessage": "then goes with offers, or with because: holdout",
}


def cases_file(known: Vocabulary) -> Schema:
    """Describe a file of rule tests."""
    rules = [words(known.rules)] if known.rules else []
    values: Mapping[str, Schema] = {
        "tests": {"anyOf": [*rules, text()]},
        "starts": moment("2026-09-07 10:00"),
        "given": mapping("profile"),
        "cases": {"type": "array", "items": refer("case"), "minItems": 1},
    }
    return {
        **section("file", cases.FILE, values),
        "definitions": {
            "profile": profile(known),
            "case": _case(known),
            "expected": _expected(),
            _STEP: _step(),
            **{f"event {verb}": _of_verb(verb) for verb in cases.STEPS},
            **{f"fields of {event}": _fields(event, known) for event in EVENTS},
            **known.definitions(),
        },
    }


def _case(known: Vocabulary) -> Schema:
    fields = [f"{section}.{name}" for section in ("who", "except") for name in known.fields or ()]
    reason = words((*REASONS, *fields), WORDS["reason"], "no such reason")
    if known.fields is None:
        reason = {"anyOf": [reason, {"type": "string", "pattern": r"^(?:who|except)\."}]}
    offers = {"type": "array", "items": refer("expected"), "minItems": 1}
    nothing = {"const": cases.NOTHING, "description": "nothing comes out: because says why"}
    values: Mapping[str, Schema] = {
        "case": text(),
        "starts": moment("2026-09-07 10:00"),
        "given": mapping("profile"),
        "arm": words(cases.ARMS, WORDS["arm"]),
        "events": {"type": "array", "items": refer(_STEP)},
        "expect": {"anyOf": [offers, nothing]},
        "because": reason,
        "then": reason,
    }
    schema = section("case", cases.CASE, values)
    is_nothing = {"properties": {"expect": {"type": "string"}}, "required": ["expect"]}
    held_out = {"properties": {"because": {"const": "holdout"}}}
    goes_on = {"if": held_out, "else": {"properties": {"then": _NO_NEXT}}}
    return {**schema, "if": is_nothing, "then": {"required": ["because"], **goes_on}}


def _expected() -> Schema:
    values: Mapping[str, Schema] = {
        "at": offset(),
        "offer": refer(PRODUCTS),
        "channel": words(get_args(Channel), WORDS["channel"]),
        "text": text(),
    }
    return section("expected", cases.EXPECTED, values)


def _values() -> dict[str, Schema]:
    return {
        "at": offset(),
        "times": integer(1, cases.TIMES_AT_MOST, (2,)),
        "every": duration("1h"),
        "enters": refer(PLACES),
        "sees": refer(PLACES),
        "leaves": refer(PLACES),
        "happens": event_words(),
        "feeds_down": one_or_more(event_words(), least=1),
        "for": duration("30m", "2h"),
        "restart": words(cases.RESTARTED, WORDS["restart"]),
    }


def _step() -> Schema:
    """Choose by what happens; offer all if nothing is there yet."""
    every = dict.fromkeys(key for pair in cases.STEPS.values() for keys in pair for key in keys)
    schema: Schema = {"properties": properties("step", (*every, *cases.STEPS), _values())}
    schema["required"] = ["at"]
    for verb in reversed(list(cases.STEPS)):
        schema = {"if": {"required": [verb]}, "then": refer(f"event {verb}"), "else": schema}
    return {"type": "object", **schema}


def _of_verb(verb: str) -> Schema:
    required, optional = next(keys for known, keys in cases.STEPS.items() if known == verb)
    schema = section("step", ((*required, verb), optional), _values())
    if verb != "happens":
        return schema
    del schema["additionalProperties"]  # the fields of the record stand beside: each kind closes its own
    chosen = []
    for event in EVENTS:
        named = {"type": "string", "pattern": one_of((event,))}
        condition = {"required": [verb], "properties": {verb: named}}
        chosen.append({"if": condition, "then": refer(f"fields of {event}")})
    return {**schema, "allOf": chosen}


def _fields(event: str, known: Vocabulary) -> Schema:
    unknown: Schema = {"title": "not known", "const": cases.UNKNOWN}
    fields = {
        name: described({"anyOf": [value(spec, known), {**unknown, "doNotSuggest": True}]}, about(spec))
        for name, spec in event_fields(event).items()
    }
    required, optional = cases.STEPS["happens"]
    beside = properties("step", (*required, *optional, "happens"), {})
    return {"properties": {**beside, **fields}, "additionalProperties": False}
