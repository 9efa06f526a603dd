"""R301: products of the catalogue."""

from __future__ import annotations

from typing import Final

from engine.language.catalog import Names
from engine.language.checks.code import Check
from engine.language.report import Report
from engine.language.source import Node

CHECKS: Final = (
    Check(
        code="R301",
        meaning="a product that is not in the catalogue",
        bad="""
            offer:
              product: data-10gb
              send: [{channel: manual, task: call}]
            """,
        good="""
            offer:
              product: data-10g
              send: [{channel: manual, task: call}]
            """,
        advice="""
            Take a key from `catalog/products.yaml`, or add the product there with its name and price.
            """,
    ),
)


def is_product(report: Report, node: Node, key: str, names: Names) -> bool:
    """Tell whether a product is there, and report it if not; True while products.yaml can't be read."""
    known = names.catalog.products
    if key in known or "products" in names.unreadable:
        return True
    report.unknown("R301", node, f"no product `{key}` in the catalogue", key, known)
    return False
