"""Delimited and Parquet files by a map: what rows become, what is refused and where, where a load goes on."""

from __future__ import annotations

import gzip
from contextlib import suppress
from pathlib import Path

import orjson
import pyarrow as pa
import pytest
from pyarrow import parquet

from connectors.loads.delimited import Delimited
from connectors.loads.load_map import FileMap
from connectors.loads.parquet import Parquet
from connectors.loads.rows import LineRows, mark_of
from engine.errors import InputError, LogError
from engine.intake import SIZE_AT_MOST, Intake
from engine.loading import Loader
from tests.unit.loads.support import IMSI, NOW, NUMBER, World

HOUR = 3_600_000_000
PLAIN = "map: crm\nload: profiles\nimsi: IMSI\nmsisdn: MSISDN\nfields: {tier: VIP, age: AGE}\n"
HEADER = "IMSI,MSISDN,VIP,AGE,NAME"


class Lists(World):
    """Delimited files by a map."""

    def delimited(self, file_map: FileMap, intake: Intake, source: str) -> Delimited:
        """Open the file."""
        return Delimited(self.path.parent / source, file_map, intake, source=source)

    def parquet(self, file_map: FileMap, intake: Intake, source: str) -> Parquet:
        """Open the file."""
        return Parquet(self.path.parent / source, file_map, source=source)

    def write(self, *lines: str, encoding: str = "utf-8") -> None:
        """Write the list."""
        (self.path.parent / "list").write_bytes("\n".join([*lines, ""]).encode(encoding))


async def test_columns_go_by_their_names_and_others_are_not_looked_at(tmp_path: Path) -> None:
    lists = Lists(tmp_path, PLAIN)
    lists.write(HEADER, f'{IMSI}, 13912345678 ,"gold",42,"Li, Lei"', f"{IMSI},,silver,,x")
    loader = await lists.load(lists.delimited)
    assert loader.counts["records"] == 2
    first, second = await lists.records()
    assert first == {
        "kind": "profile.update",
        "t": NOW,
        "subscriber_key": lists.key(),
        "msisdn": NUMBER,
        "profile": {"tier": "gold", "age": 42},
        "source": "list",
    }
    assert second["profile"] == {"tier": "silver"}
    assert "msisdn" not in second


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-8"])
@pytest.mark.parametrize("separator", ["tab", "|", "\\1", ";"])
async def test_any_separator_and_encoding_without_a_header(
    tmp_path: Path, encoding: str, separator: str
) -> None:
    one = {"tab": "\t", "\\1": "\x01"}.get(separator, separator)
    text = (
        f"map: crm\nload: profiles\n"
        f"csv: {{separator: '{separator}', encoding: {encoding}, header: no, skip: 1}}\n"
        "imsi: '2'\nfields: {note: '4'}\n"
    )
    lists = Lists(tmp_path, text)
    lists.write("报表", one.join(["x", IMSI, "y", "中文|注" if one != "|" else "中文注"]), encoding=encoding)
    await lists.load(lists.delimited)
    assert lists.told() == []
    [profile] = await lists.profiles()
    assert profile["note"].startswith("中文")


async def test_an_empty_cell_leaves_a_field_or_makes_it_unknown(tmp_path: Path) -> None:
    text = (
        "map: crm\nload: profiles\nempty: unknown\nnulls: [NULL]\n"
        "imsi: {column: IMSI, required: yes}\nmsisdn: MSISDN\n"
        "timezone: ZONE\nconsent: {marketing: OK}\nfields: {tier: VIP, age: {column: AGE, empty: leave}}\n"
    )
    lists = Lists(tmp_path, text)
    lists.write("IMSI,MSISDN,VIP,AGE,ZONE,OK", f"{IMSI},NULL,,NULL,,", "NULL,,gold,1,,")
    await lists.load(lists.delimited)
    [record] = await lists.records()
    assert record["profile"] == {"tier": None, "timezone": None}
    assert record["consent"] == {"marketing": None}
    assert lists.told() == ["list:3: imsi: expected a value, was nothing"]


@pytest.mark.parametrize(
    ("otherwise", "profile"), [("leave", {"age": 1}), ("unknown", {"age": 1, "tier": None})]
)
async def test_a_text_outside_of_a_closed_list_is_what_the_map_says(
    tmp_path: Path, otherwise: str, profile: dict[str, object]
) -> None:
    lists = Lists(tmp_path, PLAIN.replace("VIP", f"{{column: VIP, otherwise: {otherwise}}}"))
    lists.write(HEADER, f"{IMSI},,platinum,1,", f"{IMSI},,platinum,1,")
    await lists.load(lists.delimited)
    assert await lists.profiles() == [profile, profile]
    assert lists.readers[0].outside == {("tier", "'platinum'"): 2}


async def test_wrong_rows_are_refused_one_by_one_and_show_nobody(tmp_path: Path) -> None:
    lists = Lists(tmp_path, PLAIN + "subscriber: NAME\n")
    lists.write(
        HEADER,
        f"{IMSI},13912345678,platinum,1,",
        f"{IMSI},13912345678.0,gold,1,",
        f"{IMSI}.0,,gold,1,",
        "46000,,gold,1,",
        f'{IMSI},"13912345678,gold,1,',
        f"{IMSI},13912345678,gold",
        ",,gold,1,",
        f"{IMSI},,gold,old,",
        f"{IMSI},,gold,1,",
    )
    raw = (tmp_path / "list").read_bytes()
    (tmp_path / "list").write_bytes(raw + b"\xff," * 5 + b"\n")
    loader = await lists.load(lists.delimited)
    assert lists.told() == [
        "list:2: tier: expected one of silver, gold, was 'platinum'",
        "list:3: msisdn: expected digits, was 13 characters, .0 at the end",
        "list:4: imsi: expected digits, was 17 characters, .0 at the end",
        "list:5: identity: expected 15 digits in imsi, was 5 characters",
        "list:6: line: expected quotes around whole cells, doubled inside of them, "
        "was one that does not close, or text behind it",
        "list:7: columns: expected 5 columns, as the header, was 3",
        "list:8: identity: expected imsi, msisdn or subscriber, was none of them",
        "list:9: age: expected a number, was 'old'",
        "list:11: line: expected text in utf-8, was not from byte 0",
    ]
    assert loader.counts == {"lines": 10, "records": 1, "opted_out": 0, "refused": 9}
    letters = b"".join(lists.checkpoints.dead)
    assert b"4600012" not in letters
    assert b"1391234" not in letters


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (
            "IMSI,MSISDN,VIB,AGE",
            r"map\.yaml:5:10: fields\.tier: expected a column of the list \(did you mean `VIB`\?\)",
        ),
        ("a,b,c", "list:1: expected a header with the column IMSI and others"),
        ("IMSI,MSISDN,VIP,AGE,VIP", "list:1: expected the column VIP once, was '2 times'"),
        (f"{IMSI},13912345678,gold,1", "list:1: expected a header with the column IMSI and others"),
    ],
)
async def test_a_header_without_the_columns_is_an_error(tmp_path: Path, header: str, said: str) -> None:
    lists = Lists(tmp_path, PLAIN)
    lists.write(header, f"{IMSI},,gold,1,")
    with pytest.raises(InputError, match=said) as caught:
        await lists.load(lists.delimited)
    assert IMSI not in str(caught.value)


BROKEN = [
    ("IMSI,MSISDN,VIP,AGE,NAME", ['{imsi},,gold,1,"Li', 'Lei"']),
    ("NAME,IMSI,MSISDN,VIP,AGE", ['"Li', 'Lei",{imsi},,gold,1']),
    ("NAME,IMSI,MSISDN,VIP,AGE", ['"Li ""x""', "and", 'Lei",{imsi},,gold,1']),
    ("IMSI,NAME,MSISDN,VIP,AGE", ['{imsi},"Li', "{imsi},Lei", '",,gold,1']),
]


@pytest.mark.parametrize(("header", "row"), BROKEN)
@pytest.mark.parametrize("steps", [None, 1, 2, 3])
async def test_a_line_break_in_quotes_ends_a_row_and_all_its_pieces_are_refused(
    tmp_path: Path, header: str, row: list[str], steps: int | None
) -> None:
    lists = Lists(tmp_path, PLAIN)
    sound = dict(zip(header.split(","), "-" * 5, strict=True))
    sound |= {"IMSI": IMSI, "MSISDN": "", "VIP": "gold", "AGE": "7", "NAME": 'Jim 5"'}
    whole = ",".join(sound[column] for column in header.split(","))
    pieces = [piece.format(imsi="460001111111111") for piece in row]
    lists.write(header, *pieces, whole, whole)
    if steps is not None:
        with suppress(LogError):
            await lists.load(lists.delimited, batch=1, steps=steps)
    loader = await lists.load(lists.delimited, batch=1)
    assert [profile["age"] for profile in await lists.profiles()] == [7, 7]
    told = {line.partition(": ")[0] for line in lists.told()}
    assert told == {f"list:{number}" for number in range(2, 2 + len(pieces))}
    if steps is None:
        assert loader.counts == {
            "lines": 2 + len(pieces),
            "records": 2,
            "opted_out": 0,
            "refused": len(pieces),
        }


async def test_a_header_that_is_too_long_is_told_once(tmp_path: Path) -> None:
    lists = Lists(tmp_path, PLAIN)
    lists.write("x" * (SIZE_AT_MOST + 1), HEADER, f"{IMSI},,gold,1,")
    with pytest.raises(InputError, match="list:1: expected a header, was 'nothing'"):
        await lists.load(lists.delimited)


async def test_a_file_of_another_encoding_is_told(tmp_path: Path) -> None:
    lists = Lists(tmp_path, PLAIN)
    lists.write(HEADER, encoding="utf-16")
    with pytest.raises(InputError, match="list:1: expected text in utf-8, was 'UTF-16'"):
        await lists.load(lists.delimited)
    (tmp_path / "list").write_bytes(b"")
    loader = await lists.load(lists.delimited)
    assert loader.counts["lines"] == 0


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("steps", [0, 1, 4])
async def test_a_file_that_was_cut_off_goes_on_where_it_was(tmp_path: Path, steps: int, packed: bool) -> None:
    lists = Lists(tmp_path, PLAIN)
    lists.write(HEADER, *(f"46000{n:010},,{'gold' if n % 7 else 'lead'},{n}," for n in range(1, 64)))
    if packed:
        (tmp_path / "list").write_bytes(gzip.compress((tmp_path / "list").read_bytes()))
    with pytest.raises(LogError):
        await lists.load(lists.delimited, steps=steps)
    loader = await lists.load(lists.delimited)
    assert loader.went_on == (steps * 10 + 1 if steps else 0)
    ages = sorted(profile["age"] for profile in await lists.profiles())
    assert ages == [n for n in range(1, 64) if n % 7]
    assert len(lists.checkpoints.dead) == 9
    assert lists.checkpoints.kept == {}, "it is done: nothing is kept"
    await lists.load(lists.delimited)
    assert len(await lists.records()) == 2 * len(ages)


async def test_a_list_of_columns_that_was_cut_off_knows_its_header_again(tmp_path: Path) -> None:
    lists = Lists(tmp_path, PLAIN)
    lists.write("name,msisdn", *(f"x,139{n:08}" for n in range(35)))
    with pytest.raises(LogError):
        await _optouts(lists, 2)
    loader = await _optouts(lists, None)
    assert loader.went_on == 21
    assert len({record["subscriber_key"] for record in await lists.records()}) == 35
    assert len(await lists.records()) == 35
    assert lists.refusals == []


async def _optouts(lists: Lists, steps: int | None) -> Loader:
    lists.readers = []

    def rows(_: FileMap, intake: Intake, source: str) -> LineRows:
        return LineRows(lists.path.parent / source, intake, source=source)

    return await lists.load(rows, steps=steps, reader="optouts")


async def test_parquet_is_read_by_groups_and_goes_on(tmp_path: Path) -> None:
    lists = Lists(tmp_path, PLAIN.replace("age: AGE", "age: AGE, tags: L, data.month: MB"))
    rows = 95
    columns = {
        "IMSI": [f"46000{n:010}" for n in range(rows)],
        "MSISDN": [13900000000 + n for n in range(rows)],
        "VIP": pa.array(["gold"] * rows).dictionary_encode(),
        "AGE": [float(n) if n else float("nan") for n in range(rows)],
        "L": [["a", str(n)] for n in range(rows)],
        "MB": [None] * rows,
        "NAME": ["not read"] * rows,
    }
    parquet.write_table(pa.table(columns), tmp_path / "list", row_group_size=20)
    with pytest.raises(LogError):
        await lists.load(lists.parquet, steps=3)
    loader = await lists.load(lists.parquet)
    assert (loader.went_on, loader.counts["records"]) == (30, 65)
    records = await lists.records()
    assert sorted(record["profile"].get("age", 0) for record in records) == list(range(rows))
    assert {record["msisdn"] for record in records} == {f"+86{13900000000 + n}" for n in range(rows)}
    assert records[0]["profile"]["tags"][0] == "a"


async def test_a_time_in_parquet_that_is_none_costs_its_own_row(tmp_path: Path) -> None:
    lists = Lists(tmp_path, PLAIN.replace("tier: VIP", "tags: WHEN"))
    when = pa.array([0, 2**55, None, 86_400_000], pa.int64()).cast(pa.timestamp("ms"), safe=False)
    columns = {"IMSI": [f"46000{n:010}" for n in range(4)], "MSISDN": [None] * 4, "AGE": [1, 2, 3, 4]}
    parquet.write_table(pa.table({**columns, "WHEN": when}), tmp_path / "list")
    loader = await lists.load(lists.parquet)
    assert (loader.counts["records"], loader.counts["refused"]) == (3, 1)
    assert [record["profile"]["age"] for record in await lists.records()] == [1, 3, 4]
    (refused,) = [orjson.loads(letter) for letter in lists.checkpoints.dead]
    assert refused["reason"] == "time"
    assert "expected a time of the years 1 to 9999" in refused["detail"]
    assert "'WHEN': <a time Python can't hold>" in refused["raw"]


@pytest.mark.parametrize("is_coded", [False, True])
async def test_text_in_parquet_that_is_no_utf8_costs_its_own_row(tmp_path: Path, is_coded: bool) -> None:
    lists = Lists(tmp_path, PLAIN)
    tier = pa.array([b"gold", b"\xff", None, b"silver"], pa.binary()).view(pa.string())
    tier = tier.dictionary_encode() if is_coded else tier
    columns = {"IMSI": [f"46000{n:010}" for n in range(4)], "MSISDN": [None] * 4, "AGE": [1, 2, 3, 4]}
    parquet.write_table(pa.table({**columns, "VIP": tier}), tmp_path / "list")
    loader = await lists.load(lists.parquet)
    assert (loader.counts["records"], loader.counts["refused"]) == (3, 1)
    (refused,) = [orjson.loads(letter) for letter in lists.checkpoints.dead]
    assert "tier: expected UTF-8, was not from byte 0" in refused["detail"]


async def test_damaged_parquet_and_columns_that_are_missing_are_told(tmp_path: Path) -> None:
    lists = Lists(tmp_path, PLAIN)
    parquet.write_table(
        pa.table({"IMSI": [IMSI], "MSISDN": [NUMBER], "VIB": ["gold"], "AGE": [1]}), tmp_path / "list"
    )
    with pytest.raises(
        InputError,
        match=r"map\.yaml:5:10: fields\.tier: expected a column of the list \(did you mean `VIB`\?\)",
    ):
        await lists.load(lists.parquet)
    (tmp_path / "list").write_bytes((tmp_path / "list").read_bytes()[:-20])
    with pytest.raises(InputError, match="expected Parquet to its end"):
        await lists.load(lists.parquet)


async def test_identities_that_were_calculated_with_are_refused(tmp_path: Path) -> None:
    lists = Lists(tmp_path, PLAIN)
    columns = {"IMSI": [float(IMSI)], "MSISDN": [None], "VIP": ["gold"], "AGE": [1]}
    parquet.write_table(pa.table(columns), tmp_path / "list")
    await lists.load(lists.parquet)
    assert lists.told() == ["list:1: imsi: expected text or a whole number, was a fraction"]
    assert b"460001" not in b"".join(lists.checkpoints.dead)


async def test_consents_and_opt_outs_come_by_a_map_too(tmp_path: Path) -> None:
    text = "map: dnc\nload: {}\nmsisdn: Tel\n"
    lists = Lists(tmp_path, text.format("optouts"), "optouts")
    lists.write("Tel,Since", "139-1234-5678,2026", "12,2026")
    own = lists.identity.of_msisdn(NUMBER)
    assert own is not None
    await lists.load(lists.delimited)
    assert await lists.optouts.holds([own]) == [True]
    assert [refusal.position for refusal in lists.refusals] == ["list:3"]
    consents = (
        text.format("consents")
        + "consent: {marketing: {column: Since, values: {'2026': yes, x: no}}, location: L}\n"
    )
    lists.path.write_text(consents, encoding="utf-8")
    lists.map = FileMap(lists.path, "consents", {})
    lists.write("Tel,Since,L", "13912345678,2026,n", "13912345678,,")
    await lists.load(lists.delimited)
    assert await lists.optouts.holds([own]) == [False]
    assert (await lists.records())[-1]["consent"] == {"marketing": True, "location": False}
    assert lists.told()[-1].endswith(
        "consent: expected a value for marketing, profiling or location, was none"
    )


COMPLAINTS = (
    "map: c\nload: complaints\nutc_offset: '+08:00'\nmsisdn: Tel\nt: {column: At, format: iso}\n"
    "about: {column: About, values: {'7': spam, '8': bill}, otherwise: leave}\n"
)


async def test_complaints_have_ids_that_stay_and_times_that_engines_take(tmp_path: Path) -> None:
    lists = Lists(tmp_path, COMPLAINTS, "complaints")
    # NOW is 2026-09-10 08:26:40 in Beijing
    rows = (
        "13912345678,2026-09-10 07:26:40,7",
        "+86 139 1234 5678,2026-09-09T23:26:40+00:00,7",
        "13912345678,2026-09-10 07:26:40,8",
        "13912345678,2026-09-10 07:26:40,9",
        "13912345678,2026-09-10 09:00:00,7",
        "13912345678,2026-09-10 10:00:00,7",
        "13912345678,2026-09-07 08:00:00,7",
        "13912345678,,7",
    )
    lists.write("Tel,At,About", *rows)
    await lists.load(lists.delimited)
    records = await lists.records()
    assert [(record["kind"], record["t"], record.get("about")) for record in records] == [
        ("complaint", NOW - HOUR, "spam"),
        ("complaint", NOW - HOUR, "spam"),
        ("complaint", NOW - HOUR, "bill"),
        ("complaint", NOW - HOUR, None),
        ("complaint", NOW, "spam"),
    ]
    ids = [record["id"] for record in records]
    assert ids[0] == ids[1], "one complaint, written in two ways"
    assert len(set(ids)) == 4
    assert [refusal.reason for refusal in lists.refusals] == ["time", "late", "time"]
    lists.identity.bind(IMSI, NUMBER)
    lists.now += HOUR
    await lists.load(lists.delimited)
    again = await lists.records()
    assert {record["subscriber_key"] for record in again} == {
        lists.identity.of_imsi(IMSI),
        records[0]["subscriber_key"],
    }
    assert {record["id"] for record in again if record["t"] < NOW} == set(ids[:4])


async def test_a_ticket_is_the_id_of_a_complaint(tmp_path: Path) -> None:
    lists = Lists(tmp_path, COMPLAINTS + "id: Ticket\n", "complaints")
    rows = (
        "13912345678,2026-09-10 07:26:40,7,T1",
        "13912345678,2026-09-10 07:00:00,8,T1",
        "13912345678,2026-09-10 07:00:00,8,T2",
    )
    lists.write("Tel,At,About,Ticket", *rows)
    await lists.load(lists.delimited)
    ids = [record["id"] for record in await lists.records()]
    assert (ids[0] == ids[1], len(set(ids))) == (True, 2)
    assert all("T1" not in id for id in ids)


def test_a_file_is_another_one_once_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(b"x" * 200_000)
    mark = mark_of(path, b"key", "optouts")
    assert mark == mark_of(path, b"key", "optouts") != mark_of(path, b"key", "consents")
    path.write_bytes(b"x" * 199_999 + b"y")
    assert mark != mark_of(path, b"key", "optouts")
    with pytest.raises(InputError, match="expected a file that can be read"):
        mark_of(tmp_path / "none", b"key")
