"""`touchpoint map check`: rows column by column, counts over a sample, mistakes of the map."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.unit.cli.support import Touchpoint
from tests.unit.doors import samples

MAP = """map: small
source: s
kind: {column: 2, values: {"5": loc.update, "6": power.off}, otherwise: skip}
separator: pipe
columns: {at_least: 6}
fields:
  imsi: {column: 1}
  msisdn: {column: 6}
  t: {column: 3, type: time, format: epoch ms}
  cell: {template: "460-00-{eci}"}
  result: {column: 5, values: {"0": success}}
helpers:
  eci: {column: 4, type: hex}
id: [1, 3]
watch:
  number: {column: 6, digits: 13}
layout:
  1: IMSI, 15 digits
  4: ECI, hexadecimal
"""
ROW = "460001234567890|5|{t}|a1b2c3|0|8613912345678"
T = 1_788_740_000_123


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A small map."""
    path = tmp_path / "small.yaml"
    path.write_text(MAP, "utf-8")
    return path


def write(folder: Path, *rows: str, name: str = "sample.txt") -> Path:
    path = folder / name
    path.write_text("\n".join(rows), "utf-8")
    return path


def told(touchpoint: Touchpoint, *args: object) -> tuple[int, dict[str, Any]]:
    result = touchpoint("map", "check", *args, "--json")
    return result.exit_code, orjson.loads(result.stdout)


def test_rows_are_shown_column_by_column_and_nobody_is_named(
    touchpoint: Touchpoint, small: Path, tmp_path: Path
) -> None:
    sample = write(tmp_path, ROW.format(t=T), ROW.format(t="12x"), ROW.format(t=T + 1).replace("|5|", "|4|"))
    code, found = told(touchpoint, small, sample)
    assert code == 1
    first, second, third = found["rows"]
    values = {value["field"]: value for value in first["values"]}
    assert (first["line"], first["outcome"]) == (1, "loc.update")
    assert values["t"]["text"] == str(T)
    assert values["t"]["value"] == "2026-09-07 00:13:20.123Z"
    assert (values["eci"]["column"], values["eci"]["named"], values["eci"]["text"]) == (
        4,
        "ECI, hexadecimal",
        "a1b2c3",
    )
    assert (values["cell"]["column"], values["cell"]["value"]) == (None, "460-00-10597059")
    assert values["imsi"]["text"] == "<15 characters>"
    assert (second["outcome"], second["detail"]) == (
        "refused",
        "time: t: expected a time as epoch ms, was '12x'",
    )
    (wrong,) = [value for value in second["values"] if value["problem"]]
    assert (wrong["column"], wrong["field"]) == (3, "t")
    assert third["outcome"] == "skipped"
    for output in (
        touchpoint("map", "check", small, sample),
        touchpoint("map", "check", small, sample, "--json"),
    ):
        assert "460001234567890" not in output.stdout
        assert "13912345678" not in output.stdout
    shown = touchpoint("map", "check", small, sample, "--show").stdout
    assert "460001234567890" in shown


def test_a_time_that_is_that_of_the_row_before_is_shown_so(
    touchpoint: Touchpoint, small: Path, tmp_path: Path
) -> None:
    start = "  t_start: {column: 7, type: time, format: epoch ms, unreadable: drop}\n  cell:"
    text = MAP.replace("format: epoch ms}", "format: epoch ms, unreadable: before}").replace(
        "at_least: 6", "at_least: 7"
    )
    small.write_text(text.replace("  cell:", start), "utf-8")
    sample = write(tmp_path, *(f"{ROW.format(t=each)}|{T - 5}" for each in (T, "12x")))
    _, found = told(touchpoint, small, sample)
    guessed = found["rows"][1]
    assert guessed["outcome"] == "loc.update"
    values = {value["field"]: (value["text"], value["value"]) for value in guessed["values"]}
    assert values["t"] == ("12x", "2026-09-07 00:13:20.123Z")
    assert values["t_start"][1] == ""
    assert values["quality"] == ("", "guessed_time, no_trigger")


def test_an_identity_in_another_column_is_hidden_too(
    touchpoint: Touchpoint, small: Path, tmp_path: Path
) -> None:
    moved = "5|460001234567890|8613912345678|13912345678|460001234567890|0"
    result = touchpoint(
        "map", "check", small, write(tmp_path, moved, f"460001234567890|5|{T}|0|13912345678|1")
    )
    assert result.exit_code == 1
    assert "460001234567890" not in result.stdout
    assert "13912345678" not in result.stdout


def test_counts_balance_and_name_the_first_line(touchpoint: Touchpoint, small: Path, tmp_path: Path) -> None:
    rows = [ROW.format(t=T + number) for number in range(60)]
    rows += [ROW.format(t="12x"), "", ROW.format(t="13x"), "a|b", ROW.format(t=T)]
    rows.append(ROW.format(t=T + 99).replace("460001234567890", ""))
    rows.append(ROW.format(t=T + 100).replace("8613912345678", "139"))
    path = tmp_path / "sample.gz"
    path.write_bytes(gzip.compress("\n".join(rows).encode()))
    code, found = told(touchpoint, small, path)
    assert code == 0
    assert (
        found["lines"]
        == found["applied"] + found["refused"] + found["skipped"] + found["headers"] + found["blank"]
    )
    assert (found["lines"], found["applied"], found["refused"], found["blank"]) == (67, 63, 3, 1)
    assert [(each["reason"], each["rows"], each["first_line"]) for each in found["reasons"]] == [
        ("time", 2, 61),
        ("columns", 1, 64),
    ]
    assert found["ids"] == {"copies": 1, "clashes": 0}
    assert found["damaged"] == {"number": 1}
    assert found["kinds"] == [{"kind": "loc.update", "rows": 63, "share": 1.0}]
    assert {tuple(each["given"]): each["rows"] for each in found["identity"]} == {
        ("imsi", "msisdn"): 62,
        ("msisdn",): 1,
    }
    assert found["subscribers"] == 2
    assert found["never_filled"] == []
    assert found["problems"] == []


def test_a_key_that_does_not_tell_rows_apart_is_a_problem(
    touchpoint: Touchpoint, small: Path, tmp_path: Path
) -> None:
    other = ROW.format(t=T).replace("a1b2c3", "a1b2c4")
    code, found = told(touchpoint, small, write(tmp_path, ROW.format(t=T), other))
    assert code == 1
    assert found["problems"] == [
        "expected the columns of id to tell rows apart, was 1 row with the id of"
        " another one: first in lines 1 and 2"
    ]


def test_times_ahead_of_the_clock_are_a_problem(touchpoint: Touchpoint, small: Path, tmp_path: Path) -> None:
    code, found = told(touchpoint, small, write(tmp_path, ROW.format(t=4_000_000_000_000)))
    assert code == 1
    assert found["times"]["ahead"] == 1
    assert "utc_offset" in found["problems"][0]


def test_columns_nobody_reads_and_fields_nobody_fills_are_named(
    touchpoint: Touchpoint, small: Path, tmp_path: Path
) -> None:
    small.write_text(MAP.replace('  result: {column: 5, values: {"0": success}}\n', ""), "utf-8")
    sample = write(tmp_path, f"460001234567890|5|{T}||0|")
    _, found = told(touchpoint, small, sample)
    assert found["unused_columns"] == [{"column": 5, "named": "", "rows": 1}]
    assert found["never_filled"] == ["msisdn", "cell"]
    assert "fields that no row fills: msisdn, cell" in touchpoint("map", "check", small, sample).stdout


def test_all_mistakes_of_a_map_come_with_line_and_column(
    touchpoint: Touchpoint, small: Path, tmp_path: Path
) -> None:
    small.write_text(MAP.replace("epoch ms", "epochs").replace("otherwise: skip", "otherwise: slip"), "utf-8")
    result = touchpoint("map", "check", small, write(tmp_path, ROW))
    assert result.exit_code == 1
    first, second, last = result.stdout.splitlines()
    assert first.startswith(f"{small}:3:62: kind.otherwise: expected 'refuse' or 'skip', was ")
    assert second.startswith(f"{small}:9:3: fields.t: expected %Y or %y and ")
    assert last == "2 mistakes in the map; the sample was not read"
    code, found = told(touchpoint, small, tmp_path / "sample.txt")
    assert code == 1
    assert [each["where"] for each in found["mistakes"]] == [
        f"{small}:3:62: kind.otherwise",
        f"{small}:9:3: fields.t",
    ]


def test_what_can_not_be_read_is_a_mistake_of_the_user(
    touchpoint: Touchpoint, small: Path, tmp_path: Path
) -> None:
    for args in ((small, tmp_path / "none"), ("none", small), (tmp_path / "none.yaml", small)):
        result = touchpoint("map", "check", *args)
        assert result.exit_code == 2
        assert "expected" in result.stderr
    small.write_text("map: [", "utf-8")
    assert touchpoint("map", "check", small, small).exit_code == 2


def test_a_sample_that_is_cut_off_is_told_as_far_as_it_goes(
    touchpoint: Touchpoint, small: Path, tmp_path: Path
) -> None:
    whole = gzip.compress("\n".join(ROW.format(t=T + number) for number in range(3_000)).encode())
    path = tmp_path / "cut.gz"
    path.write_bytes(whole[: len(whole) // 2])
    code, found = told(touchpoint, small, path)
    assert code == 0
    assert 0 < found["applied"] < 3_000
    assert "gzip data to its end" in found["cut"]


@pytest.mark.parametrize("name", sorted(samples.ROWS))
def test_the_samples_of_the_maps_that_ship(touchpoint: Touchpoint, name: str) -> None:
    code, found = told(touchpoint, name, samples.FOLDER / f"{name}.txt", "--rows", 100)
    assert code == 1  # they are more damaged than a feed should be
    golden = [
        orjson.loads(line) for line in (samples.FOLDER / f"{name}.golden.jsonl").read_bytes().splitlines()
    ]
    assert [row["outcome"] for row in found["rows"]] == [
        each["record"]["kind"] if "record" in each else "skipped" if "skipped" in each else "refused"
        for each in golden
        if "blank" not in each
    ]
    assert found["lines"] == len(golden)
