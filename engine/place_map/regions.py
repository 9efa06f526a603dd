"""Places far from each other have a picture each: one that shows all would show none."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from typing import Final

_SQUARE: Final = 0.2
"""Degrees: about 20 km. Squares that touch are one region."""
_COLUMNS: Final = round(360 / _SQUARE)


def clusters(spots: Sequence[tuple[float, float]]) -> list[list[int]]:
    """Split positions (latitude, longitude) into regions: their numbers, the largest region first."""
    squares: dict[tuple[int, int], list[int]] = {}
    for number, (lat, lon) in enumerate(spots):
        squares.setdefault((floor(lat / _SQUARE), floor((lon % 360) / _SQUARE)), []).append(number)
    found: list[list[int]] = []
    while squares:
        waiting = [next(iter(squares))]
        members: list[int] = squares.pop(waiting[0])
        while waiting:
            row, column = waiting.pop()
            for north in (-1, 0, 1):
                for east in (-1, 0, 1):
                    beside = row + north, (column + east) % _COLUMNS
                    if beside in squares:
                        members = members + squares.pop(beside)
                        waiting.append(beside)
        found.append(sorted(members))
    return sorted(found, key=lambda members: (-len(members), members))
