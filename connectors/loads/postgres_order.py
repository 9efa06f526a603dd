"""The order of the rows of a table with `since`, and the place in it that the next load goes on from.

Rows come by `since`, then by a keyed hash of `key`. Three things keep a place from hiding a row that changes
after it was kept:

    ahead     `since` is infinite, no number, or ahead of the database's clock: such a row comes last, with
              every load, and moves the place nowhere
    open      rows may still come that have this `since`: a day that is not over everywhere, the second just
              begun, any number. The next load reads the rows of the earliest open one again
    the rest  is behind the place for good, if `lag` is longer than transactions of the writers
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from connectors.loads.rows import place_of

TIMES: Final = ("date", "timestamp", "timestamptz")
NUMBERS: Final = ("int2", "int4", "int8", "float4", "float8", "numeric")
DAY_AND_ZONES: Final = 36 * 3_600_000_000
"""µs from the beginning of a day in UTC to where it is over in every zone."""
SECOND: Final = 1_000_000


@dataclass(slots=True)
class Place:
    """How far rows were read: before the first one it is empty."""

    since: str | None = None
    """Of the last row that was not ahead; None: there was none, or rows have no `since`."""
    key: str | None = None
    """Keyed hash of its `key`."""
    number: int = 0
    """Of the last row given; 0 once a load has ended."""
    open: str | None = None
    """The earliest `since` that may still get rows; None: there is none."""
    ahead: tuple[str, str] | None = None
    """`since` and key of the last row that was ahead; None: none was given yet."""
    is_number: bool = False
    """Whether `since` is one: any may still get rows."""

    def enter(self, since: str | None, key: str, ahead: bool, over: bool | None) -> None:
        """Take in a row that was given. `over`: no row can get its `since` any more; None: nobody knows."""
        self.number += 1
        if ahead:
            assert since is not None
            self.ahead = since, key
            return
        self.since, self.key = since, key
        self.is_number = over is None
        if over is False and self.open is None:
            self.open = since

    def pack(self) -> bytes:
        """Return it for the checkpoint of a load that is not done; nothing if there is none."""
        if self.since is None and self.key is None and self.ahead is None:
            return b""
        return self._written(self.since, self.key, self.number, self.ahead)

    def pack_end(self) -> bytes:
        """Return where the next load goes on once one is done; nothing if it begins at the first row."""
        earliest = self._earliest()
        if self.since is None:
            return b""
        return self._written(self.since, self.key, 0) if earliest is None else self._written(earliest, "", 0)

    def _earliest(self) -> str | None:
        return self.since if self.open is None and self.is_number else self.open

    def _written(
        self, since: str | None, key: str | None, number: int, ahead: tuple[str, str] | None = None
    ) -> bytes:
        said: dict[str, Any] = {"since": since, "key": key, "number": number}
        if number and (earliest := self._earliest()) is not None:
            said["open"] = earliest
        return orjson.dumps(said if ahead is None else {**said, "ahead": ahead})

    @classmethod
    def unpack(cls, packed: bytes) -> Place:
        """Return what was packed; raise InputError if it is something else."""
        found: Mapping[str, Any] = place_of(packed, "since", "key", "number")
        ahead = found.get("ahead")
        return cls(
            found["since"],
            found["key"],
            found["number"],
            found.get("open"),
            None if ahead is None else (ahead[0], ahead[1]),
        )


class Since:
    """What SQL says of a column of a type, of `TIMES` or `NUMBERS`. `offset`: µs, of local times."""

    def __init__(self, type: str, lag: int, offset: int) -> None:
        from psycopg import sql

        self._type = type
        self._lag = lag
        self._utc: Any = sql.SQL("now()" if type == "timestamptz" else "(now() AT TIME ZONE 'UTC')")
        ahead = 0 if type == "timestamptz" else offset  # one with a zone is no local time
        self._now: Any = sql.SQL("({} + {})").format(self._utc, _interval(ahead))

    def cast(self, name: str) -> Any:
        """Return the place of a value by its name in a statement, as one of the column's type."""
        from psycopg import sql

        return sql.SQL("CAST({} AS {})").format(sql.Placeholder(name), sql.SQL(self._type))

    def ahead(self, column: Any) -> Any:
        """Say that a value has no place in the order: nothing could come after it."""
        from psycopg import sql

        if self._type in TIMES:
            return sql.SQL("({} > {} OR {} = '-infinity')").format(column, self._moment(0), column)
        if self._type.startswith("int"):
            return sql.SQL("FALSE")
        return sql.SQL("({}::text IN ('NaN', 'Infinity', '-Infinity'))").format(column)

    def old_enough(self, column: Any) -> Any:
        """Say that a value lies behind `lag`."""
        from psycopg import sql

        return sql.SQL("{} <= {}").format(column, self._moment(self._lag))

    def over(self, column: Any) -> Any:
        """Say that no row can get this value any more; NULL: that is not known."""
        from psycopg import sql

        if self._type not in TIMES:
            return sql.SQL("NULL::boolean")
        if self._type == "date":  # in every zone, whichever is that of the database
            return sql.SQL("({} <= {})").format(column, self._moment(DAY_AND_ZONES + self._lag, self._utc))
        return sql.SQL("({} <= {})").format(column, self._moment(SECOND))  # with a `lag` it is for longer

    def _moment(self, ago: int, now: Any = None) -> Any:
        """Return the moment so many µs ago, as a value of the type: dates reach further than timestamps."""
        from psycopg import sql

        return sql.SQL("({} - {})::{}").format(now or self._now, _interval(ago), sql.SQL(self._type))


def _interval(micros: int) -> Any:
    from psycopg import sql

    return sql.SQL("{} * interval '1 microsecond'").format(sql.Literal(micros))
