"""Distances as they are written: `300m`, `1.5 km`. In places.yaml only: elsewhere `300m` is a time."""

from __future__ import annotations

import re
from typing import Final

from engine.language.words import Unreadable

UNITS: Final = {"m": 1, "km": 1_000}
"""Unit -> metres."""
FORM: Final = r"([0-9]{1,9}(?:\.[0-9]{1,3})?)\s*(m|km)"
"""How a distance is written."""
FARTHEST: Final = 200_000.0
"""Metres: beyond the reach of any cell on land (GSM with extended range: 120 km, 3GPP TS 45.010)."""

_FORM = re.compile(FORM)
_BARE = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,3})?")


def is_distance(text: str) -> bool:
    """Tell whether a text is written like a distance, whatever its bounds."""
    return _FORM.fullmatch(text.strip()) is not None


def metres(text: str) -> float:
    """Read a distance: metres, more than 0 and at most `FARTHEST`."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        bare = _BARE.fullmatch(text.strip())
        hint = f"did you mean `{bare[0]}m`?" if bare else ""
        raise Unreadable(f"`{text}` is not a distance; write it like `300m` or `1.5km`", hint)
    length = float(found[1]) * UNITS[found[2]]
    if not 0 < length <= FARTHEST:
        raise Unreadable(f"expected a distance of more than 0m and at most {FARTHEST / 1000:.0f}km")
    return length


def write_metres(length: float) -> str:
    """Write a distance for people: `300 m`, `2.4 km`."""
    if length < 1_000:
        return f"{length:.0f} m"
    return f"{length / 1_000:.1f} km" if length < 100_000 else f"{length / 1_000:,.0f} km"


def write_area(square: float) -> str:
    """Write an area given in m² for people: `4,200 m²`, `1.3 km²`."""
    return f"{square:,.0f} m²" if square < 100_000 else f"{square / 1e6:,.2f} km²"
