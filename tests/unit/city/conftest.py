"""A small catalogue of its own: places known by their words, and one that is not."""

from __future__ import annotations

import pytest

from engine.language.model import Catalog, FieldSpec, Place, Product


@pytest.fixture(scope="session")
def start() -> int:
    """Monday 2026-09-07 08:30 in Shanghai, µs UTC."""
    return 1_788_741_000_000_000


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    def place(key: str, name: str, *cells: str) -> Place:
        return Place(key, name, cells)

    places = (
        place("campus-north", "北校区", "460-00-4301-1", "460-00-4301-2", "460-00-4301-3"),
        place("hall-one", "营业厅", "460-00-4302-1", "460-00-4302-2"),
        place("airport-t3", "机场", "460-00-4303-1", "460-00-4303-2"),
        place("mall-wulin", "商圈", "460-00-4304-1", "460-00-4304-2"),
        place("old-town", "古城", "460-00-4305-1"),
    )
    fields = (
        FieldSpec("brand", "text", ("GoTone", "EasyOwn", "M-Zone")),
        FieldSpec("tier", "text", ("ordinary", "silver", "gold", "vip")),
        FieldSpec("arpu", "money"),
        FieldSpec("age", "number"),
        FieldSpec("tags", "set"),
        FieldSpec("products", "set"),
        FieldSpec("handset.mms", "yes/no"),
        FieldSpec("data.month", "bytes"),
        FieldSpec("data.left", "percent"),
        FieldSpec("churn.risk", "percent"),
        FieldSpec("favourite", "place"),
    )
    return Catalog(
        fields={field.name: field for field in fields},
        places={one.key: one for one in places},
        groups={"campuses": ("campus-north",), "malls": ("mall-wulin",)},
        numbers={"hotline": ("10086",), "competitor-hotlines": ("10010",), "airline-desks": ("95583",)},
        products={
            "trial": Product("trial", "体验包", 0.0, "KT1"),
            "pack": Product("pack", "流量包", 20.0, "KT2"),
        },
    )
