"""A replay whose states do not fit into memory: the same bytes, out of a file."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from engine.cli import backtest, shelf
from tests.testdata import CHECKOUT
from tests.unit.cli.support import SECOND, T, Touchpoint, profile, sight, write_lines

FILES = (
    "decisions.jsonl", "summary.json", "deadletters.jsonl", "report.json", "report.html", "gains.jsonl",
    "losses.jsonl",
)  # fmt: skip


@pytest.fixture
def city(touchpoint: Touchpoint, tmp_path: Path) -> Path:
    """A lively city of 60, and the rules with one of them changed."""
    folder = tmp_path / "city"
    city = ("--seed", 7, "--subscribers", 60, "--hours", 4, "--lively", "--out", folder)
    assert touchpoint("simulate", *city, "--rules", CHECKOUT / "rules").exit_code == 0
    shutil.copytree(CHECKOUT / "rules", tmp_path / "other")
    rule = tmp_path / "other" / "city" / "mall-coupon.yaml"
    rule.write_text(rule.read_text(encoding="utf-8").replace("for: 30m", "for: 10m"), encoding="utf-8")
    return folder


def test_states_on_the_shelf_change_no_byte(
    city: Path, touchpoint: Touchpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = ("--events", city / "events.jsonl", "--profiles", city / "profiles.jsonl")
    sets = ("--rules", CHECKOUT / "rules", "--against", tmp_path / "other")
    monkeypatch.setattr(backtest, "_ROOM_EVERY", 1)
    shelved: list[int] = []
    make_room = shelf.Shelf.make_room

    def told(self: shelf.Shelf) -> None:
        make_room(self)
        shelved.append(self.shelved)

    monkeypatch.setattr(shelf.Shelf, "make_room", told)
    found = []
    for room, out in ((200_000, "whole"), (8, "few")):
        monkeypatch.setenv("TOUCHPOINT_CACHE_SUBSCRIBERS", str(room))
        shelved.clear()
        done = touchpoint("replay", *sets, *files, "--out", tmp_path / out)
        assert done.exit_code == 0, done.output
        assert sorted(path.name for path in (tmp_path / out).iterdir()) == sorted(FILES)
        found.append(({name: (tmp_path / out / name).read_bytes() for name in FILES}, max(shelved)))
    (whole, none), (few, many) = found
    assert (none, many > 50) == (0, True)
    assert b'"offer"' in whole["decisions.jsonl"]
    for name in FILES:
        assert whole[name] == few[name], name


def test_who_is_forgotten_on_the_shelf_stays_forgotten(
    touchpoint: Touchpoint, rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtest, "_ROOM_EVERY", 1)
    people = [f"p{number}" for number in range(6)]
    first = [sight(person, 0, "460-00-9-9") for person in people]
    forget = {"kind": "subscriber.forget", "t": T + 2 * SECOND, "subscriber": "p0"}
    events = [*first, forget, *(sight(person, 5) for person in people)]
    lines = write_lines(tmp_path / "events.jsonl", events)
    known = write_lines(tmp_path / "profiles.jsonl", [profile(person) for person in people])
    decisions = set()
    for room in (100, 1):
        monkeypatch.setenv("TOUCHPOINT_CACHE_SUBSCRIBERS", str(room))
        out = tmp_path / str(room)
        inputs = ("--events", lines, "--profiles", known)
        assert touchpoint("replay", "--rules", rules, *inputs, "--out", out).exit_code == 0
        decisions.add((out / "decisions.jsonl").read_bytes())
    [made] = decisions
    assert made.count(b'"outcome":"refused"') == 1, "nobody knows p0 any more"


def test_a_full_disk_is_told(
    touchpoint: Touchpoint, rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtest, "_ROOM_EVERY", 1)
    monkeypatch.setenv("TOUCHPOINT_CACHE_SUBSCRIBERS", "1")

    def broken(self: shelf.Shelf) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(shelf.Shelf, "_open", broken)
    lines = write_lines(tmp_path / "events.jsonl", [sight(f"p{number}", number) for number in range(5)])
    done = touchpoint("replay", "--rules", rules, "--events", lines, "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert "database or disk is full" in done.stderr
