"""Cell -> places: the fences of the catalogue as one dictionary look-up."""

from __future__ import annotations

from collections.abc import Mapping

from engine.language.model import Catalog

Places = tuple[str, ...]
"""Keys of places, in the catalogue's order. A cell may lie in several."""


class PlaceMap:
    """The places of every catalogued cell; a cell that no place lists lies outside all of them."""

    __slots__ = ("cells", "of_cell")

    def __init__(self, catalog: Catalog) -> None:
        found: dict[str, list[str]] = {}
        for place in catalog.places.values():
            for cell in place.cells:
                held = found.setdefault(cell, [])
                if place.key not in held:
                    held.append(place.key)
        self.of_cell: dict[str, Places] = {cell: tuple(keys) for cell, keys in found.items()}
        self.cells: Mapping[str, frozenset[str]] = {
            place.key: frozenset(place.cells) for place in catalog.places.values()
        }

    def changed_since(self, older: PlaceMap) -> frozenset[str]:
        """Places that are new or gone, or whose cells are not those of `older` (semantics 2.4)."""
        keys = self.cells.keys() | older.cells.keys()
        return frozenset(key for key in keys if self.cells.get(key) != older.cells.get(key))
