"""Cell -> places: the fences of the catalogue as one dictionary look-up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.language.model import Catalog

Places = tuple[str, ...]
"""Keys of places, in the catalogue's order. A cell may lie in several."""


class PlaceMap:
    """The places of every catalogued cell; a cell that no place lists lies outside all of them."""

    __slots__ = ("beside", "buffers", "cells", "leaving", "of_cell", "order")

    def __init__(self, catalog: Catalog) -> None:
        places = catalog.places.values()
        self.of_cell: dict[str, Places] = _by_cell({place.key: place.cells for place in places})
        self.cells: Mapping[str, frozenset[str]] = {place.key: frozenset(place.cells) for place in places}
        self.buffers: Mapping[str, frozenset[str]] = {
            place.key: frozenset(place.buffer) - self.cells[place.key] for place in places if place.buffer
        }
        self.beside: dict[str, Places] = _by_cell(self.buffers)
        """Cell -> places around which it lies: it neither begins nor ends a visit of theirs."""
        self.leaving: dict[str, tuple[int, int]] = {
            place.key: (place.leave_after, place.leave_sightings)
            for place in places
            if place.leave_after or place.leave_sightings or place.buffer
        }
        """Place that is not left at the first sighting outside -> after how many µs, after how many
        sightings; 0: not by that."""
        self.order = {key: number for number, key in enumerate(self.cells)}

    def changed_since(self, older: PlaceMap) -> frozenset[str]:
        """Places that are new or gone, or whose fence is not that of `older` (semantics 2.4, ADR 19)."""
        keys = self.cells.keys() | older.cells.keys()
        return frozenset(key for key in keys if self._fence(key) != older._fence(key))

    def _fence(self, key: str) -> tuple[object, ...]:
        return self.cells.get(key), self.leaving.get(key), self.buffers.get(key)


def _by_cell(cells: Mapping[str, Iterable[str]]) -> dict[str, Places]:
    found: dict[str, dict[str, None]] = {}
    for key, members in cells.items():
        for cell in members:
            found.setdefault(cell, {})[key] = None
    return {cell: tuple(keys) for cell, keys in found.items()}
