"""Maps of loads: every mistake is told with its line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.loads.load_map import FileMap
from engine.cli.load import COMPLAINTS
from engine.errors import InputError
from tests.unit.loads.support import FIELDS

HEAD = "map: crm\nload: profiles\nimsi: IMSI\n"

MISTAKES = [
    ("", "1:1: map: expected a value"),
    ("- a\n", "1:1: expected a map of a load: names with a colon each, was 'something else'"),
    ("map: [\n", "2:1: expected YAML, was"),
    ("load: profiles\nimsi: A\n", "1:1: map: expected a value, was 'nothing'"),
    (
        "map: crm\nload: people\nimsi: A\n",
        "2:1: load: expected 'profiles', 'consents', 'optouts' or 'complaints'",
    ),
    (
        "map: crm\nload: consents\nimsi: A\nconsent: {marketing: B}\n",
        "2:1: load: expected profiles, as the command says",
    ),
    (
        "map: crm\nload: profiles\nfields: {age: A}\n",
        "1:1: expected imsi, msisdn or subscriber, was 'none of them'",
    ),
    (HEAD + "colour: red\n", "4:1: colour: expected a known key, was 'colour'"),
    (
        HEAD + "t: {column: T, format: iso}\n",
        "4:1: t: expected consent, fields, imsi, msisdn, subscriber, timezone in",
    ),
    (HEAD + "csv: {separator: ab}\n", "4:7: csv.separator: expected one character or one of tab"),
    (
        HEAD + "csv: {encoding: latin-1}\n",
        "4:7: csv.encoding: expected 'utf-8', 'gbk' or 'gb18030', was 'latin-1'",
    ),
    (HEAD + "csv: {header: perhaps}\n", "4:7: csv.header: expected a valid boolean"),
    (
        HEAD + "utc_offset: Beijing\n",
        "4:1: utc_offset: expected an offset such as +08:00, was \"'Beijing'\"",
    ),
    (
        HEAD + "fields:\n  tiers: T\n",
        "5:3: fields.tiers: expected a field of catalog/fields.yaml (did you mean `tier`?), was 'tiers'",
    ),
    (
        HEAD + "fields:\n  arpu: {column: A, unit: dollar}\n",
        "5:21: fields.arpu.unit: expected a unit of money: yuan, fen, was 'dollar'",
    ),
    (
        HEAD + "fields:\n  tier: {column: A, unit: fen}\n",
        "5:21: fields.tier.unit: expected no unit of text, was 'fen'",
    ),
    (
        HEAD + "fields:\n  age: {column: A, separator: ','}\n",
        "5:20: fields.age.separator: expected it with a field of type set only, was 'number'",
    ),
    (
        HEAD + "fields:\n  tier: {column: A, values: {1: gold,\n    2: silber}}\n",
        "6:5: fields.tier.values.2: expected a value of tier (did you mean `silver`?), was 'silber'",
    ),
    (
        HEAD + "fields:\n  handset.mms: {column: A, values: {1: maybe}}\n",
        "5:37: fields.handset.mms.values.1: expected yes or no, was 'maybe'",
    ),
    (
        HEAD + "fields:\n  tier: {constant: platinum}\n",
        "5:10: fields.tier.constant: expected one of silver, gold, was 'platinum'",
    ),
    (HEAD + "timezone: {constant: Mars/Base}\n", "4:12: timezone.constant: expected the name of a timezone"),
    (
        HEAD + "consent: {marketing: {constant: perhaps}}\n",
        "4:23: consent.marketing.constant: expected yes or no (true false y n 1 0 是 否), was 'perhaps'",
    ),
    (HEAD + "fields:\n  age: {constant: old}\n", "5:9: fields.age.constant: expected a number, was"),
    (
        HEAD + "fields:\n  age: {column: A, constant: 3}\n",
        "5:3: fields.age: expected one of column and constant, was 'both'",
    ),
    (
        HEAD + "consent:\n  marketing: {column: A, values: {J: ja}}\n",
        "5:35: consent.marketing.values.J: expected yes or no, was 'ja'",
    ),
    (HEAD + "consent:\n  selling: A\n", "5:3: consent.selling"),
    (HEAD + "msisdn: {constant: '13912345678'}\n", "4:1: msisdn: expected a column, as it is, was"),
    (HEAD + "postgres: {}\n", "4:1: postgres: expected table or query, was 'none'"),
    (HEAD + "postgres: {table: a, query: b}\n", "4:1: postgres: expected table or query, was 'both'"),
    (HEAD + "postgres: {table: a, since: b}\n", "4:1: postgres: expected key beside since, was 'none'"),
    (
        HEAD + "postgres: {table: a, key: b, lag: 5m}\n",
        "4:1: postgres: expected since beside lag, was 'none'",
    ),
    (
        HEAD + "postgres: {table: a, key: b, since: c, lag: soon}\n",
        "4:40: postgres.lag: expected a length of time such as 5m",
    ),
]


@pytest.mark.parametrize(("text", "said"), MISTAKES)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        FileMap(path, "profiles", FIELDS)
    assert str(caught.value).startswith(f"{path}:")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("map: c\nload: complaints\nmsisdn: A\n", "1:1: expected t, the time of the complaint, was 'none'"),
        ("map: c\nload: complaints\nmsisdn: A\nt: B\n", "4:1: t: expected a format with t, and only there"),
        ("map: c\nload: complaints\nmsisdn: A\nt: {column: B, format: '%Q'}\n", "4:16: t.format: expected"),
        ("map: c\nload: complaints\nmsisdn: A\nt: {column: B, format: epoch h}\n", "iso, was 'epoch h'"),
        (
            "map: c\nload: complaints\nmsisdn: A\nt: {column: B, format: iso}\nfields: {age: C}\n",
            "5:10: fields.age",
        ),
    ],
)
def test_a_complaint_needs_its_time(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        FileMap(path, "complaints", FIELDS)
    assert said in str(caught.value)


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a map of a load that can be read"):
        FileMap(tmp_path / "none.yaml", "profiles", FIELDS)
    (tmp_path / "map.yaml").write_bytes(b"map: \xff\n")
    with pytest.raises(InputError, match="expected YAML"):
        FileMap(tmp_path / "map.yaml", "profiles", FIELDS)


def test_the_map_that_ships_is_one() -> None:
    assert FileMap(COMPLAINTS, "complaints", {}).columns == ("msisdn", "time", "about")
