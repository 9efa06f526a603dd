"""R702, R703: what places on the map are drawn by, and whether a cell is in it.

R702 is found in `engine.language.geometry`.
"""

from __future__ import annotations

from typing import Final

from engine.language.checks.code import Check
from engine.language.geometry import Sketch
from engine.language.lengths import write_area
from engine.language.report import Report
from engine.language.source import Scalar

CHECKS: Final = (
    Check(
        code="R702",
        meaning="an area that can't be read as GeoJSON, or is no polygon",
        bad="""
            # catalog/cells.csv
            cell,lat,lon,range_m
            460-00-3-1,30.2703,120.1601,100
            # catalog/areas/mall.geojson
            {"type": "Polygon", "coordinates": [[[120.158, 30.269], [120.162, 30.269],
              [120.162, 30.272], [120.158, 30.272]]]}
            # catalog/places.yaml
            mall: {name: 购物中心, area: areas/mall.geojson}
            """,
        good="""
            # catalog/cells.csv
            cell,lat,lon,range_m
            460-00-3-1,30.2703,120.1601,100
            # catalog/areas/mall.geojson
            {"type": "Polygon", "coordinates": [[[120.158, 30.269], [120.162, 30.269],
              [120.162, 30.272], [120.158, 30.272], [120.158, 30.269]]]}
            # catalog/places.yaml
            campus-north: {name: 北校区, area: areas/mall.geojson}
            campus-south: {name: 南校区, area: areas/mall.geojson}
            mall: {name: 购物中心, area: areas/mall.geojson}
            """,
        advice="""
            An area is GeoJSON (RFC 7946): a Polygon or MultiPolygon, a Feature with one, or a collection of
            such of which `feature` names one by its `id` or `name`. Positions are [longitude, latitude] of
            WGS84, rings end where they begin. Most map programs export this. An area that crosses itself is
            mended, which is a warning: look at the map.
            """,
    ),
    Check(
        code="R703",
        meaning="a place on the map in which no cell is",
        bad="""
            # catalog/cells.csv
            cell,lat,lon,range_m
            460-00-3-1,30.2703,120.1601,800
            # catalog/places.yaml
            mall: {name: 购物中心, circle: {lat: 30.2703, lon: 120.1601, radius: 300m}, mode: strict}
            """,
        good="""
            # catalog/cells.csv
            cell,lat,lon,range_m
            460-00-1-1,30.2501,120.1502,400
            460-00-1-2,30.2501,120.1502,400
            460-00-2-1,30.2608,120.1403,400
            460-00-2-2,30.2608,120.1403,400
            460-00-3-1,30.2703,120.1601,200
            # catalog/places.yaml
            mall: {name: 购物中心, circle: {lat: 30.2703, lon: 120.1601, radius: 300m}, mode: strict}
            """,
        advice="""
            Nobody is ever seen in such a place, so its rules never fire. `mode: strict` takes only cells
            whose whole coverage lies inside: a place must be wider than its cells for that. Take `mode:
            loose`, draw the place larger, or name its cells under `cells` beside the area.
            """,
        level="warning",
    ),
)
_NAMED: Final = 3


def check_has_cells(report: Report, key: Scalar, sketch: Sketch) -> None:
    """R703: a drawn place without a cell; the nearest are named."""
    near = sorted(sketch.fits, key=lambda fit: (-fit.common / fit.covers, fit.cell.cell))[:_NAMED]
    near = [fit for fit in near if fit.common]
    if not near:
        said = "no cell covers any of this place: nobody is ever seen in it"
        report.warn("R703", key, said, "is it where it should be? `touchpoint places check --map map.html`")
        return
    names = ", ".join(f"`{fit.cell.cell}` ({fit.common / fit.covers:.0%} inside)" for fit in near)
    said = f"no cell is in this place by `mode: {sketch.mode}`: nobody is ever seen in it"
    report.warn("R703", key, said, f"it covers {write_area(sketch.area.square)}; nearest are {names}")
