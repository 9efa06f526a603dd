"""The users of Kafka as docs/operations.md has them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from tests.house.sources import text


class User(NamedTuple):
    """A row of the table: topics by their short names; of ids perhaps what they begin with, and a star."""

    name: str
    reads: frozenset[str]
    writes: frozenset[str]
    group: str
    transactions: str


def users_of_kafka() -> list[User]:
    """Read the table."""
    part = text(Path("docs/operations.md")).split(
        "\n| user | Read | Write | group | transactional id |\n", 1
    )[1]
    rows = re.findall(r"^\| (.+) \| (.+) \| (.+) \| (.+) \| (.+) \|$", part.split("\n\n", 1)[0], re.MULTILINE)
    return [
        User(name.strip("`"), _topics(reads), _topics(writes), _name(group), _name(transactions))
        for name, reads, writes, group, transactions in rows
    ]


def _topics(cell: str) -> frozenset[str]:
    return frozenset() if cell == "–" else frozenset(cell.split(", "))


def _name(cell: str) -> str:
    return "" if cell == "–" else cell.strip("`").removeprefix("touchpoint.")
