"""R005: the files of a set of rules. Where it is found: the loader, and places with a CSV file."""

from __future__ import annotations

from typing import Final

from engine.language.checks.code import Check

CHECKS: Final = (
    Check(
        code="R005",
        meaning="a file that is needed is missing, or one that is there is not known",
        bad="""
            # catalog/places.yaml
            mall: {name: 购物中心, cells: cells/mal.csv}
            """,
        good="""
            # catalog/places.yaml
            mall: {name: 购物中心, cells: cells/mall.csv}
            """,
        advice="""
            A set of rules needs `policy.yaml` and a folder `catalog` with `fields.yaml`, `places.yaml`,
            `products.yaml` and `numbers.yaml` beside the rules, or in a folder above them; `--catalog DIR`
            names another one. Lists of cells are CSV files below `catalog`. Correct the name, or put the
            file there.
            """,
    ),
)
