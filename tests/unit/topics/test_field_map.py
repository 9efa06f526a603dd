"""Field maps: what is wrong in one is named with its place."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from connectors.field_map import is_field_map, load_field_map
from engine.errors import InputError
from tests.unit.topics.support import PROBE, map_of


def changed(**parts: Any) -> dict[str, Any]:
    """The map of the probe with other parts; of fields only those that are named."""
    data = deepcopy(PROBE)
    for name, value in parts.items():
        if name in ("fields", "helpers"):
            data[name].update(value)
        else:
            data[name] = value
    return data


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"fields": {"x": {"path": "a"}}}, "expected a field of loc.handover, loc.update"),
        ({"fields": {"lac": {"path": "a..b"}}}, "expected a path such as header.imsi or cells[0].id"),
        (
            {"fields": {"lac": {"path": "a", "constant": "1"}}},
            "expected one of path, template, sum, constant",
        ),
        ({"fields": {"lac": {"column": "1"}}}, "expected a known key"),
        ({"fields": {"t": {"path": "ts"}}}, "expected field t of type time"),
        ({"fields": {"t": {"path": "ts", "type": "time"}}}, "expected a format with type time"),
        ({"fields": {"cell": {"template": "{nothing}"}}}, "expected cell of paths, sums and constants only"),
        (
            {"fields": {"lac": {"constant": "x", "type": "int"}}},
            "fields.lac.constant: expected a whole number, was 'x'",
        ),
        (
            {"fields": {"lac": {"path": "a", "type": "hex", "values": {"a": "1f", "b": "1g"}}}},
            "fields.lac.values.b: expected a hexadecimal number, was '1g'",
        ),
        ({"fields": {"cell": {"template": "460-00"}}}, "fields.cell.template: expected a {name} at least"),
        ({"fields": {"cell": {"template": "460-{}"}}}, "expected braces only around a name, such as {eci}"),
        (
            {"fields": {"lac": {"path": "a"}}},
            "expected type int, float, bytes or hex for lac, was 'type text'",
        ),
        ({"helpers": {"kind": {"path": "a"}}}, "helpers.kind: expected another name for a helper"),
        ({"filler": "é"}, "filler: expected one character of ASCII, no space, was 'é'"),
        ({"helpers": {"cell": {"path": "c"}}}, "expected each name in fields or helpers, was"),
        ({"kind": "profile.update"}, "expected a signaling or business kind"),
        (
            {"kind": {"path": "a", "values": {"1": "tick"}}},
            "expected a signaling or business kind",
        ),
        ({"kind": {"path": "a"}}, "expected a value"),
        ({"kind": {"present": {"a..b": "loc.update"}}}, "expected a path such as"),
        ({"each": "@headers.x"}, "expected a path inside of the message"),
        ({"each": "["}, "expected a path such as"),
        ({"id": ["a", "@nothing"]}, "expected @key, @timestamp, @topic or @headers.NAME"),
        ({"utc_offset": "8"}, "expected an offset such as +08:00"),
        ({"separator": ","}, "expected a known key"),
        ({"fields": {"result": {"path": "$.header.imsi"}}}, "expected path $.header.imsi for imsi only"),
        ({"helpers": {"x": {"path": '$["header"].imsi', "type": "int"}}}, "for imsi only, or 8 characters"),
        ({"fields": {"cell": {"template": "{imsi}"}}}, "expected nothing that names a person in a template"),
    ],
)
def test_mistakes_are_named(parts: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"map\.yaml:\d+:\d+") as raised:
        map_of(tmp_path, changed(**parts))
    assert said in str(raised.value)


def test_the_place_of_a_mistake_is_that_of_the_value(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(
        "map: m\nsource: s\nkind: loc.update\nfields:\n  t: {path: a, type: tim}\n", encoding="utf-8"
    )
    with pytest.raises(InputError, match=r"m\.yaml:5:\d+: fields\.t\.type"):
        load_field_map(path)


def test_a_map_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a field map that can be read"):
        load_field_map(tmp_path / "none.yaml")
    with pytest.raises(InputError, match=r"expected a \.yaml file or one of the maps"):
        load_field_map("nobodys-map")


def test_maps_of_messages_are_told_from_those_of_columns(tmp_path: Path) -> None:
    map_of(tmp_path, PROBE)
    assert is_field_map(tmp_path / "map.yaml")
    assert not is_field_map("gn-unicom-2015")


def test_kinds_are_each_named_once(tmp_path: Path) -> None:
    kind = {
        "path": "a",
        "values": {"1": "loc.update", "2": {"present": {"b": "power.on", "c": "loc.update"}}},
    }
    assert map_of(tmp_path, changed(kind=kind)).kinds == ("loc.update", "power.on")


def test_what_names_a_person_is_known_by_its_place_not_by_how_it_is_written(tmp_path: Path) -> None:
    flat = {**changed(fields={"imsi": {"path": "header.imsi"}, "result": {"path": "$.header.imsi"}})}
    del flat["each"]
    with pytest.raises(InputError, match="for imsi only, or 8 characters of it"):
        map_of(tmp_path, flat)
    # its first digits name a network
    flat["fields"]["result"]["slice"] = "1-5"
    assert map_of(tmp_path, flat).kinds == ("loc.update", "loc.handover")
