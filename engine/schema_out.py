"""JSON Schema of what the program writes: decision lines, profiles, dead letters, sets of rules.

Without `$ref`, `$defs` or anything newer than draft 7, so that each stands alone and within AsyncAPI alike
(its schemas are draft 7). What a role adds to them it has to add here: nothing else is allowed.
"""

from __future__ import annotations

import re
from typing import Any

from engine.intake import YEAR_2000
from engine.language.checks.reasons import REASONS
from engine.numbers import HASH_LENGTH
from engine.refusals import KEPT_CHARACTERS

Schema = dict[str, Any]

OUTCOMES = ("offer", "held", "control", "shadow", "refused")
ARMS = ("treatment", "control", "shadow")
CHANNELS = ("sms", "mms", "manual")

_NO_REFUSAL = ("when", "holdout")
"""Words of rule tests among `REASONS` that refuse nothing."""


def line_schema() -> Schema:
    """Return the schema of a decision line (semantics.md 5), as topics hold it: without `subscriber`."""
    refused = {"properties": {"outcome": {"const": "refused"}}}
    asked = "|".join(re.escape(reason) for reason in REASONS if reason not in _NO_REFUSAL)
    trigger = _object(
        "the record it goes back to; of a timer the one that armed it",
        {
            "source": _text("the feed"),
            "id": _or_null(_text("its id")),
            "position": _text("its place: PARTITION:OFFSET, or FILE:LINE in a replay"),
        },
    )
    schema = _object(
        "One decision. Consumers drop repeats by (id, at).",
        {
            "id": _hash("keyed hash of rule, subscriber key and instant"),
            "rule": _text("name of the rule"),
            "rules_hash": _text("of the set of rules"),
            "subscriber_key": _hash("keyed hash of who it is about"),
            "at": _time("the instant; at a hold's end that end"),
            "outcome": {"type": "string", "enum": list(OUTCOMES), "description": "what was decided"},
            "reason": _or_null(
                {
                    **_text("the gate that refused, only with `refused`"),
                    "pattern": f"^({asked}|who\\..+|except\\..+)$",
                }
            ),
            "arm": _or_null(
                {"type": "string", "enum": list(ARMS), "description": "once the gates are passed"}
            ),
            "channel": _or_null({"type": "string", "enum": list(CHANNELS), "description": "of the message"}),
            "product": _or_null(_text("key of the product")),
            "place": _or_null(_text("key of the place")),
            "text": _or_null(_text("the message as it is sent")),
            "parts": _or_null({"type": "integer", "minimum": 1, "description": "SMS that the text needs"}),
            "due": _or_null(_time("end of the hold, with `held`")),
            "trigger": trigger,
            "values": {
                "type": "object",
                "description": "values seen, by condition, as far as the gates went",
            },
            "subject": _text("of an MMS"),
        },
        optional=("subject",),
    )
    schema["title"] = "decision"
    schema["if"] = refused
    schema["then"] = {"properties": {"reason": {"type": "string"}}}
    schema["else"] = {"properties": {"reason": {"type": "null"}}}
    return schema


def offer_schema() -> Schema:
    """Return the schema of an offer: a decision line to be sent, whole."""
    schema = line_schema()
    narrower: dict[str, Schema] = {
        "outcome": {"const": "offer"},
        "reason": {"type": "null"},
        "arm": {"const": "treatment"},
        "channel": {"type": "string", "enum": list(CHANNELS)},
        "product": {"type": "string"},
        "text": {"type": "string"},
    }
    for name, narrow in narrower.items():
        known = schema["properties"][name]["description"]
        schema["properties"][name] = {"description": known, **narrow}
    for word in ("if", "then", "else"):
        del schema[word]
    schema.update(title="offer", description="A decision to be sent now. Consumers drop repeats by (id, at).")
    return schema


def pack_schema() -> Schema:
    """Return the schema of several decision lines in one message: the refusals of a batch."""
    lines = {"type": "array", "items": line_schema(), "minItems": 1}
    return {"title": "decisions", "description": "Decision lines, packed: the refusals of a batch.", **lines}


def release_schema() -> Schema:
    """Return the schema of the line that takes a contact away: a receipt rejected the offer for good."""
    schema = _object(
        "The decision of this id is no contact any more, from `t` on: a receipt rejected it for good.",
        {
            "release": _hash("id of the decision"),
            "subscriber_key": _hash("whom it was about"),
            "t": _time("of the receipt"),
        },
    )
    return {"title": "release", **schema}


def forgotten_schema() -> Schema:
    """Return the schema of the line that says that a subscriber was forgotten."""
    schema = _object(
        "What lines before this one say of the subscriber counts no more: they were forgotten.",
        {
            "forgotten": _hash("who"),
            "subscriber_key": _hash("the same"),
            "t": _time("of the record that said so"),
        },
    )
    return {"title": "forgotten", **schema}


def optout_schema() -> Schema:
    """Return the schema of what is kept of somebody who had opted out and was forgotten."""
    schema = _object(
        "A number that had opted out when its subscriber was forgotten.",
        {"optout": _hash("of the number, keyed"), "t": _time("of the record that forgot")},
    )
    return {"title": "optout", **schema}


def profile_schema() -> Schema:
    """Return the schema of a profile, whole."""
    known = {"type": ["string", "number", "boolean", "array"], "items": {"type": "string"}}
    schema = _object(
        "What is known of a subscriber; a field that is not there is unknown.",
        {
            "subscriber_key": _hash("keyed hash of who it is about"),
            "msisdn": _or_null({**_text("where to send"), "pattern": r"^\+[0-9]{5,15}$"}),
            "bound_at": {
                "type": "integer",
                "minimum": 0,
                "description": "`t` of the record that bound the number, µs UTC; 0: none, or not known. "
                "Of two profiles with one number it is that of the later",
            },
            "timezone": _or_null(_text("IANA name")),
            "profile": {**_map("fields of the catalogue, products"), "additionalProperties": known},
            "consent": {
                **_map("by purpose: marketing, profiling, location"),
                "additionalProperties": {"type": "boolean"},
            },
            "suppressed": {"type": "boolean", "description": "wants no marketing"},
            "choice": {
                "type": "integer",
                "description": "when they last said themselves whether they want marketing, µs UTC; "
                "negative: no; 0: never",
            },
            "t": _time("of the record that changed it last"),
            "habits": {
                "type": "array",
                "description": "where `learn` of the policy asks for it: what is known of nights and working "
                "days, for `home` and `work` of the profile (docs/decisions/0020)",
            },
        },
        optional=("habits",),
    )
    return {"title": "profile", **schema}


def deadletter_schema() -> Schema:
    """Return the schema of a dead letter: `Refusal.as_dict`, and where and when it was refused."""
    count = {"type": "integer", "minimum": 0}
    schema = _object(
        "A record that was not taken. Numbers of nine digits and more are hidden.",
        {
            "reason": _text(
                "utf8 json nan depth size type kind identity time columns number value schema decode file gap"
            ),
            "detail": _text("FIELD: expected X, was Y"),
            "source": _text("the feed"),
            "position": _text(
                "PARTITION:OFFSET, FILE:LINE or DOOR:REQUEST, and #k for the k-th record of an array"
            ),
            "raw": {**_text("the start of the record"), "maxLength": KEPT_CHARACTERS},
            "stage": _text("the role that refused it: collector, engine"),
            "failed_at": _time("when it was refused, wall clock"),
            "feed": _text("its name in the feeds file"),
            "file": _text("it stood in"),
            "topic": _text("it stood in"),
            "partition": {**count, "description": "of this topic"},
            "offset": {**count, "description": "in this partition"},
            "rules_hash": _text("of the rules in force, where the engine refused it"),
        },
        optional=("feed", "file", "topic", "partition", "offset", "rules_hash"),
    )
    return {"title": "dead letter", **schema}


def rules_schema() -> Schema:
    """Return the schema of a published set of rules."""
    schema = _object(
        "A set of rules, whole.",
        {
            "hash": _text("of the set; the key of the message"),
            "by": _text("who published it"),
            "at": _time("when, wall clock"),
            "files": {**_map("path below the folder -> text"), "additionalProperties": {"type": "string"}},
        },
    )
    return {"title": "rules", **schema}


def change_schema() -> Schema:
    """Return the schema of a change of the rules in force: who, when, what."""
    status = {"type": "string", "enum": ["draft", "shadow", "live", "paused"]}
    rule = _object(
        "A rule that is not what it was; with equal statuses its text is another.",
        {
            "rule": _text("its name"),
            "was": _or_null({**status, "description": "before; null: it was not there"}),
            "now": _or_null({**status, "description": "from then on; null: it is gone"}),
        },
    )
    schema = _object(
        "A change of the rules in force. Each has a key of its own, so that all are kept.",
        {
            "change": _text("hash of the set that came"),
            "before": _or_null(_text("hash of the set that went, or that all but the canary keep")),
            "by": _text("who did it"),
            "at": _time("when, wall clock"),
            "canary": _or_null(_text("only for these: a share or a place")),
            "rules": {"type": "array", "items": rule, "description": "that are not what they were"},
            "policy": {"type": "boolean", "description": "policy.yaml is another"},
            "catalogue": {"type": "boolean", "description": "a file of the catalogue is another"},
        },
    )
    return {"title": "change of rules", **schema}


def checkpoint_schema() -> Schema:
    """Return the schema of a checkpoint, as far as others than the collector may rely on it."""
    version = {"type": "integer", "minimum": 1, "description": "of its form"}
    said = "How far a collector has read its sources; all but `v` is the collector's own."
    return {
        "title": "checkpoint",
        "description": said,
        "type": "object",
        "properties": {"v": version},
        "required": ["v"],
    }


def _object(say: str, properties: Schema, optional: tuple[str, ...] = ()) -> Schema:
    return {
        "description": say,
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _map(say: str) -> Schema:
    return {"type": "object", "description": say}


def _text(say: str) -> Schema:
    return {"type": "string", "description": say}


def _hash(say: str) -> Schema:
    return {**_text(say), "pattern": f"^[0-9a-f]{{{HASH_LENGTH}}}$"}


def _time(say: str) -> Schema:
    return {"type": "integer", "minimum": YEAR_2000, "description": f"{say}; µs since 1970 (UTC)"}


def _or_null(schema: Schema) -> Schema:
    nullable = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        nullable["enum"] = [*schema["enum"], None]
    return nullable
