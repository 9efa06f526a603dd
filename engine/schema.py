"""JSON Schema (2020-12) of records, from `engine.event_kinds`: what feeds bring, what the log holds.

`intake_schema` describes a message of a feed: one record, or an array of them. Fields it does not know are
allowed there, and dropped. `log_schema` describes one record of the log and allows nothing else.
"""

from __future__ import annotations

from typing import Any

from engine.event_kinds import KINDS, FieldDef, KindSpec, MapDef
from engine.field_checks import AMOUNT_AT_MOST, CELL_AT_MOST, NUMBER_AT_MOST
from engine.identity import OPAQUE_AT_MOST
from engine.intake import YEAR_2000, YEAR_2100
from engine.numbers import HASH_LENGTH, OPEN_DIGITS

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TAC = "^[0-9]{8}$"
_KEY = f"^[0-9a-f]{{{HASH_LENGTH}}}$"
_LOGGED_NUMBER = f"^([0-9a-f]{{{HASH_LENGTH}}}|([^0-9]*[0-9]){{0,{OPEN_DIGITS}}}[^0-9]*)$"


def intake_schema() -> Schema:
    """Return the schema of a message that a feed brings."""
    one = {"$ref": "#/$defs/record"}
    return {
        "$schema": DIALECT,
        "title": "touchpoint intake",
        "description": "A record of a feed, or an array of them. Times are µs since 1970 (UTC).",
        "anyOf": [one, {"type": "array", "items": one}],
        "$defs": _definitions(in_log=False),
    }


def log_schema() -> Schema:
    """Return the schema of a record of the log: nobody named but by the subscriber key."""
    return {
        "$schema": DIALECT,
        "title": "touchpoint log",
        "description": "A record of the events log. Times are µs since 1970 (UTC).",
        "$ref": "#/$defs/record",
        "$defs": _definitions(in_log=True),
    }


def _definitions(*, in_log: bool) -> Schema:
    kinds = {name: _kind(spec, in_log=in_log) for name, spec in KINDS.items()}
    return {"record": {"oneOf": [{"$ref": f"#/$defs/{name}"} for name in kinds]}, **kinds}


def _kind(spec: KindSpec, *, in_log: bool) -> Schema:
    properties: Schema = {"kind": {"const": spec.name}}
    required = ["kind", "t"]
    properties.update(_envelope())
    if spec.group != "control":
        properties["tac8"] = {**_text("type allocation code of the handset"), "pattern": _TAC}
    if spec.about_subscriber:
        properties.update(_key() if in_log else _identity())
        if in_log:
            required.append("subscriber_key")
            if spec.name == "profile.update":
                properties["msisdn"] = {**_text("where to send"), "pattern": r"^\+[0-9]{5,15}$"}
    for field in spec.fields.values():
        properties[field.name] = _field(field, in_log=in_log)
    for mapping in spec.maps.values():
        properties[mapping.name] = _map(mapping)
    required += [field.name for field in spec.fields.values() if field.required]
    required += [mapping.name for mapping in spec.maps.values() if mapping.required]
    schema: Schema = {
        "title": spec.name,
        "description": f"{spec.say} ({spec.group})",
        "type": "object",
        "properties": properties,
        "required": required,
    }
    if in_log:
        schema["additionalProperties"] = False
    else:
        for name, definition in properties.items():
            if name not in required:
                properties[name] = _or_null(definition)
        if spec.about_subscriber:
            schema["anyOf"] = [
                {"required": [name], "properties": {name: {"type": "string", "minLength": 1}}}
                for name in ("imsi", "msisdn", "subscriber")
            ]
    return schema


def _envelope() -> Schema:
    time = {"type": "integer", "minimum": YEAR_2000, "maximum": YEAR_2100 - 1}
    return {
        "t": {**time, "description": "when; of a finished call or session its end"},
        "t_start": {**time, "description": "of a call or session its start, not later than t"},
        "id": _text("hash of source and natural key: a record with the id of another is a duplicate"),
        "source": _text("the feed"),
    }


def _identity() -> Schema:
    return {
        "imsi": {**_text("wins over msisdn and subscriber"), "pattern": "^([0-9]{15})?$"},
        "msisdn": _text("the subscriber's number, + and E.164 digits; wins over an opaque subscriber"),
        "subscriber": {
            **_text("15 IMSI digits, + and E.164 digits, or the feed's own id"),
            "maxLength": OPAQUE_AT_MOST,
        },
        "imei": _text("IMEI, 14 or 15 digits: only the first 8 are kept"),
        "imeisv": _text("IMEISV, 16 digits: only the first 8 are kept"),
    }


def _key() -> Schema:
    return {"subscriber_key": {**_text("keyed hash of who it is about"), "pattern": _KEY}}


def _field(field: FieldDef, *, in_log: bool) -> Schema:
    schema: Schema = {"description": field.say}
    if field.type == "phone":
        schema["type"] = "string"
        if in_log:
            schema["pattern"] = _LOGGED_NUMBER
        else:
            schema["maxLength"] = NUMBER_AT_MOST
    elif field.type in ("text", "place"):
        schema["type"] = "string"
        if field.values:
            schema["enum"] = list(field.values)
        if field.name in ("from.tac", "to.tac"):
            schema["pattern"] = _TAC
        if field.name == "cell":
            schema.update(minLength=1, maxLength=CELL_AT_MOST)
    elif field.type == "yes/no":
        schema["type"] = "boolean"
    elif field.type == "set":
        schema.update(type="array", items={"type": "string"})
    else:
        schema["type"] = "number"
        schema.update(minimum=-AMOUNT_AT_MOST if field.type == "money" else 0, maximum=AMOUNT_AT_MOST)
        if field.type != "number":
            schema["description"] += f" ({field.type})"
    return schema


def _map(mapping: MapDef) -> Schema:
    if mapping.values == "yes/no":
        values: Schema = _or_null({"type": "boolean"})
    else:
        values = {
            "type": ["string", "number", "boolean", "array", "null"],
            "items": {"type": "string"},
        }
    return {"description": mapping.say, "type": "object", "additionalProperties": values}


def _text(say: str) -> Schema:
    return {"type": "string", "description": say}


def _or_null(schema: Schema) -> Schema:
    """Allow null as well: it means "not given"."""
    nullable = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        nullable["enum"] = [*schema["enum"], None]
    return nullable
