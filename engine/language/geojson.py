"""GeoJSON (RFC 7946) to polygons: lists of rings of (longitude, latitude), the first ring of each outside.

Taken are Polygon, MultiPolygon, and features and collections of such, in WGS84. What is not that is an error
that says where in the document, as JavaScript would write it: `features[2].geometry.coordinates[0][3]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import orjson

from engine.language.suggest import did_you_mean

Ring = tuple[tuple[float, float], ...]
Polygons = tuple[tuple[Ring, ...], ...]

LARGEST: Final = 16 * 1024 * 1024
"""Bytes of a file."""
MOST_VERTICES: Final = 200_000
"""Of one area: a country's coast in full detail."""
_SHAPES: Final = ("Polygon", "MultiPolygon")
_WGS84: Final = ("CRS84", "4326")
"""The end of the names of what coordinates are in, in files older than RFC 7946."""


class BadArea(Exception):
    """An area that can't be read. `line`, `col`: in its file, from 1; 0 if it is JSON."""

    def __init__(self, message: str, hint: str = "", line: int = 0, col: int = 0) -> None:
        super().__init__(message)
        self.message, self.hint, self.line, self.col = message, hint, line, col


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature, its coordinates unread. `names`: its id and the name and id of its properties."""

    names: tuple[str, ...]
    where: str
    geometry: Any


@lru_cache(maxsize=8)
def features_of(text: str) -> tuple[Feature, ...]:
    """Return the features of a document; a bare geometry is one without a name. Raises `BadArea`."""
    text = text.removeprefix("\ufeff")
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadArea(f"this is not valid JSON: {error.msg}", "", error.lineno, error.colno) from None
    if not isinstance(document, dict):
        raise BadArea("expected a GeoJSON object")
    _check_crs(document)
    kind = document.get("type")
    if kind in _SHAPES:
        return (Feature((), "", document),)
    if kind == "Feature":
        return (_feature(document, ""),)
    if kind != "FeatureCollection":
        wanted = "expected a Polygon, MultiPolygon, Feature or FeatureCollection"
        raise BadArea(f"type: {wanted}, was {_shown(kind)}")
    members = document.get("features")
    if not isinstance(members, list):
        raise BadArea(f"features: expected a list, was {_shown(members)}")
    return tuple(_feature(member, f"features[{number}]") for number, member in enumerate(members))


def choose(features: tuple[Feature, ...], name: str, key: str) -> Feature:
    """Return the feature of a name; without one that of the place's key, or the only one.

    Raises `BadArea`.
    """
    wanted = name or key
    found = [feature for feature in features if wanted in feature.names]
    if not found and not name and len(features) == 1:
        return features[0]
    if len(found) == 1:
        return found[0]
    if found:
        raise BadArea(f"{len(found)} features are called `{wanted}`", "give each an `id` of its own")
    names = [each for feature in features for each in feature.names]
    said = f"no feature is called `{wanted}`" if features else "there is no feature in it"
    if name or not names:
        raise BadArea(said, did_you_mean(wanted, names) if names else "")
    raise BadArea(said, did_you_mean(wanted, names) or "choose one: `area: {file: …, feature: …}`")


def polygons_of(feature: Feature) -> Polygons:
    """Return the polygons of a feature, each ring closed. Raises `BadArea`."""
    geometry, where = feature.geometry, f"{feature.where}.geometry" if feature.where else "geometry"
    if feature.geometry is None or not isinstance(geometry, dict):
        raise BadArea(f"{where}: expected a Polygon or MultiPolygon, was {_shown(geometry)}")
    where = where if feature.names or feature.where else ""
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    inside = f"{where}.coordinates".removeprefix(".")
    if kind not in _SHAPES:
        raise BadArea(f"{where or 'type'}: expected a Polygon or MultiPolygon, was {_shown(kind)}")
    count = _Count()
    if kind == "Polygon":
        return (_rings(coordinates, inside, count),)
    return tuple(_rings(part, at, count) for part, at in _members(coordinates, inside, "polygons"))


class _Count:
    """How many vertices an area has so far."""

    def __init__(self) -> None:
        self.vertices = 0


def _check_crs(document: dict[str, Any]) -> None:
    crs = document.get("crs")
    if isinstance(crs, dict):
        name = str((crs.get("properties") or {}).get("name", "")) if isinstance(
            crs.get("properties"), dict
        ) else ""  # fmt: skip
        if name and not name.upper().endswith(_WGS84):
            raise BadArea(f"crs: expected longitude and latitude of WGS84, was `{name}`", "convert the file")


def _feature(member: Any, where: str) -> Feature:
    if not isinstance(member, dict) or member.get("type") != "Feature":
        was = member.get("type") if isinstance(member, dict) else member
        raise BadArea(f"{where}: expected a Feature, was {_shown(was)}")
    properties = member.get("properties")
    said = [member.get("id")]
    if isinstance(properties, dict):
        said += [properties.get("id"), properties.get("name")]
    names = [str(each) for each in said if isinstance(each, str | int | float)]
    return Feature(tuple(dict.fromkeys(names)), where, member.get("geometry"))


def _members(value: Any, where: str, what: str) -> Iterator[tuple[Any, str]]:
    if not isinstance(value, list) or not value:
        raise BadArea(f"{where}: expected a list of {what}, was {_shown(value)}")
    for number, member in enumerate(value):
        yield member, f"{where}[{number}]"


def _rings(value: Any, where: str, count: _Count) -> tuple[Ring, ...]:
    return tuple(_ring(ring, at, count) for ring, at in _members(value, where, "rings"))


def _ring(value: Any, where: str, count: _Count) -> Ring:
    points = [_point(point, at) for point, at in _members(value, where, "positions")]
    count.vertices += len(points)
    if count.vertices > MOST_VERTICES:
        raise BadArea(f"{where}: expected at most {MOST_VERTICES:,} positions", "simplify the area")
    if points[0] != points[-1]:
        raise BadArea(f"{where}: expected a ring that ends where it begins", "repeat its first position")
    if len(points) < 4:
        raise BadArea(f"{where}: expected at least 4 positions, the last as the first, was {len(points)}")
    return tuple(points)


def _point(value: Any, where: str) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) < 2:
        raise BadArea(f"{where}: expected [longitude, latitude], was {_shown(value)}")
    lon, lat = value[0], value[1]
    if type(lon) not in (int, float) or type(lat) not in (int, float):
        raise BadArea(f"{where}: expected [longitude, latitude], was {_shown(value)}")
    if not -180 <= lon <= 180 or not -90 <= lat <= 90:
        hint = "GeoJSON has the longitude first" if abs(lon) <= 90 and abs(lat) <= 180 else ""
        wanted = "a longitude from -180 to 180 and a latitude from -90 to 90"
        raise BadArea(f"{where}: expected {wanted}, was {_shown(value)}", hint)
    return float(lon), float(lat)


def _shown(value: Any) -> str:
    """Show what stands there, cut."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f"`{value[:40]}`"
    if isinstance(value, dict):
        return "an object"
    text = orjson.dumps(value).decode()
    return f"`{text[:40]}{'…' if len(text) > 40 else ''}`"
