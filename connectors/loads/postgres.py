"""PostgreSQL as rows: a table or a query through a cursor of the server, a few thousand rows at a time.

Needs the extra `postgres` (psycopg). The password comes the way libpq takes it: `PGPASSWORD`, `PGPASSFILE` or
`~/.pgpass`, `PGSERVICE`; an address that holds one is refused, for command lines can be read by others.

Rows come in the order of `since` (`postgres_order`), then of a keyed hash of `key`: so a checkpoint says
where to go on and does not name anybody, whatever column the key is. All rows are of one moment (a read-only
transaction of level `repeatable read`). Without a `key`, a load that was cut off begins anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors.loads.load_map import FileMap
from connectors.loads.postgres_order import NUMBERS, TIMES, Place, Since
from connectors.loads.rows import Row
from connectors.loads.values import NO_TIME
from engine.errors import InputError
from engine.numbers import keyed_hash

AT_A_TIME = 2_000
CONNECT_SECONDS = 10
SCHEMES = ("postgresql://", "postgres://")
_SESSION = "SET SESSION TimeZone = 'UTC'; SET SESSION DateStyle = 'ISO'; SET SESSION extra_float_digits = 3"


class Address:
    """Where a database is. Raises InputError for an address with a password in it."""

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            raise InputError("URL", "postgresql://USER@HOST:PORT/DATABASE", "another one") from None
        if parts.password is not None or "password" in parse_qs(parts.query):
            raise InputError("URL", "an address without password (PGPASSWORD or ~/.pgpass have it)", "one")
        self.url = url
        self.shown = f"postgresql://{parts.hostname or ''}{port}{parts.path}"
        """What may be told: no user, no options."""


class Table:
    """The rows of a table or query. `key`: the secret of subscriber keys.

    Raises InputError if the database can't be reached or read, or lacks a column of the map.
    """

    def __init__(self, address: Address, file_map: FileMap, key: bytes, *, source: str) -> None:
        if file_map.model.postgres is None:
            raise file_map.wrong((), "postgres with a table or a query", "none")
        self._address = address
        self._map = file_map
        self._what = file_map.model.postgres
        self._salt = keyed_hash(key, f"order of {file_map.model.map}")
        self._source = source
        self._place = Place()
        self._since: Since | None = None
        self.head: tuple[int, bytes] | None = None
        """Nothing: columns have their names in the database."""
        self.left_out = 0
        """Rows that have no `since` or no `key`: they have no place in the order and are not read."""
        self.ahead = 0
        """Rows given whose `since` is infinite or ahead of the database's clock: each load brings them."""

    def __iter__(self) -> Iterator[tuple[int, Row]]:
        """Yield (number of the row in this load from 1, row)."""
        try:
            import psycopg
        except ImportError:
            expected = "psycopg, the extra touchpoint[postgres]"
            raise InputError(self._address.shown, expected, "not installed") from None
        try:
            with psycopg.connect(
                self._address.url, connect_timeout=CONNECT_SECONDS, application_name="touchpoint load"
            ) as connection:
                connection.execute(_SESSION)
                connection.commit()
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                connection.read_only = True
                _read_all_times(connection)
                yield from self._rows(connection)
        except psycopg.Error as error:
            said = (
                str(error).strip().partition("\n")[0].rpartition("FATAL:")[2].strip() or type(error).__name__
            )
            raise InputError(self._address.shown, "a database that can be read", said) from None

    def place(self) -> bytes:
        """Return what says where the next row is; nothing where rows have no order."""
        return b"" if self._what.key is None else self._place.pack()

    def go_on(self, place: bytes) -> int:
        """Go on from a place; return the number of the last row before it, 0 after a load that ended."""
        self._place = Place.unpack(place)
        return self._place.number

    def end(self) -> bytes:
        """Keep up to where `since` has come; nothing without it."""
        return b"" if self._what.since is None else self._place.pack_end()

    def _rows(self, connection: Any) -> Iterator[tuple[int, Row]]:
        from psycopg import sql

        what = self._what
        inner: Any
        if what.table is not None:
            inner = sql.SQL("SELECT * FROM {}").format(sql.Identifier(*what.table.split(".")))
        else:
            inner = sql.SQL((what.query or "").strip().rstrip(";"))
        # the end of a line ends a comment at the end of a query
        query = sql.SQL("FROM ({}\n) AS q").format(inner)
        self._check(connection.execute(sql.SQL("SELECT * {} LIMIT 0").format(query)).description)
        order = [name for name in (what.since, what.key) if name is not None]
        if order:
            missing = sql.SQL(" OR ").join([sql.SQL("{} IS NULL").format(_column(name)) for name in order])
            found = connection.execute(sql.SQL("SELECT count(*) {} WHERE {}").format(query, missing))
            self.left_out = found.fetchone()[0]
        if self._since is not None and self._place.since is not None:
            ahead = self._since.ahead(self._since.cast("since"))
            found = connection.execute(sql.SQL("SELECT {}").format(ahead), {"since": self._place.since})
            if found.fetchone()[0]:  # the clock was set back: nobody knows what came since
                self._place = Place()
        for is_ahead in (False,) if self._since is None else (False, True):
            with connection.cursor(name="touchpoint_load") as cursor:
                cursor.itersize = AT_A_TIME
                cursor.execute(*self._statement(query, is_ahead=is_ahead))
                for row in cursor:
                    since, key, over = row[-3:]
                    self._place.enter(since, key, is_ahead, over)
                    self.ahead += is_ahead
                    yield self._place.number, row[:-3]

    def _statement(self, query: Any, *, is_ahead: bool) -> tuple[Any, dict[str, Any]]:
        """Return what asks for the rows behind the place reached, in their order, and its values.

        `is_ahead`: for those that come with every load; else for those that do not.
        """
        from psycopg import sql

        what, place = self._what, self._place
        values: dict[str, Any] = {"salt": self._salt}
        since: Any = sql.SQL("NULL")
        over: Any = sql.SQL("TRUE")
        hashed: Any = since
        wheres, order, reached = list[Any](), list[Any](), list[Any]()
        if self._since is not None:
            since = _column(str(what.since))
            over, ahead = self._since.over(since), self._since.ahead(since)
            order.append(since)
            reached.append(self._since.cast("since"))
            wheres += [sql.SQL("{} IS NOT NULL").format(since)]
            wheres.append(ahead if is_ahead else sql.SQL("NOT {}").format(ahead))
            if what.lag_us and not is_ahead:
                wheres.append(self._since.old_enough(since))
        if what.key is not None:
            text = sql.SQL("%(salt)s || {}::text").format(_column(what.key))
            hashed = sql.SQL("encode(sha256(convert_to({}, 'UTF8')), 'hex') COLLATE \"C\"").format(text)
            order.append(hashed)
            reached.append(sql.SQL("%(key)s"))
            wheres.append(sql.SQL("{} IS NOT NULL").format(_column(what.key)))
            behind = place.ahead if is_ahead else None if place.key is None else (place.since, place.key)
            if behind is not None:
                values["since"], values["key"] = behind
                comma = sql.SQL(", ")
                wheres.append(sql.SQL("ROW({}) > ROW({})").format(comma.join(order), comma.join(reached)))
        asked = [
            *(_column(name) for name in self._map.columns),
            sql.SQL("{}::text").format(since),
            hashed,
            over,
        ]
        statement = sql.SQL("SELECT {} ").format(sql.SQL(", ").join(asked)) + _escaped(query)
        if wheres:
            statement += sql.SQL(" WHERE ") + sql.SQL(" AND ").join(wheres)
        if order:
            statement += sql.SQL(" ORDER BY ") + sql.SQL(", ").join(order)
        return statement, values

    def _check(self, description: Any) -> None:
        known = tuple(column.name for column in description)
        wanted = [*self._map.columns, self._what.since, self._what.key]
        for name in wanted:
            if name is not None and name not in known:
                raise self._map.no_column(name, known)
        found = next((column for column in description if column.name == self._what.since), None)
        if found is None:
            return
        type = next((name for name in (*TIMES, *NUMBERS) if _oid(name) == found.type_code), "")
        if self._what.lag is not None and type not in TIMES:
            expected = f"a time in the column of `since`, {found.name}: date, timestamp or timestamptz"
            raise self._map.wrong(("postgres", "lag"), expected, found.type_display)
        if not type:
            expected = f"a number or a time in the column of `since`, {found.name}: a query can cast it"
            raise self._map.wrong(("postgres", "since"), expected, found.type_display)
        self._since = Since(type, self._what.lag_us, self._map.model.offset_us)


def _oid(name: str) -> int:
    """Return what PostgreSQL calls a type."""
    from psycopg import postgres

    return postgres.types[name].oid


def _read_all_times(connection: Any) -> None:
    """Have a time that Python can't hold cost its own row only: `infinity`, years beyond 9999, 24:00."""
    from psycopg import DataError
    from psycopg.types import datetime as times

    def careful(loader: Any) -> Any:
        class Careful(loader):  # type: ignore[misc]  # one for each of psycopg's own
            def load(self, data: Any) -> Any:
                try:
                    return super().load(data)
                except DataError:
                    return NO_TIME

        return Careful

    for name, loader in (
        ("date", times.DateLoader),
        ("time", times.TimeLoader),
        ("timetz", times.TimetzLoader),
        ("interval", times.IntervalLoader),
        ("timestamp", times.TimestampLoader),
        ("timestamptz", times.TimestamptzLoader),
    ):
        connection.adapters.register_loader(name, careful(loader))


def _column(name: str) -> Any:
    from psycopg import sql

    return sql.SQL("q.{}").format(sql.Identifier(name))


def _escaped(query: Any) -> Any:
    """Return a query whose own `%` are no places of values."""
    from psycopg import sql

    return sql.SQL(query.as_string(None).replace("%", "%%"))
