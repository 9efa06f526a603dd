"""policy.yaml and the files of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping

from engine.event_kinds import RATS
from engine.language import catalog, geometry, policy
from engine.language.describe import WORDS
from engine.language.editor.fields import PHONE, amount
from engine.language.editor.scalars import Schema, text, words
from engine.language.editor.sections import section
from engine.language.editor.values import (
    cap,
    degrees,
    distance,
    duration,
    integer,
    interval,
    one_or_more,
    share,
)
from engine.language.editor.vocabulary import PLACES, Vocabulary, refer


def policy_file(known: Vocabulary) -> Schema:
    """Describe policy.yaml."""
    by_rat = {
        "type": "object",
        "properties": dict.fromkeys(RATS, duration("58m")),
        "additionalProperties": False,
    }
    tiers: Schema = {"type": "object", "additionalProperties": cap("2 in 30d")}
    if known.tiers is not None:
        tiers = {"type": "object", "properties": dict.fromkeys(known.tiers, cap("2 in 30d"))}
        tiers["additionalProperties"] = False
    presence = {"lapse": {"anyOf": [duration("58m"), by_rat]}, "bridge": duration("4h", zero=True)}
    contact = {"at_most": one_or_more(cap("1 in 1d", "3 in 7d")), "by_tier": tiers}
    group = section("group", policy.GROUP, {"cooldown": duration("7d", "30d", zero=True)})
    values: Mapping[str, Schema] = {
        "window": duration("48h"),
        "timezone": text(examples=("Asia/Shanghai",)),
        "quiet": one_or_more(interval("21:00 to 09:00")),
        "patience": duration("5m", zero=True),
        "presence": section("presence", policy.PRESENCE, presence),
        "contact": section("contact", policy.CONTACT, contact),
        "groups": {"type": "object", "additionalProperties": group},
        "holdout": share("2%"),
        "cost": section("cost", ((), policy.PAID), dict.fromkeys(policy.PAID, amount("money"))),
        "learn": section(
            "learn", policy.LEARN, {"home": interval("23:00 to 06:00"), "work": interval("10:00 to 17:00")}
        ),
        "opt_out": one_or_more(text(examples=("TD", "R", "退订")), 1),
    }
    return section("policy", ((), policy.KEYS), values)


def catalog_file(name: str, known: Vocabulary) -> Schema:
    """Describe one file of the catalogue: `fields`, `places`, `products` or `numbers`."""
    entries = _ENTRIES[name]()
    if name == "places":
        groups = {"type": "object", "additionalProperties": _list(refer(PLACES))}
        groups["description"] = "Groups of places: a rule names a group like a place."
        return {**entries, "properties": {catalog.GROUPS: groups}, "definitions": known.definitions()}
    return entries


def _fields() -> Schema:
    values: Mapping[str, Schema] = {
        "type": words(catalog.FIELD_TYPES, WORDS["type"]),
        "values": _list(text()),
        "say": text(),
    }
    entry = section("field", catalog.FIELD, values)
    entry["anyOf"] = [{"required": ["values"]}, {"required": ["type"]}]
    return _names(entry)


def _products() -> Schema:
    values: Mapping[str, Schema] = {"name": text(), "price": amount("money"), "reply": text()}
    return _names(section("product", catalog.PRODUCT, values))


def _places() -> Schema:
    cells = {"anyOf": [text(examples=("cells/my-place.csv",)), _list(text())]}
    file = text(examples=(f"areas/my-place{geometry.SUFFIX}",))
    area = section("area", geometry.AREA, {"file": file, "feature": text()})
    circle = {"lat": degrees(90, 30.25), "lon": degrees(180, 120.15), "radius": distance("300m", "1.5km")}
    values: Mapping[str, Schema] = {
        "name": text(),
        "cells": cells,
        "area": {"anyOf": [{"title": "file", **file}, {"title": "feature of a file", **area}]},
        "circle": section("circle", geometry.CIRCLE, circle),
        "mode": words(geometry.MODES, WORDS["mode"]),
        "without": cells,
        "leave_after": duration(),
        "leave_sightings": integer(2, catalog.LEAVE_SIGHTINGS_MOST),
        "buffer": {"anyOf": [text(examples=("500m", "cells/around-my-place.csv")), _list(text())]},
    }
    entry = section("place", catalog.PLACE, values)
    entry["anyOf"] = [{"required": [key]} for key in catalog.COVERED]
    return _names(entry)


def _numbers() -> Schema:
    number = {
        "type": ["string", "number"],
        "pattern": rf"{PHONE[:-1]}\*?$",
        "errorMessage": "expected a phone number, or the beginning of one such as 955*",
    }
    return _names(_list(number))


_ENTRIES = {"fields": _fields, "places": _places, "products": _products, "numbers": _numbers}


def _names(entry: Schema) -> Schema:
    return {"type": "object", "additionalProperties": entry}


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item, "minItems": 1}
