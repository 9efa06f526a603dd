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


def check(name: str, text: str) -> None:
    """Raise InputError if the page has no part of that name."""
    begins, ends = (re.findall(mark.format(r"(\S+)"), text) for mark in _MARKS)
    parts = [part for part in begins if part in ends]
    if name not in parts:
        raise InputError("--page", f"a part of docs/signals.md: {', '.join(parts)}", name)


def written(text: str, name: str, tables: Sequence[str], command: str, now: datetime) -> str:
    """Return the page with a part of it anew; raises InputError if it has no part of that name."""
    check(name, text)
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
