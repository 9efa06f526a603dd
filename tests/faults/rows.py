"""The rows of the matrix, by their number in it."""

from __future__ import annotations

from collections.abc import Callable

from tests.faults import rows_gates, rows_input, rows_process, rows_servers
from tests.faults.checker import Report
from tests.faults.stage import Stage

ROWS: dict[str, Callable[[Stage], Report]] = {
    "1": rows_process.row_1,
    "2": rows_process.row_2,
    "3": rows_process.row_3,
    "4": rows_process.row_4,
    "5": rows_servers.row_5,
    "7": rows_servers.row_7,
    "7b": rows_servers.row_7b,
    "9": rows_servers.row_9,
    "9b": rows_servers.row_9b,
    "9c": rows_servers.row_9c,
    "10": rows_servers.row_10,
    "11": rows_servers.row_11,
    "12": rows_servers.row_12,
    "14": rows_input.row_14,
    "15": rows_input.row_15,
    "16": rows_input.row_16,
    "17": rows_input.row_17,
    "20": rows_gates.row_20,
    "21": rows_gates.row_21,
    "22": rows_gates.row_22,
}
