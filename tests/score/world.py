"""The places of the scored day, and rules that fire whenever somebody enters, leaves or stays in one of them.

No two places share a cell: which of two such places somebody is in can't be told by cells. Half of the places
are wider than three cells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from engine.app import load_rules
from engine.language.model import RuleSet

PLACES: Final[Mapping[str, int]] = {
    "campus-north": 7, "campus-south": 6, "campus-hill": 5, "campus-old": 3,
    "mall-lake": 6, "mall-gate": 5, "mall-tower": 4, "mall-corner": 3, "mall-lane": 2,
    "railway-east": 9, "railway-west": 6, "metro-park": 2, "metro-bridge": 1,
    "hospital-one": 5, "hospital-two": 4, "hospital-children": 3,
    "hall-west": 3, "hall-east": 2, "hall-river": 1,
    "stadium-dragon": 8, "stadium-small": 3,
    "airport-main": 9,
    "old-town": 4, "temple": 2,
}  # fmt: skip
"""Place -> how many cells it has."""
WIDE: Final = 3
"""A place of more cells is wide: the targets are for those."""
STAY_MINUTES: Final = 30

_POLICY: Final[Mapping[str, Any]] = {
    "window": "48h",
    "timezone": "Asia/Shanghai",
    "patience": "5m",
    "presence": {"lapse": "58m", "bridge": "4h"},
    "holdout": "0%",
    "opt_out": ["TD"],
    "contact": {"at_most": ["1000 in 1d"]},
}


def is_wide(place: str) -> bool:
    """Say whether a place is wider than three cells."""
    return PLACES[place] > WIDE


def cells_of_place(place: str) -> list[str]:
    """List the cells of a place."""
    area = 22900 + list(PLACES).index(place)
    return [f"460-00-{area}-{cell}" for cell in range(1, PLACES[place] + 1)]


def build(
    folder: Path,
    *,
    place: Callable[[str], Mapping[str, Any]] = lambda _: {},
    enters: Mapping[str, Any] | None = None,
) -> RuleSet:
    """Write the rules to a folder and load them.

    `place`: what stands at a place of places.yaml beside name and cells; `enters`: beside `enters: P`. Raises
    RulesError if the engine doesn't know such options.
    """
    (folder / "catalog").mkdir(parents=True, exist_ok=True)
    places = {
        key: {
            "name": key,
            "cells": cells_of_place(key),
            **place(key),
        }
        for key in PLACES
    }
    _write(folder / "policy.yaml", _POLICY)
    _write(folder / "catalog" / "places.yaml", places)
    _write(folder / "catalog" / "products.yaml", {"pack": {"name": "pack", "price": "1 yuan", "reply": "P"}})
    _write(folder / "catalog" / "fields.yaml", {"age": {"type": "number", "say": "years"}})
    _write(folder / "catalog" / "numbers.yaml", {})
    for key in PLACES:
        _write(folder / f"enter-{key}.yaml", _rule(f"enter-{key}", {"enters": key, **(enters or {})}))
        _write(folder / f"leave-{key}.yaml", _rule(f"leave-{key}", {"leaves": key}))
        stay = {"stays_in": key, "for": f"{STAY_MINUTES}m"}
        _write(folder / f"stay-{key}.yaml", _rule(f"stay-{key}", stay))
    return load_rules(folder, "86")


def _rule(name: str, when: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "rule": name,
        "title": name,
        "owner": "score",
        "status": "live",
        "approved_by": "nobody",
        "valid": "2026-01-01 to 2030-12-31",
        "when": dict(when),
        "who": {"age": "1 to 120"},
        "offer": {"product": "pack", "send": [{"channel": "sms", "text": "【S】{product.name},退订回TD"}]},
        "limits": {"priority": "1", "at_most": "1000 in 1d", "send_within": "1d", "holdout": "0%"},
        "goal": {"converts_when": {"happens": "product.bought"}, "within": "1d"},
    }


def _write(path: Path, data: Mapping[str, Any]) -> None:
    path.write_text(yaml.dump(dict(data), Dumper=_Plain, allow_unicode=True, sort_keys=False))


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True
