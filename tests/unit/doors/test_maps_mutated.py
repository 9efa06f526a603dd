"""Maps with anything in them: each is refused with its places, or reads any rows. Nothing raises else.

Search further: `TOUCHPOINT_EXAMPLES=20000 ./run test tests/unit/doors/test_maps_mutated.py`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.column_map import ColumnMap, read_map
from connectors.field_map import FieldMap, is_field_map, read_field_map
from connectors.map_check import MapCheck
from connectors.map_model import MAPS
from connectors.message_check import MessageCheck
from engine.errors import InputError
from engine.identity import Identity
from tests.house.pages import blocks

NOW = 1_788_750_000_000_000
TYPES = ("text", "int", "float", "bytes", "hex", "time", "host", "phone", "yes/no")
FORMATS = (
    "epoch s",
    "epoch ms",
    "epoch us",
    "iso",
    "%Y-%m-%d %H:%M:%S[.%f]",
    "%f%y%m%d%H%M%S",
    "%Y\0%m%d%H%M%S",
)
CELLS = (
    *(
        "",
        "0",
        "-1",
        "00",
        "1",
        "5",
        "6",
        "32",
        "x",
        " ",
        "\0",
        "é",
        "1.5",
        "1e5",
        "0x1f",
        "nan",
        "F" * 20,
        "9" * 19,
    ),
    *("9" * 50, "ffff", "1A2B", "+5", "\\N", "true", "yes", "http://a.b/c", "[::1]:80", "a@b", "١٢٣"),
    *("2026-09-07 08:00:00", "260907080000", "2026-09-07T08:00:00+08:00", "1788740000", "1788740000123"),
    *("460001234567890", "8613912345678", "13912345678", "LTE", "success"),
)
ODD: tuple[Any, ...] = (
    *(None, [], {}, [[]], [None], {"a": "1"}, {"column": "1"}, {"column": "0"}, {"path": "a"}, {"": ""}),
    *({"template": "{t}"}, {"template": "x"}, {"sum": {"t": "1"}}, {"constant": "5"}, {"1": "abc"}),
    *("", "x", "-1", "10" * 15, "1" * 5_000, "%Y", "{", "{}", "460-{}", "{{t}}", "5-", "0-1", "3-1", "\0"),
    *("\n", "é", "🙂", "+25:00", "nan", "skip", "keep", "loc.update", "tick", "profile.update", "recharge"),
    *("||", "[", "$.", "@key", "a[", "a[99999999999999]", ".", "x" * 70_000, ["a"] * 500, *TYPES, *FORMATS),
)
WORDS = (
    *(
        "column",
        "path",
        "template",
        "sum",
        "constant",
        "when",
        "is",
        "slice",
        "until",
        "divide",
        "values",
        "otherwise",
    ),
    *(
        "empty",
        "required",
        "unreadable",
        "lower",
        "format",
        "type",
        "utc_offset",
        "t",
        "t_start",
        "imsi",
        "id",
        "kind",
        "source",
    ),
    *(
        "filler",
        "watch",
        "each",
        "present",
        "helpers",
        "fields",
        "cell",
        "duration",
        "quality",
        "tac8",
        "",
        "{",
        "zz",
    ),
)


def shipped() -> list[dict[str, Any]]:
    """The maps of the program, and those of the page about topics."""
    found = [path.read_text("utf-8") for path in sorted(MAPS.glob("*.yaml"))]
    found += [
        block.text for block in blocks("docs/doors/topics.md") if block.file and "map:" in block.text[:60]
    ]
    return [yaml.load(text, Loader=yaml.BaseLoader) for text in found]  # noqa: S506  # of plain text only


MAPS_AT_FIRST = [found for found in shipped() if "fields" in found]
MESSAGE = orjson.loads(
    next(block.text for block in blocks("docs/doors/topics.md") if '"header"' in block.text)
)


def parts(node: Any, steps: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key, inner in (
        node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    ):
        yield (*steps, key)
        yield from parts(inner, (*steps, key))


def put(node: Any, steps: tuple[Any, ...], value: Any) -> None:
    for step in steps[:-1]:
        node = node[step]
    node[steps[-1]] = deepcopy(value)


def make_odd(chance: random.Random, data: dict[str, Any]) -> None:
    """Put anything anywhere."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        steps = chance.choice(list(parts(data)))
        if chance.random() < 0.4:
            steps = (*steps[:-1], chance.choice(WORDS)) if isinstance(steps[-1], str) else steps
        put(data, steps, chance.choice(ODD))


def make_other(chance: random.Random, data: dict[str, Any]) -> None:
    """Put words of a map where they may stand, so that most of what comes of it can be read by."""
    origin = "path" if "path" in str(data["fields"]) else "column"
    for _ in range(chance.choice((1, 2, 3, 4))):
        part = data.setdefault(chance.choice(("fields", "helpers", "fields")), {})
        if not part:
            continue
        name = chance.choice(list(part))
        way = part[name][-1] if isinstance(part[name], list) else part[name]
        number = str(chance.randint(1, 20))
        changes: tuple[dict[str, Any], ...] = (
            {"type": chance.choice(TYPES), "format": chance.choice(FORMATS)},
            {"slice": chance.choice(("1-5", "6-", "9999-"))},
            {"divide": str(2 ** chance.randint(1, 53)), "type": "int"},
            {"values": {chance.choice(CELLS): chance.choice(CELLS)}, "otherwise": "keep"},
            {"when": {origin: "ts" if origin == "path" else number, "is": chance.choice(CELLS)}},
            {"unreadable": chance.choice(("drop", "before"))},
            {"until": chance.choice("/-.:9é"), "empty": [chance.choice(CELLS)], "lower": "yes"},
            {
                "required": "yes",
                origin: chance.choice((".", "@key", "$.header", "loc")) if origin == "path" else number,
            },
        )
        made: tuple[dict[str, Any], ...] = (
            {"template": chance.choice(("{t}-{cell}", "{rat}%s{rat}", "%{eci}{sector}", "{lac}"))},
            {"sum": {chance.choice(("t", "lac", "eci", "enb", "ci")): str(chance.randint(-(2**53), 2**53))}},
            {"constant": chance.choice(CELLS)},
        )
        if chance.random() < 0.7:
            way.update(deepcopy(chance.choice(changes)))
        else:
            way.clear()
            way.update(deepcopy(chance.choice(made)))
        if way.get("type") != "time":
            way.pop("format", None)
        target = data.setdefault("helpers" if chance.random() < 0.3 else "fields", {})
        target[chance.choice((name, "t_start", "cell", "number", "x", "duration"))] = deepcopy(way)


def rows_for(chance: random.Random, columns: ColumnMap) -> list[bytes]:
    width = min(columns.columns.at_least, 100)
    found = []
    for _ in range(25):
        cells = [chance.choice(CELLS) for _ in range(width)]
        for name, ways in columns.fields.items():
            at = ways[0].column
            if at is not None and at <= width and chance.random() < 0.7:
                plain = {"imsi": "460001234567890", "msisdn": "8613912345678", "t": "1788740000"}
                cells[at - 1] = plain.get(name, cells[at - 1])
        found.append(columns.separator.join(cells).encode())
    return found


def messages_for(chance: random.Random) -> list[bytes]:
    found = []
    for _ in range(12):
        message = deepcopy(MESSAGE)
        odd: Any = chance.choice((*CELLS, None, True, 10**30, 1.5, [], {}))
        put(message, chance.choice(list(parts(message))), odd)
        found.append(json.dumps(message).encode())
    return found


def read(path: Path) -> ColumnMap | FieldMap | None:
    """Return the map; None for one with mistakes, each of which has its place."""
    found: ColumnMap | FieldMap | None
    try:
        found, mistakes = read_field_map(path) if is_field_map(path) else read_map(path)
    except InputError as error:
        mistakes, found = [error], None
    assert (found is None) == bool(mistakes)
    for mistake in mistakes:
        assert mistake.where.startswith(str(path))
        assert len(str(mistake)) < 3_000
    return found


@pytest.mark.parametrize("change", [make_odd, make_other])
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1 << 48))
def test_a_map_is_refused_with_its_places_or_reads_anything(change: Any, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # what is found can be found again
    data = deepcopy(chance.choice(MAPS_AT_FIRST))
    change(chance, data)
    path, sample = tmp_path / "m.yaml", tmp_path / "sample.txt"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")
    found = read(path)
    if found is None:
        return
    identity = Identity(b"0123456789abcdef", "86")
    check: MapCheck | MessageCheck
    if isinstance(found, ColumnMap):
        lines, check = rows_for(chance, found), MapCheck(found, identity, 25, NOW)
    else:
        lines, check = messages_for(chance), MessageCheck(found, identity, 25, NOW)
    sample.write_bytes(b"\n".join(lines) + b"\n")
    check.read(sample)
    told = check.findings.as_dict()
    shown = [row.as_dict() for row in check.rows]
    assert orjson.dumps([told, shown])
    if isinstance(found, ColumnMap):
        assert told["lines"] == sum(
            told[part] for part in ("applied", "refused", "skipped", "headers", "blank")
        )
