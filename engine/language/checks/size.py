"""R004: no file is so large that reading it could hold up the engine. Where it is found: the readers."""

from __future__ import annotations

from typing import Final

from engine.language.checks.code import Check

CHECKS: Final = (
    Check(
        code="R004",
        meaning="the file is too large or nested too deep",
        bad="who: {brand: [[[[[[[[[[[[[[[[[[[[[GoTone]]]]]]]]]]]]]]]]]]]]]}",
        good="who: {brand: [GoTone]}",
        advice="""
            A rule has a few dozen lines and a few levels. A file may hold 256 KB, 50,000 values and 20
            levels. The cells of a large place stand in a CSV file beside the catalogue, which may be larger:
            `cells: cells/mall.csv`.
            """,
    ),
)
