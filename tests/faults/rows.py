"""The rows of the matrix, by their number in it."""

from __future__ import annotations

from collections.abc import Callable

from tests.faults import rows_process
from tests.faults.checker import Report
from tests.faults.stage import Stage

ROWS: dict[str, Callable[[Stage], Report]] = {
    "1": rows_process.row_1,
    "2": rows_process.row_2,
    "3": rows_process.row_3,
    "4": rows_process.row_4,
}
