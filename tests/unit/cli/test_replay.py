"""`touchpoint replay`: what it decides, counts, writes, hides and reveals."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import Result

from engine.cli import spool
from tests.unit.cli.support import (
    RULE,
    SECOND,
    T,
    Touchpoint,
    profile,
    read_lines,
    sight,
    write_lines,
)

Replay = Callable[..., Result]
OUT = ("decisions.jsonl", "summary.json", "deadletters.jsonl")


@pytest.fixture
def replay(touchpoint: Touchpoint, rules: Path, tmp_path: Path) -> Replay:
    """Replay events and profiles given as lines into `tmp_path / "out"`; further arguments follow."""

    def call(events: list[Any], profiles: list[Any], *args: object) -> Result:
        files = (
            write_lines(tmp_path / "events.jsonl", events),
            write_lines(tmp_path / "profiles.jsonl", profiles),
        )
        inputs = ("--events", files[0], "--profiles", files[1])
        return touchpoint("replay", "--rules", rules, *inputs, "--out", tmp_path / "out", *args)

    return call


def summary(tmp_path: Path) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads((tmp_path / "out" / "summary.json").read_bytes())
    return found


def decisions(tmp_path: Path) -> list[dict[str, Any]]:
    return read_lines(tmp_path / "out" / "decisions.jsonl")


def test_decisions_are_written_in_the_order_of_time_and_id(replay: Replay, tmp_path: Path) -> None:
    people = [f"p{number}" for number in range(20)]
    events = [sight(person, 10 * (number % 3)) for number, person in enumerate(people)]
    done = replay(events, [profile(person) for person in people], "--disorder", "1m")
    assert done.exit_code == 0
    made = decisions(tmp_path)
    assert [(d["at"], d["id"]) for d in made] == sorted((d["at"], d["id"]) for d in made)
    assert {d["outcome"] for d in made} == {"offer"}
    assert len(made) == 20
    assert {d["text"] for d in made} == {"【移动】欢迎来到营业厅,回复KT1领取。退订回R。"}


def test_runs_on_disk_give_the_same_bytes(
    replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [f"p{number}" for number in range(30)]
    events = [sight(person, 7 * number % 5) for number, person in enumerate(people)]
    profiles = [profile(person, "ordinary" if number % 4 else "vip") for number, person in enumerate(people)]
    replay(events, profiles, "--disorder", "1m")
    held = (tmp_path / "out" / "decisions.jsonl").read_bytes()
    monkeypatch.setattr(spool.Spool.__init__, "__defaults__", (None, 4))
    replay(events, profiles, "--disorder", "1m")
    assert (tmp_path / "out" / "decisions.jsonl").read_bytes() == held
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(OUT)


def test_the_summary_counts_every_record_once(replay: Replay, tmp_path: Path) -> None:
    events = [
        sight("a", 0, id="1"),
        sight("a", 0, id="1"),  # a copy
        sight("b", 7200),
        sight("a", 3500),  # late by more than an hour, dropped
        b"{broken",
        {"kind": "loc.update", "t": T, "cell": "460-00-1-1"},  # nobody's
        b"[" + orjson.dumps(sight("c", 7300)) + b', {"kind": "nothing"}]',
        {"kind": "consent.change", "t": T, "subscriber": "a", "consent": {"marketing": False}},
    ]
    done = replay(events, [profile("a"), profile("b", "ordinary"), profile("c", arpu=1), b"{}"])
    assert done.exit_code == 0
    found = summary(tmp_path)
    assert {name: found[name] for name in ("read", "applied", "duplicate", "late", "refused")} == {
        "read": 9,
        "applied": 4,
        "duplicate": 1,
        "late": 1,
        "refused": 3,
    }
    assert found["refused_by"] == {"identity": 1, "json": 1, "kind": 1}
    assert found["decisions"] == {"hall-visit": {"offer": 2, "refused:who.tier": 1}}
    assert found["decisions_by_reason"] == {"who.tier": 1}
    assert found["profiles"] == {"read": 4, "applied": 3, "refused": 1, "refused_by": {"identity": 1}}


def test_the_table_says_what_happened(replay: Replay) -> None:
    done = replay([sight("a", 0), sight("b", 10)], [profile("a"), profile("b", "ordinary")])
    assert "2 records read" in done.stdout
    assert "who.tier" in done.stdout
    line = next(line for line in done.stdout.splitlines() if line.startswith("hall-visit"))
    assert line.split() == ["hall-visit", "1", "0", "0", "0", "1", "who.tier"]


def test_the_summary_as_json(replay: Replay, tmp_path: Path) -> None:
    done = replay([sight("a", 0)], [profile("a")], "--json")
    assert orjson.loads(done.stdout) == summary(tmp_path)


def test_dead_letters_say_where_and_hide_numbers(replay: Replay, tmp_path: Path) -> None:
    bad = {"kind": "call.out", "t": "now", "imsi": "460001234567890", "number": "13912345678"}
    replay([sight("a", 0), bad], [{"subscriber": "460001234567890", "timezone": 8}])
    letters = read_lines(tmp_path / "out" / "deadletters.jsonl")
    assert [(letter["reason"], letter["position"]) for letter in letters] == [
        ("type", "profiles.jsonl:1"),
        ("type", "events.jsonl:2"),
    ]
    assert letters[1]["detail"] == "t: expected a whole number, was text"
    written = b"".join((tmp_path / "out" / name).read_bytes() for name in OUT)
    assert b"460001234567890" not in written
    assert b"13912345678" not in written


def test_subscribers_are_named_only_on_demand(replay: Replay, tmp_path: Path) -> None:
    events = [
        sight("hash-1", 0),
        {**sight("", 1), "imsi": "460001234567890"},
        {**sight("", 2), "msisdn": "139-1234-5678"},
        {**sight("", 3), "msisdn": "13800000000"},  # bound by a profile
    ]
    profiles = [
        profile("hash-1"),
        profile("460001234567890"),
        profile("+8613912345678"),
        profile("460009999999999", msisdn="+8613800000000"),
    ]
    replay(events, profiles)
    assert [d.get("subscriber") for d in decisions(tmp_path)] == [None] * 4
    replay(events, profiles, "--reveal")
    named = ["hash-1", "460001234567890", "+8613912345678", "460009999999999"]
    assert [d["subscriber"] for d in decisions(tmp_path)] == named
    for decision in decisions(tmp_path):
        key = blake2b(decision["subscriber"].encode(), digest_size=16, key=b"touchpoint-demo-key").hexdigest()
        assert decision["subscriber_key"] == key


def test_the_same_input_gives_the_same_bytes(replay: Replay, tmp_path: Path) -> None:
    events = [sight(f"p{n}", n * 1.7) for n in range(40)]
    profiles = [profile(f"p{n}", arpu=n) for n in range(40)]
    replay(events, profiles)
    first = [(tmp_path / "out" / name).read_bytes() for name in OUT]
    replay(events, profiles)
    assert [(tmp_path / "out" / name).read_bytes() for name in OUT] == first


def test_late_records_are_told_apart_by_cause(replay: Replay, tmp_path: Path) -> None:
    events = [
        sight("a", 1000),
        sight("b", 990),  # behind the tick of 1000 only
        sight("a", 500),  # behind its own subscriber's, beyond patience
        sight("c", 500, cell="460-00-9-9"),  # behind the tick, beyond patience
        sight("c", 400, cell="460-00-9-9"),  # behind its own
        sight("a", -3000),  # behind its own, dropped
    ]
    replay(events, [])
    assert summary(tmp_path)["lateness"] == {
        "late_by_own_order": 3,
        "late_by_ticks": 2,
        "within_patience": 1,
        "beyond_patience": 3,
        "dropped": 1,
    }
    replay(events, [], "--disorder", "10m")
    assert summary(tmp_path)["lateness"]["late_by_ticks"] == 0
    assert summary(tmp_path)["lateness"]["late_by_own_order"] == 3


def test_until_drops_what_is_later(replay: Replay, tmp_path: Path) -> None:
    events = [sight("a", 0), sight("b", 1), sight("c", 1.000001)]
    profiles = [profile(name) for name in "abc"]
    replay(events, profiles, "--until", str(T + SECOND))
    assert summary(tmp_path)["read"] == 2
    assert summary(tmp_path)["until"] == T + SECOND
    assert len(decisions(tmp_path)) == 2
    replay(events, profiles, "--until", "2026-09-07 10:00")  # the policy's zone
    assert summary(tmp_path)["read"] == 1


def test_files_are_merged_by_the_time_at_their_heads(
    touchpoint: Touchpoint, rules: Path, tmp_path: Path
) -> None:
    one = write_lines(tmp_path / "one.jsonl", [sight("a", 0), sight("a", 20)])
    two = tmp_path / "two.jsonl.gz"
    two.write_bytes(gzip.compress(orjson.dumps(sight("a", 10, cell="460-00-9-9"))))
    profiles = write_lines(tmp_path / "profiles.jsonl", [profile("a")])
    out = tmp_path / "out"
    done = touchpoint("replay", "--rules", rules, "--events", one, two, "--profiles", profiles, "--out", out)
    assert done.exit_code == 0
    # then the subscriber came, left, and came again
    assert [(d["outcome"], d["reason"]) for d in decisions(tmp_path)] == [
        ("offer", None),
        ("refused", "limits.at_most"),
    ]
    assert summary(tmp_path)["files"] == ["one.jsonl", "two.jsonl.gz"]


def test_a_layout_of_ones_own(touchpoint: Touchpoint, rules: Path, tmp_path: Path) -> None:
    layout = tmp_path / "layout.yaml"
    layout.write_text(
        "map: mine\nsay: one row per update\nsource: mine\nkind: loc.update\nseparator: '|'\n"
        "utc_offset: '+08:00'\ncolumns: {at_least: 3}\nfields:\n"
        "  subscriber: {column: 1, required: yes}\n"
        "  t: {column: 2, type: time, format: '%Y-%m-%d %H:%M:%S', required: yes}\n"
        "  cell: {column: 3}\n"
    )
    rows = tmp_path / "rows.txt"
    rows.write_text("a|2026-09-07 10:00:00|460-00-1-1\na|noon|460-00-1-1\n")
    profiles = write_lines(tmp_path / "profiles.jsonl", [profile("a")])
    args = ("--events", rows, "--map", layout, "--profiles", profiles, "--out", tmp_path / "out")
    assert touchpoint("replay", "--rules", rules, *args).exit_code == 0
    assert summary(tmp_path)["refused_by"] == {"time": 1}
    assert [(d["at"], d["trigger"]["position"]) for d in decisions(tmp_path)] == [(T, "rows.txt:1")]


def test_delimited_files_without_a_map_get_a_hint(replay: Replay, tmp_path: Path) -> None:
    done = replay([b"a|2026-09-07 10:00:00|460-00-1-1"], [])
    assert done.exit_code == 0
    assert summary(tmp_path)["refused_by"] == {"json": 1}
    assert "--map" in done.stderr


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--disorder", "soon", "--disorder: expected 0 or a length of time"),
        ("--until", "soon", "--until: expected ISO time"),
        ("--map", "no-such-map", "gn-unicom-2015"),
        ("--events", "no-such-file.jsonl", "no-such-file.jsonl: expected a file that can be read"),
        ("--profiles", "no-such-file.jsonl", "no-such-file.jsonl: expected a file that can be read"),
        ("--rules", "no-such-folder", "no-such-folder"),
    ],
)
def test_a_mistake_is_named_and_leaves_the_results_of_before(
    replay: Replay, tmp_path: Path, option: str, value: str, said: str
) -> None:
    replay([sight("a", 0)], [profile("a")])
    before = [(tmp_path / "out" / name).read_bytes() for name in OUT]
    failed = replay([sight("a", 0)], [profile("a")], option, value)
    assert failed.exit_code == 2
    assert said in failed.stderr
    assert failed.stdout == ""
    assert [(tmp_path / "out" / name).read_bytes() for name in OUT] == before
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(OUT)


def test_broken_rules_are_shown_and_not_run(replay: Replay, rules: Path, tmp_path: Path) -> None:
    (rules / "team" / "hall-visit.yaml").write_text(RULE.replace("enters: hall", "enters: hal"))
    failed = replay([sight("a", 0)], [profile("a")])
    assert failed.exit_code == 2
    assert "hall-visit.yaml:8:16: no place `hal` in the catalogue [R204]" in failed.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written(replay: Replay, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("in the way")
    failed = replay([sight("a", 0)], [profile("a")])
    assert failed.exit_code == 2
    assert "expected a folder that can be written" in failed.stderr


def test_a_gzip_file_that_is_cut_off_stops_the_run(
    touchpoint: Touchpoint, rules: Path, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.jsonl.gz"
    lines = b"\n".join(orjson.dumps(sight(f"p{n}", n)) for n in range(500))
    cut.write_bytes(gzip.compress(lines)[:-20])
    failed = touchpoint("replay", "--rules", rules, "--events", cut, "--out", tmp_path / "out")
    assert failed.exit_code == 2
    assert "cut.jsonl.gz:" in failed.stderr
    assert list((tmp_path / "out").iterdir()) == []
