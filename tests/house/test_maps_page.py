"""The page about column maps: its example does what it says, its words and its tables are true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors.column_map import ColumnMap, load_map, map_names, name_and_meaning
from connectors.column_spec import ColumnSpec, KindSpec, Watch, When, Width
from connectors.xdr_files import rows
from tests.unit.doors.support import Desk
from tools.maps_page import PAGE, page

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_committed_tables_are_the_generated_ones() -> None:
    assert page() == TEXT, "python -m tools.maps_page"


def test_the_example_does_what_the_page_says(tmp_path: Path) -> None:
    yaml, sample = re.findall(r"```(?:yaml map)?\n(.*?)```", TEXT, re.DOTALL)[:2]
    (tmp_path / "example.yaml").write_text(yaml, "utf-8")
    (tmp_path / "rows").write_text(sample, "utf-8")
    desk = Desk()
    update, message = rows(tmp_path / "rows", load_map(tmp_path / "example.yaml"), desk.intake)
    assert (update.kind, update.cell) == ("loc.update", "460-00-169552957")
    assert (message.kind, message.t - message.seen) == ("sms.out", 250_000)
    assert [(refusal.position, refusal.reason) for refusal in desk.refusals] == [("rows:4", "time")]
    assert "`loc.update` at cell `460-00-169552957`" in TEXT


@pytest.mark.parametrize("model", [ColumnMap, ColumnSpec, KindSpec, Watch, When, Width])
def test_the_page_explains_every_word(model: type[ColumnMap | ColumnSpec]) -> None:
    written = TEXT.partition("## The maps that ship")[0]
    for name, field in model.model_fields.items():
        assert re.search(rf"`{field.alias or name}`|\b{field.alias or name}}}?`", written), name


@pytest.mark.parametrize("name", map_names())
def test_each_map_says_what_stands_in_its_columns(name: str) -> None:
    columns = load_map(name)
    assert {*columns.used, *columns.id} <= set(columns.layout)
    assert columns.map == name
    assert columns.say
    assert max(columns.layout) <= columns.columns.at_least or columns.columns.at_most is None
    assert f"### {name}\n" in TEXT


def test_a_name_of_a_column_ends_outside_of_parentheses() -> None:
    assert "| 13 | SGs Cause (TS 29.118, 9.4.18) | 0 none | `cause`: not `0` |" in TEXT
    assert name_and_meaning("Cause (a, b); 0 none") == ("Cause (a, b)", "0 none")
    assert name_and_meaning("New LAI, MCC, MNC (five; digits)") == ("New LAI", "MCC, MNC (five; digits)")
    assert name_and_meaning("Length") == ("Length", "")


def test_between_them_the_maps_have_three_separators_and_four_ways_to_write_a_time() -> None:
    maps = [load_map(name) for name in map_names()]
    assert {each.separator for each in maps} == {"|", "\t", "\x01", ","}
    formats = {way.format for each in maps for _, ways in each.ways() for way in ways if way.format}
    assert formats >= {"epoch s", "epoch ms", "epoch us", "%Y-%m-%d %H:%M:%S[.%f]", "%y%m%d%H%M%S"}
    kinds = {kind for each in maps for kind in each.kinds}
    assert kinds == {
        *("loc.update", "loc.handover", "loc.sight", "power.on", "power.off", "call.out", "call.in"),
        *("sms.out", "sms.in", "mms.out", "mms.in", "data.session", "data.http"),
    }
