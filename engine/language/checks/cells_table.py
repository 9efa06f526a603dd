"""R701: the cells table. Where it is found: `engine.language.cells_table`."""

from __future__ import annotations

from typing import Final

from engine.language.checks.code import Check

CHECKS: Final = (
    Check(
        code="R701",
        meaning="a row or column of the cells table that can't be read, or a cell that is given twice",
        bad="""
            # catalog/cells.csv
            cell,lat,lon,range_m,site
            460-00-1-1,30.2501,120.1502,400,Lakeside
            460-00-1-2,120.1502,30.2501,400,Lakeside
            """,
        good="""
            # catalog/cells.csv
            cell,lat,lon,range_m,site
            460-00-1-1,30.2501,120.1502,400,Lakeside
            460-00-1-2,30.2501,120.1502,400,Lakeside
            460-00-2-1,30.2608,120.1403,400,Hill
            460-00-2-2,30.2608,120.1403,400,Hill
            460-00-3-1,30.2703,120.1601,400,Mall
            460-00-3-2,30.2703,120.1601,400,Mall
            """,
        advice="""
            `catalog/cells.csv`, or several files `catalog/cells-NAME.csv`, have the columns `cell`, `lat`,
            `lon` (degrees of WGS84) and `range_m` (how far the cell reaches, in metres), and if you know
            them `azimuth`, `beam`, `rat`, `tac` and `site`. Correct the row. If nobody knows where a cell
            is, leave both `lat` and `lon` empty: the cell is then known, and on no map. Rows that say the
            same twice are a warning.
            """,
    ),
)
