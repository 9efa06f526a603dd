"""What a place is for is read from its words; any catalogue works."""

from __future__ import annotations

import pytest

from connectors.city.geography import Town, role_of
from engine.language.model import Catalog, Place


@pytest.mark.parametrize(
    ("key", "name", "group", "role"),
    [
        ("campus-north", "北校区", "", "campus"),
        ("zju", "浙江大学", "", "campus"),
        ("service-hall-xihu", "西湖营业厅", "service-halls", "hall"),
        ("t3", "Terminal 3", "airports", "airport"),
        ("railway-east", "火车东站", "stations", "station"),
        ("mall-wulin", "武林商圈", "", "mall"),
        ("small-park", "Park", "", "sight"),
        ("hospital-one", "第一医院", "", "hospital"),
        ("stadium-dragon", "黄龙体育中心", "", "stadium"),
        ("p1", "?", "", "sight"),
    ],
)
def test_the_role_of_a_place(key: str, name: str, group: str, role: str) -> None:
    groups = {group: (key,)} if group else {}
    catalog = Catalog(places={key: Place(key, name, ("460-00-1-1",))}, groups=groups)
    assert role_of(key, catalog) == role


def test_ordinary_cells_are_none_of_a_place() -> None:
    cells = tuple(f"460-00-{6001 + block}-{number}" for block in range(70) for number in range(10, 4000, 7))
    town = Town(Catalog(places={"p": Place("p", "p", cells)}), seed=1, side=12)
    ordinary = [cell for site in town.grid for cell in site.cells]
    assert len(set(ordinary)) == len(ordinary) == 12 * 12 * 3
    assert set(ordinary).isdisjoint(cells)


def test_location_fields_fit_the_radio_and_the_cell() -> None:
    catalog = Catalog(places={"p": Place("p", "p", ("460-00-4301-7", "460-00-123456789", "area:x"))})
    site = Town(catalog, seed=1, side=5).places["p"]
    assert site.spots["GSM"][0] == {"rat": "GSM", "plmn": "46000", "lac": 4301, "cell": "460-00-4301-7"}
    assert site.spots["NR"][0] == {"rat": "NR", "plmn": "46000", "tac": 4301, "cell": "460-00-4301-7"}
    assert site.spots["NR"][1] == {"rat": "NR", "plmn": "46000", "cell": "460-00-123456789"}
    assert site.spots["LTE"][2] == {"rat": "LTE", "plmn": "46000", "cell": "area:x"}
