"""Write the second half of `docs/doors/maps.md`: a table for each column map that ships.

    python -m tools.maps_page

A test holds the committed page against `page()`, and the words that it explains against the models.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from connectors.column_map import ColumnMap, load_map, map_names, name_and_meaning
from connectors.column_spec import ColumnSpec, KindSpec

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "doors" / "maps.md"

MARK: Final = "<!-- generated from here on: python -m tools.maps_page -->\n"
"""What stands before it is written by hand."""
HEAD: Final = """
| map | what it reads | separator | time | cells |
|---|---|---|---|---|
"""


def page() -> str:
    """Return the whole page: its text as it is, then the tables."""
    written = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
    maps = [load_map(name) for name in map_names()]
    lines = [
        f"| [`{each.map}`](#{each.map}) | {each.say} | {_separator(each)} | {_times(each)} | {_cells(each)} |"
        for each in maps
    ]
    return written + MARK + HEAD + "\n".join(lines) + "\n" + "".join(_section(each) for each in maps)


def _section(columns: ColumnMap) -> str:
    uses = _uses(columns)
    rows = [
        f"| {column} | {name} | {meaning} | {'<br>'.join(uses.get(column, ()))} |"
        for column in sorted({*uses, *columns.id})
        for name, meaning in [name_and_meaning(columns.layout[column])]
    ]
    others = [
        f"`{name}` = {' or '.join(_made(way) for way in ways)}"
        for name, ways in columns.ways()
        if any(way.column is None for way in ways)
    ]
    key = ", ".join(map(str, columns.id)) or "the whole line"
    head = f"Source `{columns.source}`, {_separator(columns)}, {_width(columns)}, natural key {key}."
    table = "\n".join(["| column | name | what stands in it | becomes |", "|---|---|---|---|", *rows])
    return f"\n### {columns.map}\n{columns.say}. {head}\n\n{table}\n\nBesides: {'; '.join(others)}.\n"


def _width(columns: ColumnMap) -> str:
    at_least, at_most = columns.columns.at_least, columns.columns.at_most
    if at_most is None:
        return f"{at_least} columns or more"
    return f"{at_most} columns" if at_most == at_least else f"{at_least} to {at_most} columns"


def _uses(columns: ColumnMap) -> dict[int, list[str]]:
    """Say for each column what is made of it."""
    uses: dict[int, list[str]] = {}
    if isinstance(columns.kind, KindSpec):
        _kinds(columns.kind, uses)
    for name, ways in columns.ways():
        for way in ways:
            if way.column is not None:
                uses.setdefault(way.column, []).append(f"`{name}`{_how(way)}")
    for name, watch in columns.watch.items():
        uses.setdefault(watch.column, []).append(f"watched as `{name}`: {watch.digits} digits")
    return uses


def _kinds(spec: KindSpec, uses: dict[int, list[str]]) -> None:
    texts: dict[str, list[str]] = {}
    for text, value in spec.values.items():
        if isinstance(value, str):
            texts.setdefault(value, []).append(text)
        else:
            texts.setdefault(f"see column {value.column}", []).append(text)
            _kinds(value, uses)
    listed = ", ".join(f"{' '.join(found)} {kind}" for kind, found in texts.items())
    other = "others skipped" if spec.otherwise == "skip" else "others refused"
    uses.setdefault(spec.column, []).insert(0, f"`kind`: {listed}; {other}")


def _how(way: ColumnSpec) -> str:
    """Say how a column is read."""
    parts = [way.format or ("" if way.type == "text" else way.type)]
    parts += [f"characters {way.slice}"] if way.slice else []
    parts += [f"until `{way.until}`"] if way.until else []
    parts += [f"divided by {way.divide}"] if way.divide else []
    if way.values:
        parts.append(", ".join(f"{text} {value}" for text, value in way.values.items()))
    parts += [f"not {' '.join(f'`{text}`' for text in way.empty)}"] if way.empty else []
    parts += [_when(way)] if way.when else []
    said = ", ".join(part for part in parts if part)
    return f": {said}" if said else ""


def _when(way: ColumnSpec) -> str:
    assert way.when is not None
    return f"where column {way.when.column} is {' or '.join(way.when.texts)}"


def _made(way: ColumnSpec) -> str:
    when = f" {_when(way)}" if way.when else ""
    if way.constant is not None:
        return f"`{way.constant}`{when}"
    if way.template is not None:
        return f"`{way.template}`{when}"
    if way.sum is not None:
        return f"`{' + '.join(name if by == 1 else f'{by} {name}' for name, by in way.sum.items())}`{when}"
    return f"column {way.column}{when}"


def _separator(columns: ColumnMap) -> str:
    named = {"|": "`\\|`", "\t": "tab", "\x01": "`\\1`", ",": "comma"}
    return named.get(columns.separator, f"`{columns.separator}`")


def _times(columns: ColumnMap) -> str:
    formats = [way.format for _, ways in columns.ways() for way in ways if way.format]
    return ", ".join(f"`{found}`" for found in dict.fromkeys(formats))


def _cells(columns: ColumnMap) -> str:
    names = {slot for way in columns.fields.get("cell", ()) for slot in way.slots}
    found = [way for name, ways in columns.ways() if name in names for way in ways]
    if any(way.sum is not None for way in found):
        return "eNodeB and sector"
    return "hexadecimal" if any(way.type == "hex" for way in found) else "decimal"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
