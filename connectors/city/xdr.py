"""S1-MME xDR files as probes write them: rows, rolling files with sequence numbers, and their faults.

The layout is that of the unified DPI specification: text, `|`, 37 columns (`connectors/maps/s1-mme.yaml`),
read by the map `city-s1-mme`. What a mobility management entity doesn't see (calls, data, business, 2G and
3G) is not in these files. 5G phones sign on over LTE (non-standalone).
"""

from __future__ import annotations

import gzip
import os
from hashlib import blake2b
from pathlib import Path
from struct import Struct
from typing import Any, Final

from engine.errors import InputError

from .feed import Mark
from .figures import MINUTE, SECOND
from .options import CityOptions

MAP: Final = "city-s1-mme"
COLUMNS: Final = 37
ROLL: Final = 5 * MINUTE
"""Of the feed's time: a new file begins."""
ROWS_AT_MOST: Final = 50_000
PROCEDURES: Final = {
    "power.on": "1", "loc.sight": "2", "loc.update": "5", "power.off": "6", "loc.handover": "14",
}  # fmt: skip
"""Kind -> Procedure Type."""

_RATS: Final = ("LTE", "NR")
_PIECES: Final = Struct(">4I")
_WHOLE: Final = 1 << 32


def row_of(record: dict[str, Any]) -> list[str] | None:
    """Return the columns of a record, None for one that is not in an S1-MME xDR."""
    procedure = PROCEDURES.get(record["kind"])
    if procedure is None or record.get("rat", "LTE") not in _RATS or record["source"] != "city/s1mme":
        return None
    end: int = record["t"]
    row = [""] * COLUMNS
    row[1], row[2], row[3], row[4] = "0571", "5", record["id"], "6"
    row[5], row[6], row[7] = (
        record.get("imsi", ""),
        record.get("imei", ""),
        record.get("msisdn", "").lstrip("+"),
    )
    row[8] = procedure
    row[9] = str(record.get("t_start", end) // 1_000)
    row[10] = str(end // 1_000)
    row[11] = "0"
    row[13] = "0"
    if procedure == "6":
        row[14], row[15] = "1", "1"
    row[16] = record.get("cause", "")
    row[18] = str(int(record["id"][:8], 16))
    row[22], row[23] = "8001", "1"
    row[32], row[33] = _cell(record.get("cell"))
    row[34], row[35] = _cell(record.get("cell_prev"))
    row[36] = "cmnet"
    row[0] = str(sum(map(len, row)) + COLUMNS)
    return row


def is_mangled(seed: int, id: str, options: CityOptions) -> bool:
    """Say whether the times of a record's row can't be read: its map gives it that of the row before."""
    return bool(_pieces(seed, id)[0] < options.mangled_times * _WHOLE)


def _pieces(seed: int, what: str) -> tuple[Any, ...]:
    key = f"{seed}:xdr".encode()
    return _PIECES.unpack(blake2b(what.encode(), digest_size=_PIECES.size, key=key).digest())


def _mangled(millis: int, how: int) -> str:
    """Write a time as a spreadsheet does: minutes and seconds alone, as in the real rows, or worse."""
    if how % 3:
        return f"{millis // 60_000 % 60:02}:{millis // 1_000 % 60:02}.{millis // 100 % 10}"
    return f"{millis:.5E}" if how % 2 else "########"


def _cell(cell: str | None) -> tuple[str, str]:
    """Return TAC and ECI of a cell, hexadecimal; empty where there is none, or one of another form."""
    parts = (cell or "").split("-")
    if len(parts) == 4 and parts[2].isdigit() and parts[3].isdigit():
        return f"{int(parts[2]):04X}", f"{int(parts[3]):07X}"
    return "", ""


class XdrFiles:
    """Rolling files of one probe. Order of calls: `put` for each record of the feed, then `close`.

    A file is written as `NAME.tmp` and renamed when it is complete. `mark` is told what was done to rows and
    files. Raises OSError if the folder can't be written.
    """

    def __init__(
        self,
        folder: Path,
        seed: int,
        options: CityOptions,
        mark: Mark | None = None,
        *,
        compress: bool = False,
    ) -> None:
        self.folder = folder
        self.rows = 0
        self.files = 0
        self._seed = seed
        self._options = options
        self._mark = mark
        self._ending = ".txt.gz" if compress else ".txt"
        self._compress = compress
        self._sequence = 0
        self._until = -1
        self._began = 0
        self._lines: list[bytes] = []
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, record: dict[str, Any]) -> bool:
        """Take a record of the feed; False if it is none of an S1-MME xDR."""
        row = row_of(record)
        if row is None:
            return False
        t: int = record["t"]
        if self._lines and (t >= self._until or len(self._lines) >= ROWS_AT_MOST):
            self._roll()
        if not self._lines:
            self._began, self._until = t, max(self._until, t - t % ROLL + ROLL)
        self._lines.append(self._damaged(row, record))
        return True

    def close(self) -> None:
        """Complete the last file."""
        if self._lines:
            self._roll()

    def _damaged(self, row: list[str], record: dict[str, Any]) -> bytes:
        """Write a row, with the damage that befalls it: a time as spreadsheets write it, columns too many."""
        _, column, _, where = _pieces(self._seed, record["id"])
        done = []
        if is_mangled(self._seed, record["id"], self._options):
            row[9:11] = [_mangled(int(time), where) for time in row[9:11]]
            done.append("mangled-time")
        if column < self._options.extra_columns * _WHOLE:
            row += ["5", "9", f"{where % 1000}", ""][: 1 + where % 4]
            done.append("extra-columns")
        if done and self._mark is not None:
            self._mark(
                {
                    "imsi": record.get("imsi"),
                    "what": "row",
                    "id": record["id"],
                    "t": record["t"],
                    "done": done,
                }
            )
        return "|".join(row).encode()

    def _roll(self) -> None:
        self._sequence += 1
        second = self._began // SECOND
        name = f"S1MME_0571_{second}_{self._sequence:06d}"
        lost, doubled, *_ = _pieces(self._seed, name)
        content = b"\n".join(self._lines) + b"\n"
        rows, self._lines = len(self._lines), []
        done = ""
        if lost < self._options.lost_files * _WHOLE:
            done = "lost"
        else:
            self._write(name + self._ending, content)
            self.rows += rows
            if doubled < self._options.doubled_files * _WHOLE:
                done = "doubled"
                self._write(f"{name}_R{self._ending}", content)
        if done and self._mark is not None:
            self._mark({"what": "file", "name": name + self._ending, "rows": rows, "done": [done]})

    def _write(self, name: str, content: bytes) -> None:
        part = self.folder / f"{name}.tmp"
        if self._compress:
            content = gzip.compress(content, 3, mtime=0)
        part.write_bytes(content)
        os.replace(part, self.folder / name)
        self.files += 1


def prepare(folder: Path) -> None:
    """Refuse a folder in which files of an earlier run stand: they would be read with these."""
    if any(folder.glob("S1MME_*")):
        raise InputError(str(folder), "a folder without xDR files of an earlier run", "one with some")
