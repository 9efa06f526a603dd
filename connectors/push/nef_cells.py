"""Cells as exposure functions write them: `cellId` of TS 29.122 is a text, and no two write it alike.

    460-00-0123456AB, 460-00-1A2B-3C4D     parts of TS 23.003, with anything between them
    460000123456AB                         the same in one: MCC, MNC, then the cell
    0123456AB                              the cell alone; its network from plmnId, or the door's option

How many hex digits are left after the network tells what it is: 9 NR, 7 E-UTRA, 8 a LAC and a cell of 2G/3G.
"""

from __future__ import annotations

import re
from typing import Final

from engine.refusals import Bad

Plmn = tuple[str, str]

_PARTED = re.compile(
    r"(\d{3})[^0-9A-Za-z](\d{2,3})[^0-9A-Za-z]([0-9A-Za-z]+)(?:[^0-9A-Za-z]([0-9A-Za-z]+))?\Z"
)
_RATS: Final = {9: "NR", 7: "LTE"}
_ONLY_ONE: Final = {12: 2, 15: 3}
"""Digits of the whole -> digits of the MNC, where only one reading is possible."""


def read_cell(text: str, plmn: Plmn | None, base: int) -> tuple[str, str, Plmn]:
    """Return canonical cell, radio access (empty: not known) and network; raise `Bad`.

    `plmn`: where the cell is if it does not say so. `base`: 16 or 10, of the numbers.
    """
    parted = _PARTED.match(text)
    if parted is not None:
        plmn, first, second = (parted[1], parted[2]), parted[3], parted[4]
    else:
        plmn, first = _network(text, plmn, base)
        second = None
        if base == 16 and len(first) == 8:
            first, second = first[:4], first[4:]
    if second is not None:
        return _join(plmn, _number(first, base, 0xFFFF), _number(second, base, 0xFFFFFFF)), "", plmn
    number = _number(first, base, (1 << 36) - 1)
    rat = _RATS.get(len(first), "") if base == 16 else ""
    return _join(plmn, number), rat, plmn


def _network(text: str, plmn: Plmn | None, base: int) -> tuple[Plmn, str]:
    """Part a cell in one piece into its network and the rest."""
    if plmn is not None:
        prefix = "".join(plmn)
        rest = text.removeprefix(prefix)
        if rest != text and (base == 10 or len(rest) in (7, 8, 9)):
            return plmn, rest
        if base == 10 or len(text) <= 9:
            return plmn, text
    elif base == 16 and len(text) in _ONLY_ONE and text[:5].isdecimal():
        end = 3 + _ONLY_ONE[len(text)]
        return (text[:3], text[3:end]), text[end:]
    raise Bad("a cell whose network is told by plmnId or the option plmn", "none", "value", "cellId")


def _number(text: str, base: int, most: int) -> int:
    try:
        number = int(text, base)
    except ValueError:
        number = -1
    if not 0 <= number <= most or not text.isalnum() or not text.isascii():
        digits = "hex" if base == 16 else "decimal"
        raise Bad(f"a cell in {digits} digits", "another text", "value", "cellId")
    return number


def _join(plmn: Plmn, *numbers: int) -> str:
    return "-".join((*plmn, *map(str, numbers)))
