"""Which treatments are on: steps of the collector, and options of places in the catalogue.

With `all` everything is on that this version has, with the settings below; `none` nothing. `only X` and
`without X` show what each is worth. A buffer of all masts around a place is no part of `all`: whoever lives
under one of them would never be seen to leave (`all and buffer`); an operator chooses its cells one by one.
Nor is `leave_sightings`, another way to do what `leave_after` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from connectors.city.geography import Town, distance
from connectors.city.maps import cells_of
from engine.cells import Cell, CellTable
from engine.identity import Identity
from engine.treatments.chain import Chain
from engine.treatments.registry import CELLS, TREATMENTS, Around, Asked, chain_of

STEPS: Final[Mapping[str, Mapping[str, Any]]] = {
    "unknown_cells": {},
    "duplicates": {},
    "late": {},
    "start_cell": {},
    "impossible_moves": {},
    "ping_pong": {"within": "2m", "alone": "20m", "same": "site"},
    "identity": {"correlate": True, "strict_imei": True, "home": ["46000"]},
    "handset_changes": {"alone": "1h"},
    "roaming": {"home": ["46000"], "neighbours": ["45412"], "hold": "10m"},
}
"""Step of the collector -> its settings; those that this version doesn't know are left out. `thinning` is not
here: it saves work, and heals nothing."""

THINNED: Final[Mapping[str, Mapping[str, Any]]] = {"ping_pong": {"within": "5m", "alone": "0m"}}
"""Otherwise for a feed of which most service requests were taken: true visits are often seen once."""

PLACES: Final[Mapping[str, Mapping[str, Any]]] = {
    "leave_after": {"leave_after": "4m"},
    "leave_sightings": {"leave_sightings": 3},
    "buffer": {"buffer": "ring"},
}
"""Option of each place in places.yaml; `ring`: the cells of the masts around it."""
ENTERS: Final[Mapping[str, Mapping[str, Any]]] = {"confirm": {"confirm": "2m"}}
"""Option of the pattern `enters`."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to run the day."""

    name: str
    steps: tuple[str, ...] = ()
    """Names in `STEPS`."""
    options: tuple[str, ...] = ()
    """Names in `PLACES` and `ENTERS`."""
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Other settings of steps than those of `STEPS`."""

    def chain(self, identity: Identity, town: Town, disorder: int) -> Chain:
        """Build the steps, new ones."""
        table = CellTable(Cell(cell, lat, lon, reach) for cell, lat, lon, reach in cells_of(town))
        asked = [
            Asked(known, known.options.model_validate({**STEPS[name], **self.settings.get(name, {})}))
            for name, known in TREATMENTS.items()
            if name in self.steps
        ]
        return chain_of(asked, Around(identity, disorder, {CELLS: table}))

    def of_place(self, key: str, town: Town) -> Mapping[str, Any]:
        """Return what stands at a place of places.yaml."""
        found: dict[str, Any] = {}
        for name in self.options:
            found.update(PLACES.get(name, {}))
        if found.get("buffer") == "ring":
            found["buffer"] = ring(town, key)
        return found

    @property
    def of_enters(self) -> Mapping[str, Any]:
        """Return what stands beside `enters: P`."""
        return {key: value for name in self.options for key, value in ENTERS.get(name, {}).items()}


def ring(town: Town, key: str) -> list[str]:
    """List the cells of the masts whose room touches a place."""
    site = town.places[key]
    around = [mast for mast in town.grid if distance(mast, site) < site.radius + 1.2 * mast.radius]
    return [cell for mast in (around or [town.beside(site)]) for cell in mast.cells]


EXTRA: Final = ("buffer", "leave_sightings")
"""Options that are no part of `all`: see above."""
ALL: Final = "all"
NONE: Final = "none"


def variants(options: tuple[str, ...] = ()) -> dict[str, Variant]:
    """Return all ways to run a day, by name. `options`: those of places that this version knows."""
    steps = tuple(name for name in STEPS if name in TREATMENTS)
    extra = [name for name in options if name in EXTRA]
    options = tuple(name for name in options if name not in EXTRA)
    found = [Variant(NONE), Variant(ALL, steps, options)]
    for name in extra:
        found.append(Variant(f"only {name}", (), (name,)))
        found.append(Variant(f"all and {name}", steps, (*options, name)))
    found.append(Variant("steps only", steps))
    found.append(Variant("places only", (), options))
    for name in steps:
        found.append(Variant(f"only {name}", (name,)))
        found.append(Variant(f"without {name}", tuple(one for one in steps if one != name), options))
    for name in options:
        found.append(Variant(f"only {name}", (), (name,)))
        found.append(Variant(f"without {name}", steps, tuple(one for one in options if one != name)))
    return {variant.name: variant for variant in found}
