"""Pictures of places as SVG: what cells cover, areas, names, a scale bar. Nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from math import cos, hypot, radians, sin
from typing import Final

from engine.cells import Cell
from engine.language.lengths import write_metres
from engine.place_map.facts import Facts, PlaceFacts
from engine.place_map.regions import clusters
from engine.place_map.view import Box, View, box_of, frame, join

COLOURS: Final = 8
"""Places further on take the first colour again; their names tell them apart."""
STYLE: Final = """
svg.map{background:var(--ground);border:1px solid var(--line);border-radius:.4rem;width:100%;
height:auto}
.map{--ground:#f7f8f5;--other:#a3abb8;--text:#1c2330;--line:#d9dee8;--halo:#fff;
--c0:#1f6fd1;--c1:#c8501e;--c2:#16805a;--c3:#a0359b;--c4:#9a6b00;--c5:#0b7f8c;--c6:#c2273f;--c7:#5b53c4}
@media (prefers-color-scheme:dark){.map{--ground:#171c24;--other:#566072;--text:#e6eaf2;--line:#343c4a;
--halo:#12161d;--c0:#6ea8ff;--c1:#ff9a66;--c2:#4fc997;--c3:#e08bdc;--c4:#e0b04a;--c5:#4cc7d3;--c6:#ff7f90;
--c7:#a9a2ff}}
@media print{.map{--ground:#fff;--other:#999;--text:#000;--line:#999;--halo:#fff;--c0:#1f6fd1;--c1:#c8501e;
--c2:#16805a;--c3:#a0359b;--c4:#9a6b00;--c5:#0b7f8c;--c6:#c2273f;--c7:#5b53c4}}
.map .c0{--c:var(--c0)}.map .c1{--c:var(--c1)}.map .c2{--c:var(--c2)}.map .c3{--c:var(--c3)}
.map .c4{--c:var(--c4)}.map .c5{--c:var(--c5)}.map .c6{--c:var(--c6)}.map .c7{--c:var(--c7)}
.map .area{fill:var(--c);fill-opacity:.1;stroke:var(--c);stroke-width:2;
stroke-linejoin:round;fill-rule:evenodd}
.map .thin{fill:none;stroke:var(--c);stroke-width:1;stroke-dasharray:5 3;fill-rule:evenodd}
.map .reach{fill:var(--c);fill-opacity:.09;stroke:var(--c);stroke-opacity:.55;stroke-width:.8}
.map .beside{fill:none;stroke:var(--other);stroke-width:1;stroke-dasharray:3 3}
.map .cell{fill:var(--c);stroke:var(--halo);stroke-width:1}
.map .others{fill:none;stroke:var(--other);stroke-width:3;stroke-linecap:round}
.map .reach:hover,.map .cell:hover{fill-opacity:.35;stroke-opacity:1}
.map text{font:12px system-ui,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;fill:var(--text)}
.map .name{font-weight:600;paint-order:stroke;stroke:var(--halo);stroke-width:3px;stroke-linejoin:round}
.map .bar{stroke:var(--text);stroke-width:1.5;fill:none}
"""
"""For the page and for a picture that stands alone."""

_DOTS: Final = 20_000
"""Cells of no place that the overview shows as dots."""
_DOTS_CLOSE: Final = 2_000
_IN_FULL: Final = 3_000
"""Cells of places that the overview shows with what they cover."""
_FULL_CLOSE: Final = 400
_REGIONS: Final = 12
"""Pictures of an overview, beside the first, at most."""
CLOSE: Final = 520.0
"""Width of the smaller pictures."""
_LINE: Final = 16.0


def colour(number: int) -> str:
    """Return the class of the colour of the place with this number."""
    return f"c{number % COLOURS}"


class Pictures:
    """Draws the places of a set."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.boxes = [box_around(place) for place in facts.places]
        self.places_of: dict[str, list[PlaceFacts]] = {}
        """Cell -> the places it is of."""
        self.shares: dict[tuple[str, str], str] = {}
        """(place, cell) -> how much of the cell lies in it."""
        for place in facts.places:
            for name in place.cells:
                self.places_of.setdefault(name, []).append(place)
            for fit in place.sketch.fits if place.sketch is not None else ():
                self.shares[place.key, fit.cell.cell] = f"{fit.common / fit.covers:.0%} inside {place.key}"

    def regions(self, width: float = 1100, *, legend: bool = False, alone: bool = False) -> list[str]:
        """Draw all places, those far from the others in a picture of their own; the largest first.

        `legend`: inside the picture; `alone`: with its style, as a file of its own. Empty if no place is on
        the map.
        """
        # what lies where: a cell of a place, or the middle of an area
        spots: list[tuple[int, Cell | Box]] = []
        for number, place in enumerate(self.facts.places):
            spots += [(number, cell) for cell in place.placed]
            box = box_of(point for ring in _rings(place) for point in ring)
            spots += [(number, box)] if box is not None else []
        found = clusters([_middle(spot) for _, spot in spots])
        return [
            self._region([spots[number] for number in numbers], width if first else CLOSE, legend, alone)
            for first, numbers in zip([True] + [False] * _REGIONS, found, strict=False)
        ]

    def _region(
        self, spots: Sequence[tuple[int, Cell | Box]], width: float, legend: bool, alone: bool
    ) -> str:
        cells = [spot for _, spot in spots if isinstance(spot, Cell)]
        boxes = [spot for _, spot in spots if not isinstance(spot, Cell)]
        whole = join(box for box in (*boxes, box_of((), cells)) if box is not None)
        assert whole is not None
        view = frame(whole, width, 320, 760)
        here = dict.fromkeys(number for number, _ in spots)
        drawn = [(number, self.facts.places[number]) for number in sorted(here)]
        others = [cell for cell in self.facts.table.cells.values() if cell.cell not in self.places_of]
        parts = [_dots(view, others, _DOTS)]
        shown = [(number, _in_view(view, place.placed)) for number, place in drawn]
        left = _IN_FULL
        for number, mine in shown:
            marks = [reach_mark(view, cell, self._title(cell)) for cell in mine[: max(left, 0)]]
            left -= len(mine)
            parts.append(_group(number, marks))
        parts += [_group(number, _area(view, place, "area")) for number, place in drawn]
        for number, mine in shown:
            parts.append(_group(number, [self._dot(view, cell) for cell in mine]))
        parts += self._names(view, [number for number, _ in drawn])
        parts.append(_scale(view))
        if legend:
            parts.append(_legend(drawn, view))
        return _svg(view, f"Map of {', '.join(place.key for _, place in drawn[:8])}", parts, alone)

    def close_up(self, number: int, width: float = CLOSE) -> str:
        """Draw one place and what is around it; empty if it is not on the map."""
        place, box = self.facts.places[number], self.boxes[number]
        if box is None:
            return ""
        view = frame(box, width, 260, 420)
        mine = {cell.cell for cell in place.placed}
        fits = place.sketch.fits if place.sketch is not None else ()
        beside = [fit.cell for fit in fits if fit.common and fit.cell.cell not in mine]
        middle = (box[1] + box[3]) / 2, (box[0] + box[2]) / 2
        around = self.facts.table.near(*middle, hypot(view.width, view.height) * view.metres / 2)
        parts = [_dots(view, (cell for cell in around if cell.cell not in mine), _DOTS_CLOSE)]
        parts += [reach_mark(view, cell, self._title(cell, place), "beside") for cell in beside[:_FULL_CLOSE]]
        shown = _in_view(view, place.placed)
        marks = [reach_mark(view, cell, self._title(cell, place)) for cell in shown[:_FULL_CLOSE]]
        parts.append(_group(number, marks))
        for other, each in enumerate(self.facts.places):
            if other != number and self._meet(other, number):
                parts.append(_group(other, _area(view, each, "thin")))
        parts.append(_group(number, _area(view, place, "area")))
        parts.append(_group(number, [self._dot(view, cell) for cell in shown]))
        parts.append(_scale(view))
        return _svg(view, f"Map of {place.key}", parts, False)

    def _title(self, cell: Cell, of: PlaceFacts | None = None) -> str:
        """Say what a cell is, and how much of it lies in its places, or in the one asked for."""
        said = [cell.cell, f"reaches {write_metres(cell.range_m)}"]
        if cell.azimuth is not None:
            said[-1] += f" towards {cell.azimuth:g}°, {cell.beam:g}° wide"
        said += [each for each in (cell.rat, f"site {cell.site}" if cell.site else "") if each]
        for place in self.places_of.get(cell.cell, ()) if of is None else (of,):
            said.append(self.shares.get((place.key, cell.cell), f"of {place.key}"))
        return ", ".join(said)

    def _dot(self, view: View, cell: Cell) -> str:
        x, y = view.xy(cell.lat, cell.lon)
        title = escape(self._title(cell))
        return f'<circle class="cell" cx="{x:.1f}" cy="{y:.1f}" r="3.5"><title>{title}</title></circle>'

    def _names(self, view: View, numbers: Iterable[int]) -> Iterator[str]:
        """Write the names at the places, one below the other where they would meet."""
        taken: list[tuple[float, float, float]] = []
        for number in numbers:
            place, box = self.facts.places[number], self.boxes[number]
            if box is None or not view.shows(*_middle(box)):
                box = box_of((), _in_view(view, place.placed))  # the rest of the place is elsewhere
            if box is None:
                continue
            _, _, east, north = box
            x, y = view.xy(*_middle(box))
            high = view.xy(north, east)[1]
            if y - high < 4 * _LINE:  # a small place: its name would hide it
                y = max(high - 5, _LINE)
            wide = sum(12 if ord(char) > 0x2E7F else 7 for char in _called(place)) / 2
            x = min(max(x, wide + 4), view.width - wide - 4)
            while y < view.height - 8 and any(
                abs(y - other_y) < _LINE and abs(x - other_x) < wide + half
                for other_x, other_y, half in taken
            ):
                y += _LINE
            taken.append((x, y, wide))
            name = escape(_called(place))
            yield f'<text class="name" x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{name}</text>'

    def _meet(self, one: int, other: int) -> bool:
        first, second = self.boxes[one], self.boxes[other]
        if first is None or second is None:
            return False
        apart = ((first[0] + first[2] - second[0] - second[2]) / 2 + 180) % 360 - 180
        return (
            abs(apart) <= (first[2] - first[0] + second[2] - second[0]) / 2
            and first[1] <= second[3]
            and second[1] <= first[3]
        )


def box_around(place: PlaceFacts) -> Box | None:
    """Return the box around a place: what was drawn, and the cells near it or, without, near each other."""
    spots = [point for ring in _rings(place) for point in ring]
    cells = list(place.placed)
    drawn = [(lat, lon) for lon, lat in spots]
    groups = clusters([*drawn, *((cell.lat, cell.lon) for cell in cells)])
    mine = next((group for group in groups if not drawn or group[0] < len(drawn)), [])
    return box_of(spots, [cells[number - len(drawn)] for number in mine if number >= len(drawn)])


def _middle(spot: Cell | Box) -> tuple[float, float]:
    if isinstance(spot, Cell):
        return spot.lat, spot.lon
    return (spot[1] + spot[3]) / 2, (spot[0] + spot[2]) / 2


def reach_mark(view: View, cell: Cell, title: str, kind: str = "reach") -> str:
    """Draw what a cell covers: a circle, or a sector."""
    x, y = view.xy(cell.lat, cell.lon)
    r = view.points(cell.range_m)
    inner = f"<title>{escape(title)}</title>"
    if cell.azimuth is None:
        return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}">{inner}</circle>'
    ends = [radians(cell.azimuth + side * cell.beam / 2) for side in (-1, 1)]
    (ax, ay), (bx, by) = ((x + r * sin(turn), y - r * cos(turn)) for turn in ends)
    large = int(cell.beam > 180)
    path = f"M{x:.1f} {y:.1f}L{ax:.1f} {ay:.1f}A{r:.1f} {r:.1f} 0 {large} 1 {bx:.1f} {by:.1f}Z"
    return f'<path class="{kind}" d="{path}">{inner}</path>'


def _in_view(view: View, cells: Iterable[Cell]) -> list[Cell]:
    return [cell for cell in cells if view.shows(cell.lat, cell.lon)]


def _dots(view: View, cells: Iterable[Cell], most: int) -> str:
    """Draw cells of no interest as one path, a round dot each; of too many those in the middle."""
    spots = [view.xy(cell.lat, cell.lon) for cell in cells if view.shows(cell.lat, cell.lon)]
    if len(spots) > most:
        x, y = view.width / 2, view.height / 2
        spots = sorted(spots, key=lambda spot: (spot[0] - x) ** 2 + (spot[1] - y) ** 2)[:most]
    path = "".join(f"M{x:.0f} {y:.0f}h0" for x, y in dict.fromkeys((round(x), round(y)) for x, y in spots))
    return f'<path class="others" d="{path}"/>' if path else ""


def _rings(place: PlaceFacts) -> list[list[tuple[float, float]]]:
    """Return the rings of what was drawn, as (longitude, latitude)."""
    if place.sketch is None:
        return []
    return [ring for polygon in place.sketch.area.outline() for ring in polygon]


def _area(view: View, place: PlaceFacts, kind: str) -> Iterator[str]:
    rings = []
    for ring in _rings(place):
        points = [view.xy(lat, lon) for lon, lat in ring[:-1]]
        rings.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z")
    if rings:
        yield f'<path class="{kind}" d="{"".join(rings)}"><title>{escape(_called(place))}</title></path>'


def _called(place: PlaceFacts) -> str:
    return place.key if place.name == place.key else f"{place.key} {place.name}"


def _group(number: int, marks: Iterable[str]) -> str:
    inner = "".join(marks)
    return f'<g class="{colour(number)}">{inner}</g>' if inner else ""


def _scale(view: View) -> str:
    wide, label = view.bar()
    y = view.height - 14
    return (
        f'<path class="bar" d="M14 {y - 5:.0f}v5h{wide:.1f}v-5"/>'
        f'<text class="name" x="{20 + wide:.1f}" y="{y:.0f}">{label}</text>'
    )


def _legend(places: Sequence[tuple[int, PlaceFacts]], view: View) -> str:
    rows = [
        f'<g class="{colour(number)}"><circle class="cell" cx="18" cy="{14 + _LINE * line:.0f}" r="5"/>'
        f'<text class="name" x="30" y="{18 + _LINE * line:.0f}">{escape(_called(place))}: '
        f"{len(place.cells):,} cells</text></g>"
        for line, (number, place) in enumerate(places)
        if 18 + _LINE * line < view.height - 30
    ]
    return "".join(rows)


def _svg(view: View, label: str, parts: Iterable[str], alone: bool) -> str:
    name = ' xmlns="http://www.w3.org/2000/svg"' if alone else ""
    style = f"<style>{STYLE}</style>" if alone else ""
    wide, high = round(view.width), round(view.height)
    return (
        f'<svg{name} class="map" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" role="img" '
        f'aria-label="{escape(label)}">{style}{"".join(parts)}</svg>'
    )
