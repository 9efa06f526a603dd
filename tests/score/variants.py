"""Which treatments are on: steps of the collector, and options of places in the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from engine.treatments.step import Step


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to run the day."""

    name: str
    steps: tuple[str, ...] = ()
    """Names in `STEPS`, in the order of the chain."""
    place: Mapping[str, Any] = field(default_factory=dict)
    """Options of each place, as in places.yaml."""
    enters: Mapping[str, Any] = field(default_factory=dict)
    """Beside `enters: P`."""


def steps_of(names: tuple[str, ...]) -> list[Step]:
    """Build the steps of a variant, new ones."""
    if names:
        raise KeyError(names[0])
    return []


NONE: Final = Variant("none")
ALL: Final = "none"
VARIANTS: Final[Mapping[str, Variant]] = {variant.name: variant for variant in (NONE,)}
