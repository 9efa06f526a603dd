"""A sample of messages by a field map: told path by path, counted, and nobody named."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from connectors.message_check import MessageCheck
from engine.errors import InputError
from engine.identity import Identity
from tests.unit.topics.support import IMSI, KEY, PROBE, map_of, probe


def sampled(folder: Path, *messages: object, open: bool = False) -> MessageCheck:
    sample = folder / "sample.jsonl"
    lines = [each if isinstance(each, bytes) else orjson.dumps(each) for each in messages]
    sample.write_bytes(b"\n".join(lines))
    check = MessageCheck(map_of(folder, PROBE), Identity(KEY), open=open)
    check.read(sample)
    return check


def test_records_are_told_path_by_path(tmp_path: Path) -> None:
    bad = probe()
    bad["events"] += [{**bad["events"][0], "rat": 9}, {"type": "PAGING"}]
    check = sampled(tmp_path, bad, b"{broken", {"header": {}})
    first, second, third, fourth = check.told
    assert (first.position, first.outcome) == ("sample.jsonl:1#1", "loc.update")
    told = {(each.field, each.path): (each.found, each.value, each.problem) for each in first.values}
    assert told["t", "ts"] == ("1788740000000", "2026-09-07 00:13:20.000Z", "")
    assert told["tac", "loc.tac"] == ("1A2B", "6699", "")
    assert told["rat", "rat"] == ("6", "LTE", "")
    assert told["cell", ""] == ("", "460-00-1234", "")
    assert told["imsi", "$.header.imsi"] == ("<15 characters>", "<15 characters>", "")
    assert (second.outcome, second.detail) == ("refused", "value: rat: expected one of 6, 10, was '9'")
    assert [each.problem for each in second.values if each.field == "rat"] == [
        "value: expected one of 6, 10, was '9'"
    ]
    assert (third.outcome, fourth.outcome) == ("skipped", "refused")
    assert check.messages == 3
    assert check.kinds == {"loc.update": 1, "refused": 2, "skipped": 1}
    assert check.refused == {"value": 1, "json": 1, "type": 1}
    assert check.first["json"].position == "sample.jsonl:2"
    assert check.filled["cell"] == 1
    assert IMSI not in repr(check.told)


def test_nothing_is_hidden_if_asked_for(tmp_path: Path) -> None:
    assert IMSI in repr(sampled(tmp_path, probe(), open=True).told)


def test_a_sample_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a file that can be read"):
        MessageCheck(map_of(tmp_path, PROBE), Identity(KEY)).read(tmp_path / "none")
