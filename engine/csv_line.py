"""One line of a delimited file as its cells, quotes as RFC 4180 has them.

A row is a line: a quote that is not closed costs its own line. Read as a stream, it would swallow all lines
down to the next quote without a word.
"""

from __future__ import annotations

import csv
from typing import Final

QUOTES: Final = "quotes around whole cells, doubled inside of them"
"""What is expected where `split_line` raises."""
NO_QUOTES: Final = "one that does not close, or text behind it"
"""What was there."""


def split_line(line: str, separator: str = ",") -> list[str]:
    """Return the cells of a line without its end, spaces around them taken off.

    Raises ValueError: a quote is not closed, or text stands behind one. A quote inside of a cell that
    does not begin with one is text.
    """
    if '"' not in line:
        return [cell.strip() for cell in line.split(separator)]
    try:
        [cells] = csv.reader([line], delimiter=separator, strict=True, skipinitialspace=True)
    except csv.Error as error:
        raise ValueError(str(error)) from None
    return [cell.strip() for cell in cells]
