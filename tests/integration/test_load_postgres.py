"""Loads from a real PostgreSQL: values, places to go on from, passwords that stay out of sight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from connectors.loads.load_map import FileMap
from connectors.loads.postgres import Address, Table
from engine.cli.main import app
from engine.errors import InputError, LogError
from engine.intake import Intake
from tests.servers.postgres import PASSWORD, PostgresServer
from tests.unit.loads.support import KEY, World

ROWS = 95
MAP = """
map: crm
load: profiles
postgres: {table: TABLE, since: changed, key: imsi}
imsi: {column: imsi, required: yes}
msisdn: msisdn
consent: {marketing: ok}
fields: {age: age, arpu: arpu, tags: labels, note: Born}
"""


@pytest.fixture
def table(
    postgres_server: PostgresServer, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A table of its own, most of whose rows were changed at one moment."""
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    name = f"crm_{topic_prefix}"
    postgres_server.run(
        f"CREATE TABLE {name} (imsi text PRIMARY KEY, msisdn text, ok boolean, age int, arpu numeric, "
        f'labels text[], "Born" date, changed timestamptz)'
    )
    postgres_server.run(
        f"INSERT INTO {name} SELECT '46000' || lpad(n::text, 10, '0'), '139' || lpad(n::text, 8, '0'), "
        f"n % 2 = 0, n, n + 0.5, ARRAY['a', 'b' || n], DATE '2001-02-03', timestamptz '2026-09-01 10:00+08' "
        f"FROM generate_series(1, {ROWS}) AS n"
    )
    yield name
    postgres_server.run(f"DROP TABLE {name}")


class Clock:
    """What `now()` says to loads: a function of that name which they find first."""

    def __init__(self, server: PostgresServer, schema: str) -> None:
        self._server = server
        self._schema = schema
        server.run(f"CREATE SCHEMA {schema}")
        self.query = f"?options=-csearch_path%3D{schema},pg_catalog,public"

    def set(self, moment: str) -> None:
        """Let it be a moment, in UTC."""
        self._server.run(
            f"CREATE OR REPLACE FUNCTION {self._schema}.now() RETURNS timestamptz LANGUAGE sql STABLE "
            f"AS $$ SELECT timestamptz '{moment}+00' $$"
        )


@pytest.fixture
def clock(postgres_server: PostgresServer, topic_prefix: str) -> Iterator[Clock]:
    """A clock of the database that a test moves."""
    yield Clock(postgres_server, f"clock_{topic_prefix}")
    postgres_server.run(f"DROP SCHEMA clock_{topic_prefix} CASCADE")


class Loads(World):
    """Loads of that table."""

    def __init__(self, folder: Path, server: PostgresServer, text: str, clock: Clock | None = None) -> None:
        super().__init__(folder, text)
        self._url = server.url + ("" if clock is None else clock.query)
        self.tables: list[Table] = []

    def open(self, file_map: FileMap, intake: Intake, source: str) -> Table:
        """Open the table."""
        self.tables.append(Table(Address(self._url), file_map, KEY, source=source))
        return self.tables[-1]

    async def load_at(self, clock: Clock, *moments: str) -> list[int]:
        """Load at moments, in UTC, one after the other; return how many records each load wrote."""
        found = []
        for moment in moments:
            clock.set(moment)
            found.append((await self.load(self.open)).counts["records"])
        return found

    async def ages(self) -> Counter[int]:
        """Count the records by the age in them: a number of each row."""
        return Counter(profile["age"] for profile in await self.profiles())


async def test_values_have_the_types_of_the_fields(
    postgres_server: PostgresServer, table: str, tmp_path: Path
) -> None:
    loads = Loads(tmp_path, postgres_server, MAP.replace("TABLE", table))
    loader = await loads.load(loads.open)
    assert loader.counts["records"] == ROWS
    record = next(record for record in await loads.records() if record["profile"]["age"] == 7)
    assert record["profile"] == {"age": 7, "arpu": 7.5, "tags": ["a", "b7"], "note": "2001-02-03"}
    assert record["consent"] == {"marketing": False}
    assert record["msisdn"] == "+8613900000007"
    assert record["subscriber_key"] == loads.key("460000000000007")


@pytest.mark.parametrize("steps", [0, 1, 3, 8])
@pytest.mark.parametrize("since", [", since: changed", ""])
async def test_a_load_that_was_cut_off_goes_on_and_applies_every_row_once(
    postgres_server: PostgresServer, table: str, tmp_path: Path, steps: int, since: str
) -> None:
    loads = Loads(tmp_path, postgres_server, MAP.replace("TABLE", table).replace(", since: changed", since))
    with pytest.raises(LogError):
        await loads.load(loads.open, steps=steps)
    assert await loads.ages() == Counter((await loads.ages()).keys())
    if since:  # a row that changes meanwhile comes once more, as it is then
        postgres_server.run(f"UPDATE {table} SET age = 1000, changed = now() WHERE age = 50")
    loader = await loads.load(loads.open)
    assert loader.went_on == steps * 10
    ages = await loads.ages()
    assert set(ages.values()) == {1}
    assert set(range(1, ROWS + 1)) - set(ages) <= {50}
    assert (1000 in ages) == bool(since)
    for kept in loads.checkpoints.kept.values():
        assert b"46000" not in kept


async def test_the_next_load_takes_what_changed_since(
    postgres_server: PostgresServer, table: str, tmp_path: Path
) -> None:
    loads = Loads(tmp_path, postgres_server, MAP.replace("TABLE", table))
    await loads.load(loads.open)
    loader = await loads.load(loads.open)
    assert (loader.counts["records"], loader.went_on) == (0, 0)
    postgres_server.run(
        f"UPDATE {table} SET arpu = 99, changed = changed + interval '1 us' WHERE age IN (3, 4)"
    )
    loader = await loads.load(loads.open)
    assert loader.counts["records"] == 2
    loader = await loads.load(loads.open, anew=True)
    assert loader.counts["records"] == ROWS
    postgres_server.run(f"UPDATE {table} SET changed = now() WHERE age IN (3, 4)")
    loads.map = FileMap(
        _written(tmp_path, MAP.replace("TABLE", table).replace("key", "lag: 1h, key")),
        "profiles",
        loads.map.fields,
    )
    loader = await loads.load(loads.open)
    assert loader.counts["records"] == 0, "they may still be followed by others of that time"


async def test_a_time_that_is_none_costs_its_own_row(
    postgres_server: PostgresServer, table: str, tmp_path: Path
) -> None:
    postgres_server.run(f"UPDATE {table} SET \"Born\" = 'infinity' WHERE age = 5")
    loads = Loads(tmp_path, postgres_server, MAP.replace("TABLE", table))
    loader = await loads.load(loads.open)
    assert (loader.counts["records"], loader.counts["refused"]) == (ROWS - 1, 1)
    assert 5 not in await loads.ages()
    text = MAP.replace("table: TABLE", f'query: "SELECT *, CASE age WHEN 7 THEN VALUE END x FROM {table}"')
    for value in (
        "time '24:00'",
        "timetz '24:00+08'",
        "interval '9000000 y'",
        "timestamp '0044-03-15 BC'",
    ):
        loads = Loads(tmp_path, postgres_server, text.replace("VALUE", value).replace("Born", "x"))
        loader = await loads.load(loads.open, anew=True)
        assert (loader.counts["records"], loader.counts["refused"]) == (ROWS - 1, 1), value


async def test_a_lag_needs_a_time_to_lag_behind(
    postgres_server: PostgresServer, table: str, tmp_path: Path
) -> None:
    text = MAP.replace("TABLE", table).replace("since: changed", "since: age, lag: 5m")
    loads = Loads(tmp_path, postgres_server, text)
    with pytest.raises(InputError, match=r"postgres\.lag: expected a time in the column of.*was 'int4'"):
        await loads.load(loads.open)
    postgres_server.run(f"ALTER TABLE {table} ALTER changed TYPE timestamp")
    text = MAP.replace("TABLE", table).replace("since: changed", "since: changed, lag: 5m")
    loads = Loads(tmp_path, postgres_server, text)
    assert (await loads.load(loads.open)).counts["records"] == ROWS


@pytest.mark.parametrize("lag", ["", ", lag: 1s"])
async def test_rows_of_a_day_come_until_it_is_over(
    postgres_server: PostgresServer, table: str, tmp_path: Path, lag: str
) -> None:
    postgres_server.run(f"ALTER TABLE {table} ALTER changed TYPE date USING current_date - 10 + age / 10")
    text = MAP.replace("TABLE", table).replace("since: changed", f"since: changed{lag}")
    loads = Loads(tmp_path, postgres_server, text)
    assert (await loads.load(loads.open)).counts["records"] == ROWS
    postgres_server.run(f"UPDATE {table} SET changed = current_date, age = age + 1000 WHERE age % 7 = 0")
    await loads.load(loads.open)
    ages = await loads.ages()
    assert {n + 1000 for n in range(7, ROWS + 1, 7)} <= set(ages)
    # what was changed on a day that is over comes once
    assert all(ages[n] == 1 for n in range(1, 80) if n % 7)
    postgres_server.run(f"UPDATE {table} SET age = age + 1000 WHERE age > 1000")
    await loads.load(loads.open)
    assert {n + 2000 for n in range(7, ROWS + 1, 7)} <= set(await loads.ages())


@pytest.mark.parametrize(
    ("offset", "lag", "over"),
    [
        ("+00:00", "", "2026-09-09 12:00"),
        ("+14:00", "", "2026-09-09 12:00"),
        ("-11:00", "", "2026-09-09 12:00"),
        ("+00:00", ", lag: 1h", "2026-09-09 13:00"),
    ],
)
async def test_a_day_is_over_in_every_zone_whatever_the_offset_of_the_map(
    postgres_server: PostgresServer,
    table: str,
    tmp_path: Path,
    clock: Clock,
    offset: str,
    lag: str,
    over: str,
) -> None:
    postgres_server.run(f"ALTER TABLE {table} ALTER changed TYPE date USING DATE '2026-09-08' - age % 3")
    text = MAP.replace("TABLE", table).replace("since: changed", f"since: changed{lag}")
    loads = Loads(tmp_path, postgres_server, text + f'utc_offset: "{offset}"\n', clock)
    of_a_day = [sum(n % 3 == days for n in range(1, ROWS + 1)) for days in range(3)]
    before = "2026-09-09 11:59:59.999999" if not lag else "2026-09-09 12:59:59.999999"
    moments = ("2026-09-08 11:59:59.999999", "2026-09-08 12:59:59", before, before, over, over)
    found = await loads.load_at(clock, *moments)
    two, one = of_a_day[0] + of_a_day[1], of_a_day[0]
    assert found == [ROWS, two, two if lag else one, one, one, 0]


@pytest.mark.parametrize("offset", ["+00:00", "+08:00"])
@pytest.mark.parametrize("type", ["timestamp", "timestamptz"])
async def test_rows_of_the_second_in_which_a_load_began_come_again(
    postgres_server: PostgresServer, table: str, tmp_path: Path, clock: Clock, type: str, offset: str
) -> None:
    local = "2026-09-08 20:00:00" if (type, offset) == ("timestamp", "+08:00") else "2026-09-08 12:00:00"
    postgres_server.run(f"ALTER TABLE {table} ALTER changed TYPE {type} USING '{local}+00'::{type}")
    text = MAP.replace("TABLE", table) + f'utc_offset: "{offset}"\n'
    loads = Loads(tmp_path, postgres_server, text, clock)
    began = [f"2026-09-08 12:00:{second}" for second in ("00", "00.999999", "01", "01")]
    assert await loads.load_at(clock, *began) == [ROWS, ROWS, ROWS, 0]
    # one that comes only once it is older than `lag` comes once
    text = text.replace("since: changed", "since: changed, lag: 1h")
    loads = Loads(tmp_path, postgres_server, text, clock)
    older = [f"2026-09-08 {time}" for time in ("12:59:59.999999", "13:00:00", "13:00:00")]
    assert await loads.load_at(clock, *older) == [0, ROWS, 0]


@pytest.mark.parametrize("steps", [1, 7, 9])
async def test_a_load_cut_off_behind_a_day_that_is_not_over_hides_nothing_of_it(
    postgres_server: PostgresServer, table: str, tmp_path: Path, clock: Clock, steps: int
) -> None:
    postgres_server.run(f"ALTER TABLE {table} ALTER changed TYPE date USING DATE '2026-09-07' + age / 50")
    clock.set("2026-09-08 06:00")
    loads = Loads(tmp_path, postgres_server, MAP.replace("TABLE", table), clock)
    with pytest.raises(LogError):
        await loads.load(loads.open, steps=steps)
    postgres_server.run(f"UPDATE {table} SET age = age + 1000 WHERE age < 50")
    await loads.load(loads.open)
    await loads.load(loads.open)
    assert set(range(1001, 1050)) <= set(await loads.ages())


async def test_a_load_cut_off_within_a_number_that_many_rows_share_hides_nothing_of_it(
    postgres_server: PostgresServer, table: str, tmp_path: Path
) -> None:
    postgres_server.run(f"ALTER TABLE {table} ALTER changed TYPE int USING 1")
    loads = Loads(tmp_path, postgres_server, MAP.replace("TABLE", table))
    with pytest.raises(LogError):
        await loads.load(loads.open, steps=5)
    postgres_server.run(f"UPDATE {table} SET age = age + 1000")
    postgres_server.run(f"UPDATE {table} SET changed = 2 WHERE age % 2 = 1")
    await loads.load(loads.open)
    await loads.load(loads.open)
    assert set(range(1001, 1001 + ROWS)) <= set(await loads.ages())


async def test_a_load_cut_off_among_rows_without_a_place_in_the_order_goes_on_there(
    postgres_server: PostgresServer, table: str, tmp_path: Path
) -> None:
    postgres_server.run(f"UPDATE {table} SET changed = 'infinity'")
    loads = Loads(tmp_path, postgres_server, MAP.replace("TABLE", table))
    with pytest.raises(LogError):
        await loads.load(loads.open, steps=3)
    loader = await loads.load(loads.open)
    assert (loader.went_on, loader.counts["records"]) == (30, ROWS - 30)
    assert set((await loads.ages()).values()) == {1}
    assert (await loads.load(loads.open)).counts["records"] == ROWS


@pytest.mark.parametrize("steps", [1, 5, 9])
async def test_a_load_cut_off_within_a_day_hides_nothing_of_it(
    postgres_server: PostgresServer, table: str, tmp_path: Path, steps: int
) -> None:
    postgres_server.run(f"ALTER TABLE {table} ALTER changed TYPE date USING current_date")
    loads = Loads(tmp_path, postgres_server, MAP.replace("TABLE", table))
    with pytest.raises(LogError):
        await loads.load(loads.open, steps=steps)
    postgres_server.run(f"UPDATE {table} SET age = age + 1000")
    loader = await loads.load(loads.open)
    assert (loader.went_on, loader.counts["records"]) == (steps * 10, ROWS - steps * 10)
    await loads.load(loads.open)
    assert {n + 1000 for n in range(1, ROWS + 1)} <= set(await loads.ages())


_ODD = ["infinity", "-infinity", "9998-01-01", "0044-03-15 BC"]


@pytest.mark.parametrize("type", ["date", "timestamp", "timestamptz"])
@pytest.mark.parametrize("lag", ["", ", lag: 1s"])
async def test_a_time_without_a_place_in_the_order_hides_no_other_row(
    postgres_server: PostgresServer, table: str, tmp_path: Path, type: str, lag: str
) -> None:
    postgres_server.run(f"ALTER TABLE {table} ALTER changed TYPE {type} USING changed::{type}")
    for age, odd in enumerate(_ODD, 1):
        postgres_server.run(f"UPDATE {table} SET changed = '{odd}' WHERE age = {age}")
    text = MAP.replace("TABLE", table).replace("since: changed", f"since: changed{lag}")
    loads = Loads(tmp_path, postgres_server, text)
    assert (await loads.load(loads.open)).counts["records"] == ROWS
    assert loads.tables[-1].ahead == 3
    postgres_server.run(f"UPDATE {table} SET changed = changed + interval '1 day', age = 1050 WHERE age = 50")
    loader = await loads.load(loads.open)
    ages = await loads.ages()
    assert (loader.counts["records"], ages[1050]) == (4, 1)
    assert [ages[age] for age in (1, 2, 3, 4, 5)] == [2, 2, 2, 1, 1]
    for steps in (1, 30, 46, 47):
        cut = Loads(tmp_path, postgres_server, text)
        with pytest.raises(LogError):
            await cut.load(cut.open, steps=steps, batch=2)
        await cut.load(cut.open)
        assert set((await cut.ages()).values()) == {1}
        assert len(await cut.ages()) == ROWS


@pytest.mark.parametrize("odd", ["", "numeric NaN", "float8 NaN", "float8 Infinity", "numeric -Infinity"])
async def test_numbers_that_many_rows_share_are_read_until_there_is_a_greater_one(
    postgres_server: PostgresServer, table: str, tmp_path: Path, odd: str
) -> None:
    type, _, value = (odd or "int").partition(" ")
    postgres_server.run(f"ALTER TABLE {table} ADD batch {type}")
    postgres_server.run(f"UPDATE {table} SET batch = age / 10")
    if odd:
        postgres_server.run(f"UPDATE {table} SET batch = '{value}' WHERE age = 1")
    text = MAP.replace("TABLE", table).replace("since: changed", "since: batch")
    loads = Loads(tmp_path, postgres_server, text)
    assert (await loads.load(loads.open)).counts["records"] == ROWS
    postgres_server.run(f"UPDATE {table} SET batch = 9, age = 1000 + age WHERE age BETWEEN 21 AND 30")
    await loads.load(loads.open)
    postgres_server.run(f"UPDATE {table} SET batch = 10, age = 1000 + age WHERE age BETWEEN 41 AND 50")
    await loads.load(loads.open)
    assert {*range(1021, 1031), *range(1041, 1051)} <= set(await loads.ages())
    loader = await loads.load(loads.open)
    assert loader.counts["records"] == 10 + bool(odd)


async def test_a_place_from_before_its_clock_was_set_back_hides_nothing(
    postgres_server: PostgresServer, table: str, tmp_path: Path
) -> None:
    loads = Loads(tmp_path, postgres_server, MAP.replace("TABLE", table))
    await loads.load(loads.open)
    loads.checkpoints.kept["load"] = orjson.dumps({"since": "infinity", "key": "f" * 64, "number": 0})
    assert (await loads.load(loads.open)).counts["records"] == ROWS
    assert (await loads.load(loads.open)).counts["records"] == 0


async def test_a_database_that_is_away_leaves_the_place_as_it_is(
    postgres_server: PostgresServer, table: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = Loads(tmp_path, postgres_server, MAP.replace("TABLE", table))
    await loads.load(loads.open)
    kept = dict(loads.checkpoints.kept)
    monkeypatch.setenv("PGPASSWORD", "another word")
    with pytest.raises(InputError, match="expected a database that can be read"):
        await loads.load(loads.open)
    assert loads.checkpoints.kept == kept


async def test_what_does_not_grow_is_no_since(
    postgres_server: PostgresServer, table: str, tmp_path: Path
) -> None:
    text = MAP.replace("TABLE", table).replace("since: changed", "since: msisdn")
    loads = Loads(tmp_path, postgres_server, text)
    said = r"postgres\.since: expected a number or a time in the column of `since`, msisdn: a query can"
    with pytest.raises(InputError, match=said):
        await loads.load(loads.open)


async def test_local_times_lag_behind_the_local_clock(
    postgres_server: PostgresServer, table: str, tmp_path: Path
) -> None:
    postgres_server.run(f"ALTER TABLE {table} ALTER changed TYPE timestamp USING changed")
    postgres_server.run(
        f"UPDATE {table} SET changed = now() AT TIME ZONE 'UTC' - interval '5 h' WHERE age = 5"
    )
    text = MAP.replace("TABLE", table).replace("since: changed", "since: changed, lag: 1h")
    loads = Loads(tmp_path, postgres_server, text + 'utc_offset: "-05:00"\n')
    assert (await loads.load(loads.open)).counts["records"] == ROWS - 1
    assert 5 not in await loads.ages()


async def test_rows_without_a_place_in_the_order_are_told(
    postgres_server: PostgresServer, table: str, tmp_path: Path
) -> None:
    postgres_server.run(f"UPDATE {table} SET changed = NULL WHERE age = 5")
    loads = Loads(tmp_path, postgres_server, MAP.replace("TABLE", table))
    loader = await loads.load(loads.open)
    assert loader.counts["records"] == ROWS - 1
    assert loads.tables[0].left_out == 1


async def test_a_query_may_hold_percent_signs_and_can_change_nothing(
    postgres_server: PostgresServer, table: str, tmp_path: Path
) -> None:
    query = f"query: \"SELECT * FROM {table} WHERE msisdn LIKE '%5' AND age % 2 = 1;\""
    loads = Loads(tmp_path, postgres_server, MAP.replace("table: TABLE", query))
    loader = await loads.load(loads.open)
    assert loader.counts["records"] == 10
    commented = MAP.replace("table: TABLE", f"query: 'SELECT * FROM {table} -- all of them'")
    assert (await Loads(tmp_path, postgres_server, commented).load(loads.open)).counts["refused"] == 0
    query = f'query: "SELECT * FROM {table}"'
    loads = Loads(
        tmp_path,
        postgres_server,
        MAP.replace("table: TABLE", query).replace("imsi, required", "imis, required"),
    )
    with pytest.raises(
        InputError,
        match=r"map\.yaml:5:8: imsi\.column: expected a column of the list \(did you mean `imsi`\?\)",
    ):
        await loads.load(loads.open)
    loads = Loads(tmp_path, postgres_server, MAP.replace("table: TABLE", "query: \"SELECT nextval('x')\""))
    with pytest.raises(InputError, match="expected a database that can be read"):
        await loads.load(loads.open)


def test_a_dry_run_reads_all_and_says_no_password(
    postgres_server: PostgresServer, table: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = tmp_path / "rules" / "catalog"
    rules.mkdir(parents=True)
    (rules / "fields.yaml").write_text(
        "age: {type: number, say: Age}\narpu: {type: money, say: Spend}\n"
        "tags: {type: set, say: Labels}\nnote: {say: Birthday}\n"
    )
    path = _written(tmp_path, MAP.replace("TABLE", table))
    arguments = [
        "load",
        "profiles",
        postgres_server.url,
        "--map",
        str(path),
        "--dry-run",
        "--rules",
        str(rules.parent),
    ]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert f"subscribers {ROWS}" in " ".join(result.stdout.split())
    assert "4600000000" not in result.output
    postgres_server.run(f"UPDATE {table} SET changed = 'infinity' WHERE age = 5")
    postgres_server.run(f"UPDATE {table} SET changed = NULL WHERE age = 6")
    result = CliRunner().invoke(app, arguments)
    told = " ".join(result.stderr.split())
    assert "1 rows were left out: they have no value in the column of `since` or `key`" in told
    assert "1 rows came though their `since` is infinite or ahead of the database's clock" in told
    monkeypatch.setenv("PGPASSWORD", "another word")
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "password authentication failed" in result.stderr
    assert "another word" not in result.output
    arguments[2] = postgres_server.url.replace("@", ":secret@")
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "URL: expected an address without password (PGPASSWORD or ~/.pgpass have it), was" in result.stderr
    assert "secret" not in result.output


def _written(folder: Path, text: str) -> Path:
    path = folder / "another.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_places_are_known_by_their_shape(tmp_path: Path) -> None:
    path = _written(tmp_path, MAP.replace("fields: {age: age, arpu: arpu, tags: labels, note: Born}", ""))
    rows = Table(Address("postgresql://crm@db.example/crm"), FileMap(path, "profiles", {}), KEY, source="crm")
    with pytest.raises(InputError, match="--anew loads all of it again"):
        rows.go_on(orjson.dumps({"offset": 3}))
    assert rows.place() == b""
