"""Patterns: one verb per mapping with its companions, nested to any depth.

Which companions and which fields go with what is said by `if` and `then`: an editor then offers only what
fits, and marks one slip once. A verb or an event is told by its form, not by `const`, so that nothing in an
`if` is offered to the author.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Final

from engine.event_kinds import KINDS
from engine.language.checks.events import EVENTS, event_fields, measures
from engine.language.checks.verbs import COMPANIONS, VERBS
from engine.language.editor import fields
from engine.language.editor.scalars import Schema, one_of, words
from engine.language.editor.sections import properties, section
from engine.language.editor.values import duration, integer
from engine.language.editor.vocabulary import PLACES, Vocabulary, mapping, refer
from engine.language.model import FieldType
from engine.language.patterns import MOST

PATTERN: Final = "pattern"
COUNTED: Final = ("happens", "count", "total")
"""Verbs about records of one kind."""


def definitions(known: Vocabulary) -> dict[str, Schema]:
    """Describe a pattern, each verb, and the fields of each kind of record."""
    values = _values()
    found = {PATTERN: _pattern()}
    for verb, (required, optional) in COMPANIONS.items():
        body = section("pattern", ((verb, *required), optional), values[verb])
        if verb in COUNTED:
            body["allOf"] = _by_event(verb, optional)
        found[_verb(verb)] = body
    for event in EVENTS:
        found[_fields(event)] = fields.lines(event_fields(event), known)
    return found


def event_words() -> Schema:
    """Describe the kinds of records that rules may be about."""
    return words(EVENTS, {event: KINDS[event].say for event in EVENTS}, "no such event")


def _verb(verb: str) -> str:
    return f"verb {verb}"


def _fields(event: str) -> str:
    return f"fields of {event}"


def _pattern() -> Schema:
    """Choose by the verb that is there; offer all if there is none yet."""
    companions = dict.fromkeys(key for pair in COMPANIONS.values() for keys in pair for key in keys)
    waiting = {key: {"doNotSuggest": True} for key in companions if key not in COMPANIONS}
    schema: Schema = {
        "properties": {**properties("pattern", VERBS, _any_verb()), **waiting},
        "additionalProperties": False,
        "minProperties": 1,
        "defaultSnippets": _SNIPPETS,
    }
    for verb in reversed(VERBS):
        schema = {"if": {"required": [verb]}, "then": refer(_verb(verb)), "else": schema}
    pairs = [{"required": list(pair)} for pair in combinations(VERBS, 2)]
    one_thing = {"type": "string", "errorMessage": _ONE_THING}
    return {"type": "object", "if": {"anyOf": pairs}, "then": one_thing, "else": schema}


def _any_verb() -> dict[str, Schema]:
    return {verb: values[verb] for verb, values in _values().items()}


def _values() -> dict[str, dict[str, Schema]]:
    """Say what stands behind the verbs and their companions: verb -> key -> schema."""
    one, several = mapping(PATTERN), {"type": "array", "items": refer(PATTERN), "minItems": 1}
    each: Mapping[str, Schema] = {
        "within": duration("30m", "6h", "24h"),
        "for": duration("30m", "2h", "24h"),
        "confirm": duration("5m"),
        "resident": words(fields.YES_NO),
        "no": one,
        "where": {"type": "object"},
        "unless": {"type": "object"},
    }
    own: dict[str, dict[str, Schema]] = {
        "happens": {"happens": event_words()},
        "enters": {"enters": refer(PLACES)},
        "leaves": {"leaves": refer(PLACES)},
        "stays_in": {"stays_in": refer(PLACES)},
        "count": {"count": event_words(), "at_least": integer(1, MOST, (3,))},
        "total": {"total": _measure_words(), "at_least": {"type": ["string", "number"]}},
        "sequence": {"sequence": {**several, "minItems": 2}},
        "after": {"after": one},
        "any_of": {"any_of": several},
        "all_of": {"all_of": several},
    }
    return {verb: {**each, **own.get(verb, {})} for verb in COMPANIONS}


def _measure_words() -> Schema:
    """Describe EVENT.FIELD of everything that can be summed."""
    say = {
        f"{event}.{name}": f"{spec.say}, of: {KINDS[event].say}"
        for event in EVENTS
        for name, spec in measures(event).items()
    }
    return words(say, say, "no such event and measure")


def _by_event(verb: str, optional: tuple[str, ...]) -> list[Schema]:
    """Say what fields `where` and `unless` have, and for a total how its mark is written."""
    found = []
    lines = [key for key in ("where", "unless") if key in optional]
    for event in EVENTS:
        named = [f"{event}.{name}" for name in measures(event)] if verb == "total" else [event]
        found.append(_when(verb, named, {key: refer(_fields(event)) for key in lines}))
    if verb == "total":
        by_type: dict[FieldType, list[str]] = {}
        for event in EVENTS:
            for name, spec in measures(event).items():
                by_type.setdefault(spec.type, []).append(f"{event}.{name}")
        found += [_when(verb, named, {"at_least": fields.amount(of)}) for of, named in by_type.items()]
    return [each for each in found if each]


def _when(verb: str, named: list[str], then: dict[str, Schema]) -> Schema:
    if not named:
        return {}
    condition = {"required": [verb], "properties": {verb: {"type": "string", "pattern": one_of(named)}}}
    return {"if": condition, "then": {"properties": then}}


_ONE_THING: Final = "a pattern says one thing: to wait for both, list them under all_of or sequence"
_SNIPPETS: Final[list[Schema]] = [
    {
        "label": "pattern: stays in a place",
        "description": "The subscriber has been in a place for so long",
        "body": {"stays_in": "$1", "for": "${2:30m}"},
    },
    {
        "label": "pattern: so many in a time",
        "description": "So many records of a kind within a window",
        "body": {"count": "$1", "at_least": "${2:3}", "within": "${3:6h}"},
    },
    {
        "label": "pattern: absence",
        "description": "So long after one thing another has not come",
        "body": {"after": {"happens": "$1"}, "no": {"happens": "$2"}, "for": "${3:2h}"},
    },
]
