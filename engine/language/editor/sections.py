"""Sections with known keys, from the tables of the readers: (keys that must be there, keys that may)."""

from __future__ import annotations

from collections.abc import Mapping

from engine.language.describe import key
from engine.language.editor.scalars import Schema

Keys = tuple[tuple[str, ...], tuple[str, ...]]


def section(name: str, keys: Keys, values: Mapping[str, Schema]) -> Schema:
    """Describe a mapping. A key that `values` has no schema for may hold anything."""
    required, optional = keys
    schema: Schema = {
        "type": "object",
        "properties": properties(name, (*required, *optional), values),
        "additionalProperties": False,
    }
    if required:
        schema["required"] = list(required)
    return schema


def properties(name: str, keys: tuple[str, ...], values: Mapping[str, Schema]) -> dict[str, Schema]:
    """Describe keys, each with its line of `describe`."""
    return {each: described(values.get(each, {}), key(name, each)) for each in keys}


def described(schema: Schema, description: str) -> Schema:
    """Put a description on a schema, whatever it refers to."""
    if not description:
        return schema
    if "$ref" in schema:  # beside a `$ref` nothing counts
        return {"description": description, "anyOf": [schema]}
    return {**schema, "description": description}
