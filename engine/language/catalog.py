"""catalog/*.yaml to `Catalog`: what rules may name.

`fields.yaml` (subscriber fields), `places.yaml` (places as lists of cells, written out or in a CSV file
beside it, or drawn on the map, see `engine.language.geometry`; and groups of places), `products.yaml`,
`numbers.yaml` (lists of phone numbers and of their beginnings). A file that is not there is empty.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar, get_args

from engine.language import words
from engine.language.cells_table import CELL
from engine.language.checks import shape
from engine.language.checks.duplicates import listed_twice
from engine.language.geometry import DRAWN, Geography
from engine.language.lengths import is_distance, metres
from engine.language.model import HOUR, Catalog, FieldSpec, FieldType, Place, Product
from engine.language.report import Report
from engine.language.source import Mapping as MappingNode
from engine.language.source import Node, Scalar
from engine.language.suggest import closest
from engine.numbers import normalise

FOLDER: Final = "catalog/"
FILES: Final = ("fields", "places", "products", "numbers")

FIELD_TYPES: Final = tuple(kind for kind in get_args(FieldType) if kind not in ("phone", "place"))
FIELD: Final = ((), ("type", "values", "say"))
PRODUCT: Final = (("name", "price"), ("reply",))
PLACE: Final = (
    ("name",),
    ("cells", "area", "circle", "mode", "without", "leave_after", "leave_sightings", "buffer"),
)
"""An entry of each file: keys that must be there, keys that may. Of a place one of `COVERED` must."""
COVERED: Final = ("cells", *DRAWN)
LEAVE_AFTER_MOST: Final = HOUR
LEAVE_SIGHTINGS_MOST: Final = 100
_RESERVED: Final = ("subscriber", "msisdn", "consent")
GROUPS: Final = "groups"
"""The key of places.yaml that is no place but the groups of places."""
PREFIX: Final = "*"
"""Ends the beginning of a number in a list."""
_ODD_PREFIX = re.compile(r"\^?(\+?[0-9]{1,20})(?:[xX?%*.#…_-]+|\.\*\$?|\*+)?")
_NAME = re.compile(r"[^\s{}\[\],:#\x00-\x1f]{1,64}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Names:
    """The catalogue as rules see it.

    `unreadable` holds the files that are no YAML: nothing is said about names that might be in there.
    """

    catalog: Catalog
    unreadable: frozenset[str] = frozenset()
    home_cc: str = "86"
    geography: Geography | None = None
    """Where cells are and what places look like on the map; of names that were read from files."""


def read_catalog(
    reports: Mapping[str, Report],
    lists: Mapping[str, str],
    home_cc: str = "86",
    geography: Geography | None = None,
) -> Names:
    """Read the files of the catalogue. `reports`: by name; `lists`: CSV texts by path below catalog/."""
    geography = geography or Geography(lists, {})
    fields = _entries(reports.get("fields"), _field)
    lists_of = _entries(reports.get("numbers"), partial(_numbers, home_cc=home_cc))
    numbers = {name: whole for name, (whole, _) in lists_of.items()}
    prefixes = {name: begin for name, (_, begin) in lists_of.items() if begin}
    products = _entries(reports.get("products"), _product)
    places: dict[str, Place] = {}
    groups: dict[str, tuple[str, ...]] = {}
    report = reports.get("places")
    if report is not None:
        places = _entries(report, partial(_place, lists=lists, geography=geography), reserved=GROUPS)
        root = report.source.root
        if isinstance(root, MappingNode):
            groups = _groups(report, root.get(GROUPS), places)
    unreadable = frozenset(
        name
        for name, each in reports.items()
        if each.failed and (each.source.broken or not isinstance(each.source.root, MappingNode))
    )
    catalog = Catalog(fields, places, groups, numbers, products=products, prefixes=prefixes)
    return Names(catalog, unreadable, home_cc, geography)


def _entries(
    report: Report | None, reader: Callable[[Report, Scalar, Node], T], reserved: str = ""
) -> dict[str, T]:
    """Read a file of `name: entry` lines. A broken entry is kept, so that rules may name it."""
    if report is None or report.source.root is None:
        return {}
    root = shape.mapping(report, report.source.root, "a name on each line, with what it stands for")
    if root is None:
        return {}
    found = {}
    for key, node in root:
        if key.text == reserved:
            continue
        check_name(report, key)
        found[key.text] = reader(report, key, node)
    return found


def check_name(report: Report, key: Scalar) -> None:
    """Report a name that could not be written in a rule."""
    if _NAME.fullmatch(key.text) is None:
        report.error(
            "R108", key, "expected a name of up to 64 characters, without spaces, `,`, `:` or brackets"
        )


def _field(report: Report, key: Scalar, node: Node) -> FieldSpec:
    if key.text.partition(".")[0] in _RESERVED:
        report.error("R108", key, f"`{key.text}` can't be a field: profiles use this name themselves")
    body = shape.mapping(report, node, "`{type: …}` or `{values: […]}`")
    if body is None:
        return FieldSpec(key.text, "text")
    shape.keys(report, body, key, f"`{key.text}`", *FIELD)
    say = shape.text(report, body.get("say"), "a description")
    kind = shape.choice(report, body.get("type"), FIELD_TYPES)
    if "values" in body.entries:
        if kind not in (None, "text"):
            report.error("R108", body.entries["type"][0], "a field with `values` holds text", "delete `type`")
        values = _distinct(report, shape.sequence(report, body.get("values"), "values"), "a value")
        return FieldSpec(key.text, "text", values, say)
    if kind is None:
        if "type" not in body.entries:
            report.error("R102", key, f"`type` or `values` is missing from `{key.text}`")
        return FieldSpec(key.text, "text", (), say)
    return FieldSpec(key.text, _as_field_type(kind), (), say)


def _as_field_type(kind: str) -> FieldType:
    for known in get_args(FieldType):
        if known == kind:
            typed: FieldType = known
            return typed
    raise AssertionError(kind)


def _distinct(report: Report, nodes: list[Node], what: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for node in nodes:
        text = shape.text(report, node, what)
        if text in found:
            listed_twice(report, node, text)
        elif text:
            found[text] = None
    return tuple(found)


def _product(report: Report, key: Scalar, node: Node) -> Product:
    body = shape.mapping(report, node, "`{name: …, price: …, reply: …}`")
    if body is None:
        return Product(key.text, key.text, 0.0, "")
    shape.keys(report, body, key, f"`{key.text}`", *PRODUCT)
    none: int | float = 0
    price = shape.value(
        report, body.get("price"), "a price", lambda text: words.amount(text, "money"), none, code="R209"
    )
    if price < 0:
        report.error("R108", body.entries["price"][1], "a price is not below 0")
    reply = body.get("reply")
    return Product(
        key.text,
        shape.text(report, body.get("name"), "the name that customers see"),
        float(price),
        shape.text(report, reply, "the code that customers reply with") if reply is not None else "",
    )


def _numbers(
    report: Report, key: Scalar, node: Node, home_cc: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the numbers of a list, and the beginnings (`955*`) in it."""
    if words.is_phone(normalise(key.text, home_cc)):
        report.error("R108", key, f"`{key.text}` can't name a list: it is a number itself")
    whole: dict[str, None] = {}
    begin: dict[str, None] = {}
    for item in shape.sequence(report, node, "phone numbers"):
        text = shape.text(report, item, "a phone number")
        found = begin if text.endswith(PREFIX) else whole
        digits = normalise(text.removesuffix(PREFIX), home_cc)
        if text and not words.is_phone(digits):
            said = f"expected a phone number, or the beginning of one such as `955*`, was `{text}`"
            report.error("R108", item, said, _without_marks(text))
        elif digits in found:
            listed_twice(report, item, text)
        elif digits:
            found[digits] = None
    return tuple(whole), tuple(begin)


def _without_marks(text: str) -> str:
    """Hint at the one form of a beginning: other languages write `955x`, `955%`, `955.*`, `^955`."""
    digits = _ODD_PREFIX.fullmatch(text)
    return f"did you mean `{digits[1]}{PREFIX}`?" if digits is not None else ""


def _place(report: Report, key: Scalar, node: Node, lists: Mapping[str, str], geography: Geography) -> Place:
    body = shape.mapping(report, node, "`{name: …, cells: …}`")
    if body is None:
        return Place(key.text, key.text, ())
    shape.keys(report, body, key, f"`{key.text}`", *_place_keys(body))
    name = shape.text(report, body.get("name"), "the name that people see")
    written = _cells(report, body.get("cells"), lists, geography)
    drawn = geography.cells(report, key, body)
    without = _cells(report, body.get("without"), lists, geography)
    cells = dict.fromkeys((*written, *drawn))
    for cell in without:
        if cells.pop(cell, cell) is not None and not report.failed:
            said = f"`{cell}` is no cell of this place, so there is nothing to take off"
            report.warn("R108", body.entries["without"][1], said)
    around = _buffer(report, key, body, tuple(cells), lists, geography)
    return Place(key.text, name, tuple(cells), *leaving(report, body), around)


def _place_keys(body: MappingNode) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the keys that must be there and those that may: `cells`, unless the place is drawn."""
    required, optional = PLACE
    if any(closest(key, COVERED) in DRAWN for key in body.entries if key not in ("name", "cells")):
        return required, optional  # drawn, perhaps by a key with a slip
    return (*required, "cells"), tuple(each for each in optional if each != "cells")


def _cells(
    report: Report, node: Node | None, lists: Mapping[str, str], geography: Geography
) -> tuple[str, ...]:
    """Read cells: a list, or the name of a CSV file."""
    if node is None:
        return ()
    if isinstance(node, Scalar):
        geography.listed.add(node.text)
        return _cells_of_file(report, node, lists)
    members = shape.sequence(report, node, "cells")
    for item in members:
        if isinstance(item, Scalar) and item.text and CELL.fullmatch(item.text) is None:
            report.warn("R108", item, f"`{item.text}` does not look like a cell: `460-00-4301-101`")
    return _distinct(report, members, "a cell")


def leaving(report: Report, body: MappingNode) -> tuple[int, int]:
    """Read when a visit in doubt ends: after how many µs, at how many sightings outside; 0: not given."""
    after = sightings = 0
    node = body.get("leave_after")
    if node is not None:
        after = shape.duration(report, node, most=LEAVE_AFTER_MOST)
        if after > LEAVE_AFTER_MOST:
            most = words.write_duration(LEAVE_AFTER_MOST)
            report.error("R108", node, f"expected at most {most}: later nobody knows where they are")
            after = 0
    node = body.get("leave_sightings")
    if node is not None:
        sightings = shape.integer(report, node, 2, LEAVE_SIGHTINGS_MOST)
    return after, sightings


def _buffer(
    report: Report,
    key: Scalar,
    body: MappingNode,
    cells: tuple[str, ...],
    lists: Mapping[str, str],
    geography: Geography,
) -> tuple[str, ...]:
    """Read the cells around a place, or find those within a distance; the place's own are no buffer."""
    node = body.get("buffer")
    if isinstance(node, Scalar) and is_distance(node.text):
        length = shape.value(report, node, "a distance", metres, 0.0)
        return geography.ring(report, node, key.text, cells, length) if length else ()
    found = _cells(report, node, lists, geography)
    own = set(cells)
    both = [cell for cell in found if cell in own]
    if both:
        assert node is not None
        report.warn("R108", node, f"`{both[0]}` is a cell of the place itself: in the buffer it does nothing")
    return tuple(cell for cell in found if cell not in own)


def _cells_of_file(report: Report, node: Scalar, lists: Mapping[str, str]) -> tuple[str, ...]:
    """Read a CSV file with a column `cell`. Other columns are for people."""
    text = lists.get(node.text)
    if text is None:
        report.unknown("R005", node, f"no file `{FOLDER}{node.text}`", node.text, sorted(lists))
        return ()
    lines = text.removeprefix("\ufeff").splitlines()
    header = [column.strip() for column in lines[0].split(",")] if lines else []
    if "cell" not in header:
        report.error(
            "R108", node, f"`{node.text}` has no column `cell`; its first line must name the columns"
        )
        return ()
    column = header.index("cell")
    found: dict[str, None] = {}
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        row = [value.strip() for value in line.split(",")]
        cell = row[column] if column < len(row) else ""
        if CELL.fullmatch(cell) is None:
            report.warn("R108", node, f"`{node.text}` line {number}: `{cell}` does not look like a cell")
        if cell:
            found[cell] = None
    if not found:
        report.error("R108", node, f"`{node.text}` lists no cells")
    return tuple(found)


def _groups(report: Report, node: Node | None, places: Mapping[str, Place]) -> dict[str, tuple[str, ...]]:
    if node is None:
        return {}
    body = shape.mapping(report, node, "a name on each line, with the places of the group")
    if body is None:
        return {}
    groups: dict[str, tuple[str, ...]] = {}
    for key, members in body:
        check_name(report, key)
        if key.text in places:
            report.error("R002", key, f"`{key.text}` is a place already")
        items = shape.sequence(report, members, "places")
        for item in items:
            if report.source.broken:  # the place may be in a section that could not be read
                continue
            if isinstance(item, Scalar) and item.text and item.text not in places:
                report.unknown("R204", item, f"no place `{item.text}` in the catalogue", item.text, places)
        groups[key.text] = tuple(name for name in _distinct(report, items, "a place") if name in places)
    return groups
