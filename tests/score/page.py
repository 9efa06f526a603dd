"""The part of docs/signals.md that holds scores: written by `./run score --page NAME`, with how and when."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from engine.errors import InputError
from engine.settings import CHECKOUT

PAGE: Final = CHECKOUT / "docs" / "signals.md"
_MARKS: Final = "<!-- score {}: from here on generated -->", "<!-- score {}: up to here -->"


def parts(text: str) -> list[str]:
    """Name the parts of the page."""
    begins, ends = (re.findall(mark.format(r"(\S+)"), text) for mark in _MARKS)
    return [name for name in begins if name in ends]


def written(text: str, name: str, tables: Sequence[str], command: str, now: datetime) -> str:
    """Return the page with a part of it anew; raises InputError if it has no part of that name."""
    if name not in (known := parts(text)):
        raise InputError("--page", f"a part of docs/signals.md: {', '.join(known)}", name)
    begin, end = (mark.format(name) for mark in _MARKS)
    before, _, rest = text.partition(begin)
    after = rest.partition(end)[2]
    body = "\n".join(tables)
    return f"{before}{begin}\n\nOn {now:%Y-%m-%d} by `{command}`:\n\n{body}\n{end}{after}"


def write(name: str, tables: Sequence[str], command: str) -> None:
    """Write a part of the page."""
    text = PAGE.read_text(encoding="utf-8")
    now = datetime.fromtimestamp(time.time(), UTC)
    PAGE.write_text(written(text, name, tables, command, now), encoding="utf-8")
