"""The operator's table of handsets: a CSV file, TAC -> model and network (3GPP TS 23.003, 6.2.1).

    tac,model,brand,network
    86990431,Yunque X1 5G,Yunque,5G

Columns are found by their names, in any order and case; others are passed over. Lines before the one that
names the columns are passed over, too: some tables begin with a word about themselves. Two columns `name`
are brand and model. A TAC of 7 digits has lost its 0 in a spreadsheet and gets it back. What a row does not
say is not known; a row that can't be right is left out and told. A row is a line: a quote that is not closed
costs that row, none below it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from engine.csv_line import NO_QUOTES, QUOTES, split_line
from engine.errors import InputError
from engine.language.problems import Problem
from engine.treatments.handset_changes import Handset

HEAD: Final = 5
"""Lines in which the names of the columns have to stand."""
ROWS_AT_MOST: Final = 1_000_000
LINE_AT_MOST: Final = 10_000
MODEL_AT_MOST: Final = 64
"""Characters of a model: it stands in messages."""
TOLD: Final = 20
"""Rows left out that are told of, one by one."""

_NAMES: Final = {
    "tac": ("tac",),
    "model": ("model", "model name", "marketing name", "name"),
    "brand": ("brand", "brand name", "manufacturer"),
    "network": ("network", "generation", "rat"),
}
_NETWORKS: Final = {
    **{name: f"{name[0]}G" for name in ("2g", "3g", "4g", "5g")},
    "gsm": "2G", "umts": "3G", "wcdma": "3G", "lte": "4G", "nr": "5G",
}  # fmt: skip

log = structlog.get_logger("handsets")


@dataclass(slots=True)
class TacTable:
    """What was read."""

    handsets: dict[str, Handset] = field(default_factory=dict)
    """By TAC."""
    left_out: int = 0
    """Rows that can't be right."""
    twice: int = 0
    """Rows whose TAC stood in the table before: the later one holds."""
    problems: list[str] = field(default_factory=list)
    """The first of the rows left out: `FILE:LINE: expected X, was Y`."""


def read_tac_table(path: Path) -> TacTable:
    """Read a table. Raises InputError: it can't be read, names no column `tac`, or not one row is right."""
    table = TacTable()
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = _rows(path, stream)
            columns = _columns(path, rows)
            for line, row in rows:
                if row is None:
                    _leave_out(path, line, f"expected {QUOTES}, was {NO_QUOTES}", table)
                elif any(row):
                    _take(path, line, row, columns, table)
                if len(table.handsets) > ROWS_AT_MOST:
                    raise InputError(str(path), f"at most {ROWS_AT_MOST} handsets", "more")
    except OSError as error:
        raise InputError(str(path), "a table of handsets", error.strerror or str(error)) from None
    except UnicodeDecodeError:
        raise InputError(str(path), "UTF-8", "another encoding") from None
    if not table.handsets:
        raise InputError(str(path), "a row with a TAC of 8 digits", f"{table.left_out} rows without")
    return table


def load_handsets(path: Path) -> dict[str, Handset]:
    """Read a table for a feeds file: the handsets by TAC; rows left out are logged, the first of them."""
    table = read_tac_table(path)
    if table.left_out:
        log.warning(
            "rows of the table of handsets are left out", rows=table.left_out, problems=table.problems
        )
    return table.handsets


def look_at_handsets(path: Path) -> tuple[dict[str, Handset], list[Problem]]:
    """Read a table as `load_handsets`; warn of the rows left out, at most `TOLD` of them one by one."""
    table = read_tac_table(path)
    found = []
    for told in table.problems:
        line, _, said = told.removeprefix(f"{path}:").partition(": ")
        found.append(_warning(path, int(line), f"left out: {said}"))
    if table.left_out > len(found):
        found.append(_warning(path, 1, f"left out: {table.left_out - len(found):,} more rows"))
    return table.handsets, found


def _warning(path: Path, line: int, said: str) -> Problem:
    return Problem(str(path), line, 1, 1, "", said, "", "warning")


def _rows(path: Path, stream: Iterator[str]) -> Iterator[tuple[int, list[str] | None]]:
    """Yield each line as its cells; None if its quotes are not right."""
    for number, line in enumerate(stream, 1):
        if len(line) > LINE_AT_MOST:
            raise InputError(f"{path}:{number}", f"at most {LINE_AT_MOST} characters in a line", "more")
        try:
            yield number, split_line(line.rstrip("\r\n"))
        except ValueError:
            yield number, None


def _columns(path: Path, rows: Iterator[tuple[int, list[str] | None]]) -> dict[str, int]:
    """Find the line that names the columns; return name -> index."""
    for line, row in rows:
        names = [cell.lower() for cell in row or ()]
        if "tac" in names:
            found = {
                ours: names.index(theirs)
                for ours, all_names in _NAMES.items()
                for theirs in reversed(all_names)
                if theirs in names
            }
            if names.count("name") > 1 and "brand" not in found:
                found["brand"] = names.index("name")
                found["model"] = names.index("name", found["brand"] + 1)
            return found
        if line >= HEAD:
            break
    raise InputError(
        str(path), f"a line that names the columns, `tac` one of them, in the first {HEAD}", "none"
    )


def _take(path: Path, line: int, row: list[str], columns: dict[str, int], table: TacTable) -> None:
    values = {name: row[at] for name, at in columns.items() if at < len(row)}
    tac, network = values.get("tac", ""), values.get("network", "").lower()
    if len(tac) == 7 and tac.isdecimal():
        tac = "0" + tac
    problem = ""
    if not (len(tac) == 8 and tac.isascii() and tac.isdecimal()):
        problem = f"expected a TAC of 8 digits, was {tac!r}" if tac else "expected a TAC, was nothing"
    elif network and network not in _NETWORKS:
        problem = f"expected a network of 2G, 3G, 4G, 5G, was {network!r}"
    if problem:
        _leave_out(path, line, problem, table)
        return
    table.twice += tac in table.handsets
    model = values.get("model") or values.get("brand", "")
    table.handsets[tac] = Handset(model[:MODEL_AT_MOST], _NETWORKS.get(network, ""))


def _leave_out(path: Path, line: int, problem: str, table: TacTable) -> None:
    table.left_out += 1
    if len(table.problems) < TOLD:
        table.problems.append(f"{path}:{line}: {problem}")
