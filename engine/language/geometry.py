"""Places on the map to lists of cells: `area`, `circle`, `mode` of places.yaml against the cells table.

Everything is compiled while a set is loaded: what runs knows cells only. A published set carries what came
out (`Geography.compiled`) in place of the table and the areas it came from (`sources`), so engines need
neither, every machine has the same cells, and a new table changes the rules in force only where it changes a
place. Shapely is imported at the first area, and not at all for a set without one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final, Literal, get_args

from engine.language import words
from engine.language.cells_table import TABLE, TELLING, TableFile, is_table, join, read_file
from engine.language.checks import shape
from engine.language.geojson import BadArea, Polygons, choose, features_of, polygons_of
from engine.language.lengths import metres
from engine.language.problems import Problem
from engine.language.report import Report
from engine.language.source import Mapping as MappingNode
from engine.language.source import Node, Scalar, Source
from engine.language.suggest import closest

if TYPE_CHECKING:
    from engine.language.plane import Area, Fit, Sites

Mode = Literal["strict", "loose"]
MODES: Final = get_args(Mode)
USUAL: Final[Mode] = "loose"
AREA: Final = (("file",), ("feature",))
CIRCLE: Final = (("lat", "lon", "radius"), ())
DRAWN: Final = ("area", "circle")
"""Keys of a place that draw it."""
FOLDER: Final = "catalog/"
SUFFIX: Final = ".geojson"
COMPILED: Final = "catalog/places.compiled"
"""What a published set has in place of its sources; read_folder never reads such a file."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """A place on the map: what was drawn, and how the cells around lie to it."""

    by: str
    """`area` or `circle`."""
    mode: Mode
    area: Area
    fits: tuple[Fit, ...]
    """Of the cells that may cover some of it."""
    chosen: tuple[str, ...]


class Geography:
    """The cells table and the areas of one catalogue, and what the places came to.

    `lists`: CSV files, `areas`: GeoJSON files, both by path below catalog/; `compiled`: of a published set
    what its places came to, which then stands for all of these.
    """

    def __init__(
        self,
        lists: Mapping[str, str],
        areas: Mapping[str, str],
        compiled: str | None = None,
        ignore: Iterable[str] = (),
    ) -> None:
        self._areas = areas
        self._ignore = frozenset(ignore)
        self._given = None if compiled is None else _parse(compiled)
        self._has_list = TABLE in lists
        """There is a file of the table's name; what is in it may be no more than a list of cells."""
        self._texts = {name: text for name, text in lists.items() if is_table(name, text)}
        self.files: list[TableFile] = [
            read_file(FOLDER + name, text) for name, text in self._texts.items() if compiled is None
        ]
        self.reports: dict[str, Report] = {}
        """Of the files read here, by path."""
        self.table, twice = join(self.files)
        for problem in (*(one for file in self.files for one in file.problems), *twice):
            self._report(problem.path).add(problem)
        self.sketches: dict[str, Sketch] = {}
        """By key of the place."""
        self.listed: set[str] = set()
        """CSV files that a place takes its list from: they decide as they stand."""
        self._cells: dict[str, tuple[str, ...]] = {}
        self._rings: dict[tuple[str, str], tuple[str, ...]] = {}

    @property
    def sources(self) -> frozenset[str]:
        """Paths of files that places were compiled from: a published set does without them."""
        names = {*self._texts, *self._areas} - self.listed
        return frozenset(FOLDER + name for name in names)

    @property
    def compiled(self) -> str:
        """What the places came to, as text: a line for each; empty if none was drawn."""
        lines = [" ".join(("area", key, *cells)) for key, cells in sorted(self._cells.items())]
        lines += [" ".join(("ring", *of, *cells)) for of, cells in sorted(self._rings.items())]
        return "".join(f"{line}\n" for line in lines)

    def cells(self, report: Report, key: Scalar, body: MappingNode) -> tuple[str, ...]:
        """Return the cells of what is drawn in an entry of places.yaml, in order; none after a report."""
        mode = _mode(report, body)
        drawn = [name for name in body.entries if name in DRAWN]
        if len(drawn) > 1:
            said = "a place has one of `area` and `circle`"
            report.error("R108", body.entries[drawn[1]][0], said, "make two places and a group of them")
        if not drawn:
            slip = any(closest(each, DRAWN) for each in body.entries)
            if "mode" in body.entries and not slip:
                said = "`mode` says how cells are chosen for an `area` or a `circle`, and there is none"
                report.error("R108", body.entries["mode"][0], said, "delete it")
            return ()
        owner, node = body.entries[drawn[0]]
        read = self._area if drawn[0] == "area" else self._circle
        area = read(report, owner, node, key.text)
        if self._given is not None:
            self._cells[key.text] = self._given.get(("area", key.text), ())
        elif area is not None and self._has_table(report, owner):
            self._cells[key.text] = self._choose(key.text, drawn[0], mode, area())
        return self._cells.get(key.text, ())

    def ring(
        self, report: Report, node: Node, key: str, cells: Iterable[str], length: float
    ) -> tuple[str, ...]:
        """Return the cells around a place: not of it, and their site at most so many metres from it.

        That is from its area, if it has one, and from the sites of its `cells`. `node` is marked if that
        can't be told. In order of their names.
        """
        name = f"{length:g}"
        if self._given is not None:
            found = self._given.get(("ring", key, name), ())
        elif not self._has_table(report, node):
            return ()
        else:
            inside = frozenset(cells)
            near = set(self.table.ring(inside, length))
            if key in self.sketches:
                from engine.language import plane

                near.update(each.cell for each in plane.within(self.sketches[key].area, self._sites, length))
            found = tuple(sorted(near - inside))
        self._rings[key, name] = found
        return found

    @cached_property
    def _sites(self) -> Sites:
        from engine.language import plane

        return plane.Sites(self.table)

    def _choose(self, key: str, by: str, mode: Mode, area: Area) -> tuple[str, ...]:
        from engine.language import plane

        near = [self._sites.cells[int(number)] for number in self._sites.around(area)]
        fits = tuple(plane.fits(area, near))
        chosen = tuple(sorted(fit.cell.cell for fit in fits if fit.belongs(mode, area.square)))
        self.sketches[key] = Sketch(by, mode, area, fits, chosen)
        return chosen

    def _has_table(self, report: Report, where: Node) -> bool:
        if not self.files:
            said = f"there is no file `{FOLDER}{TABLE}`, which says where cells are"
            if self._has_list:
                named = ", ".join(f"`{name}`" for name in TELLING)
                said = f"`{FOLDER}{TABLE}` does not say where cells are: its first line names none of {named}"
            report.error("R005", where, said, "its columns: `cell`, `lat`, `lon`, `range_m`")
        return bool(self.files)

    def _circle(self, report: Report, owner: Scalar, node: Node, _key: str) -> Callable[[], Area] | None:
        body = shape.mapping(report, node, "`{lat: …, lon: …, radius: 300m}`")
        if body is None:
            return None
        shape.keys(report, body, owner, "`circle`", *CIRCLE)
        north = shape.value(report, body.get("lat"), "a latitude", _degrees(90), None, "R108")
        east = shape.value(report, body.get("lon"), "a longitude", _degrees(180), None, "R108")
        radius = shape.value(report, body.get("radius"), "a distance", metres, 0.0)
        if north is None or east is None or not radius:
            return None

        def draw() -> Area:
            from engine.language import plane

            return plane.circle_of(north, east, radius)

        return draw

    def _area(self, report: Report, owner: Scalar, node: Node, key: str) -> Callable[[], Area] | None:
        file, feature, chosen = node, "", None
        if isinstance(node, MappingNode):
            shape.keys(report, node, owner, "`area`", *AREA)
            chosen = node.get("feature")
            feature = shape.text(report, chosen, "the id or name of a feature") if chosen else ""
            file = node.get("file") or node
            if file is node:
                return None
        name = shape.text(report, file, f"a {SUFFIX} file below {FOLDER}")
        if not name or self._given is not None:
            return None
        text = self._areas.get(name)
        if text is None:
            ends = "" if name.endswith(SUFFIX) else f"a file of an area ends in `{SUFFIX}`"
            if ends:
                report.error("R005", file, f"no file `{FOLDER}{name}` of an area", ends)
            else:
                report.unknown("R005", file, f"no file `{FOLDER}{name}`", name, sorted(self._areas))
            return None
        about = file
        try:
            features = features_of(text)
            about = chosen or file
            found = choose(features, feature, key)
            about = file
            polygons = polygons_of(found)
        except BadArea as bad:
            self._tell(report, about, name, text, bad)
            return None
        area = _drawn(polygons)
        if area.shape.is_empty:
            report.error("R702", file, f"`{name}`: this area is flat: nothing lies inside")
            return None
        if area.mended:
            said = f"`{name}`: the area is not valid as drawn ({area.mended.lower()}); it was mended"
            report.warn("R702", file, said, "look at the map: `touchpoint places check --map map.html`")
        return lambda: area

    def _tell(self, report: Report, node: Node, name: str, text: str, bad: BadArea) -> None:
        if not bad.line:
            report.error("R702", node, f"`{name}`: {bad.message}", bad.hint)
            return
        lines = text.removeprefix("\ufeff").splitlines()
        source = lines[bad.line - 1] if bad.line <= len(lines) else ""
        path = FOLDER + name
        problem = Problem(path, bad.line, bad.col, bad.col, "R702", bad.message, bad.hint, "error", source)
        if problem not in self._report(path).problems:
            self._report(path).add(problem)

    def _report(self, path: str) -> Report:
        if path not in self.reports:
            self.reports[path] = Report(Source(path, "", None), self._ignore)
        return self.reports[path]


@lru_cache(maxsize=512)
def _drawn(polygons: Polygons) -> Area:
    """Lay polygons on a map; cached, because a reload mostly finds the areas it had."""
    from engine.language import plane

    return plane.area_of(polygons)


def _mode(report: Report, body: MappingNode) -> Mode:
    written = shape.choice(report, body.get("mode"), MODES)
    return "strict" if written == "strict" else USUAL


def _degrees(most: int) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not -most <= value <= most or "_" in text:
            raise words.Unreadable(f"expected degrees from -{most} to {most}, was `{text}`")
        return value

    return read


def _parse(text: str) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Read what `compiled` wrote: (`area`, place) or (`ring`, place, metres) -> cells."""
    found = {}
    for line in text.splitlines():
        parts = line.split(" ")
        names = 3 if parts[0] == "ring" else 2
        found[tuple(parts[:names])] = tuple(parts[names:])
    return found
