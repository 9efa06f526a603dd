"""A sample of messages by a field map: told path by path, counted, and nobody named."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.field_map import is_field_map
from connectors.message_check import MessageCheck
from engine.errors import InputError
from engine.identity import Identity
from tests.unit.topics.support import IMSI, KEY, PROBE, T, map_of, probe


def write(folder: Path, *messages: object) -> Path:
    sample = folder / "sample.jsonl"
    lines = [each if isinstance(each, bytes) else orjson.dumps(each) for each in messages]
    sample.write_bytes(b"\n".join(lines))
    return sample


def sampled(
    folder: Path, *messages: object, data: dict[str, Any] = PROBE, now: int = T, **also: Any
) -> MessageCheck:
    check = MessageCheck(map_of(folder, data), Identity(KEY), 5, now, **also)
    check.read(write(folder, *messages))
    return check


def test_records_are_told_path_by_path(tmp_path: Path) -> None:
    bad = probe()
    bad["events"] += [{**bad["events"][0], "rat": 9}, {"type": "PAGING"}]
    check = sampled(tmp_path, bad, b"{broken", {"header": {}})
    first, second, third, broken, missing = check.rows
    assert (first.place, first.outcome) == ("line 1, record 1", "loc.update")
    told = {(each.field, each.path): (each.text, each.value, each.problem) for each in first.values}
    assert told["kind", "type"] == ("TAU", "loc.update", "")
    assert told["t", "ts"] == ("1788740000000", "2026-09-07 00:13:20.000Z", "")
    assert told["tac", "loc.tac"] == ("1A2B", "6699", "")
    assert told["rat", "rat"] == ("6", "LTE", "")
    assert told["cell", ""] == ("", "460-00-1234", "")
    text, value, problem = told["imsi", "$.header.imsi"]
    assert (text, value[0], len(value), problem) == ("<15 characters>", "~", 9, "")
    assert (second.outcome, second.detail) == ("refused", "value: rat: expected one of 6, 10, was '9'")
    assert [each.problem for each in second.values if each.field == "rat"] == [
        "value: expected one of 6, 10, was '9'"
    ]
    assert third.outcome == "skipped"
    assert (broken.place, broken.outcome) == ("line 2", "refused")
    assert broken.detail.startswith("json: ")
    assert (missing.place, missing.outcome) == ("line 3, record 1", "refused")
    assert IMSI not in repr(check.rows)


def test_counts_balance_and_name_the_first_line(tmp_path: Path) -> None:
    good = [probe(seq=number) for number in range(40)]
    late = probe()
    late["events"] *= 2
    late["events"][1] = {**late["events"][1], "ts": "soon"}
    check = sampled(
        tmp_path, good, b"", late, {**probe(), "events": []}, b"[1", [], [probe(), {"events": 1}, 7]
    )
    found = check.findings.as_dict()
    assert found["lines"] == found["messages"] + found["blank"] == 7
    assert found["records"] == found["applied"] + found["refused"] + found["skipped"]
    assert (found["applied"], found["refused"], found["skipped"], found["empty"]) == (42, 4, 0, 2)
    assert [(each["reason"], each["rows"], each["first_line"]) for each in found["reasons"]] == [
        ("type", 2, 7),
        ("time", 1, 3),
        ("json", 1, 5),
    ]
    assert found["identity"] == [{"given": ["imsi"], "rows": 42, "share": 1.0}]
    assert found["subscribers"] == 1
    assert found["ids"] == {"copies": 0, "clashes": 0}
    assert found["never_filled"] == []
    assert found["problems"] == ["expected at most 5% of the records refused, was 8.7% of 46 records"]


def test_a_key_that_does_not_tell_records_apart_and_times_ahead_are_problems(tmp_path: Path) -> None:
    data = {**PROBE, "id": ["$.header.seq"]}
    other = probe(seq=1)
    other["events"][0]["rat"] = 10
    check = sampled(tmp_path, probe(seq=1), probe(seq=1), other, data=data, now=T - 3_700_000_000)
    assert check.findings.as_dict()["ids"] == {"copies": 1, "clashes": 1}
    assert check.findings.problems == [
        "expected the paths of id to tell records apart, was 1 record with the id of another one:"
        " first in lines 1 and 3",
        "expected times at most 1 h ahead of the clock, was 3 records later: is utc_offset right?",
    ]


def test_paths_that_nobody_reads_are_named_and_numbers_in_them_are_not(tmp_path: Path) -> None:
    message = probe(vendor={"name": "x", "v": [1, 2]}, msisdn=None)
    message["events"][0].update({"cause": 3, "loc": {"enb": 1, "a.b": 2}, "8613912345678": True})
    found = sampled(tmp_path, message, message).findings.as_dict()
    assert found["unused_paths"] == [
        {"path": "$.header.vendor.name", "values": 2},
        {"path": "$.header.vendor.v[]", "values": 2},
        {"path": "<digits>", "values": 2},
        {"path": "cause", "values": 2},
        {"path": 'loc["a.b"]', "values": 2},
    ]
    flat = {
        "map": "flat",
        "source": "s",
        "kind": "loc.sight",
        "fields": {
            "t": {"path": "@timestamp", "type": "time", "format": "epoch ms", "required": "yes"},
            "imsi": {"path": "ids[0].imsi"},
            "msisdn": {"path": "@key"},
        },
    }
    found = sampled(
        tmp_path, {"ids": [{"imsi": IMSI}, {"x": 1}], "y": {"z": 1}}, data=flat
    ).findings.as_dict()
    assert [each["path"] for each in found["unused_paths"]] == ["ids[].x", "y.z"]
    assert found["not_in_a_sample"] == ["@key", "@timestamp"]
    assert found["times"] == {"earliest": T, "latest": T, "ahead": 0}
    assert found["never_filled"] == ["msisdn"]


def test_messages_over_many_lines_are_known(tmp_path: Path) -> None:
    pretty = orjson.dumps(probe(), option=orjson.OPT_INDENT_2)
    lines = len(pretty.splitlines())
    check = sampled(tmp_path, pretty)
    assert check.findings.problems[0] == "expected at least one message that becomes a record, was none"
    assert check.findings.problems[-1].startswith("expected a JSON message on each line, was none on ")
    assert check.findings.messages == lines


def test_a_sample_that_is_cut_off_is_told_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = gzip.compress(b"\n".join(orjson.dumps(probe(seq=number)) for number in range(3_000)))
    sample = tmp_path / "cut.gz"
    sample.write_bytes(whole[: len(whole) // 2])
    check = MessageCheck(map_of(tmp_path, PROBE), Identity(KEY), 0, T)
    check.read(sample)
    assert 0 < check.findings.records < 3_000
    assert "gzip data to its end" in check.findings.cut
    assert check.rows == []


def test_nothing_is_hidden_if_asked_for(tmp_path: Path) -> None:
    assert IMSI in repr(sampled(tmp_path, probe(), open=True).rows)


def test_a_sample_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a file that can be read"):
        MessageCheck(map_of(tmp_path, PROBE), Identity(KEY), 5, T).read(tmp_path / "none")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fields: {t: {path: ts}}", True),
        ("kind: {present: {a: power.on}}", True),
        ("each: events\nfields: {t: {column: 1}}", True),
        ("fields: {t: {path: ts}, imsi: {column: 1}}", True),
        ("fields: {t: {column: 1}}", False),
        ("kind: {column: 1}", False),
        ("separator: pipe\nfields: {t: {path: ts}}", True),
        ("separator: pipe", False),
        ("[]", False),
        ("{}", True),
    ],
)
def test_a_map_of_messages_is_known_by_what_it_looks_at(text: str, expected: bool, tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(text, encoding="utf-8")
    assert is_field_map(path) is expected
