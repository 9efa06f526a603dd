"""`touchpoint feeds check`, and the collector that is started with a feeds file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.map_model import map_names
from engine.deployment.feeds.use import feeds_of, lives_of_settings
from engine.errors import SettingsError
from engine.identity import Identity
from engine.settings import load_settings
from engine.treatments.registry import Around
from tests.unit.cli.support import Touchpoint

GOOD = """
feeds:
  gn:
    say: Gn of the north
    door: landing
    folder: gn
    files: gn_*.txt
    map: gn-unicom-2015
    kinds: [data.session]
    idle: 0s
  bss:
    door: topic
    topic: bss.events
    disorder: 30s
"""
TOPIC = "door: topic\n    topic: bss.events"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A feeds file whose folder is there."""
    (tmp_path / "gn").mkdir()
    (tmp_path / "feeds.yaml").write_text(GOOD)
    return tmp_path / "feeds.yaml"


def test_what_each_feed_will_do(touchpoint: Touchpoint, file: Path) -> None:
    result = touchpoint("feeds", "check", file)
    assert result.exit_code == 0
    assert (
        result.stdout
        == f"""\
gn  Gn of the north
  from        landing: {file.parent}/gn/gn_*.txt, by the map gn-unicom-2015
  options     folder gn, files gn_*.txt
  time        follows 5m behind its newest record; never called silent
  kinds       data.session

bss
  from        topic: bss.events
  options     topic bss.events
  time        follows 30s behind its newest record; silent after 5m without one
  kinds       those that it will have brought

2 feeds, 0 mistakes, 0 warnings
"""
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("folder: gn\n", "folder: gone\n", "6:13: `folder`: expected a folder, was `DIR/gone`, which is m"),
        ("folder: gn\n", "folder: feeds.yaml\n", "6:13: `folder`: expected a folder, was `DIR/feeds.yaml`"),
        ("gn-unicom-2015", "no-such", "8:10: `map`: expected a .yaml file or one of the maps "),
        ("gn-unicom-2015", "x.yaml", "8:10: `map`: DIR/x.yaml: expected a column map that can be read, "),
        ("[data.session]", "[data.http, data.session]", "9:12: `kinds`: expected kinds that the map `gn-u"),
        ("bss.events", "touchpoint.events.v1", "13:12: `topic`: expected the topic of somebody else, was "),
        (TOPIC, "door: landing\n    folder: ./gn", "12:5: expected a folder of its own, was folder DIR/gn"),
    ],
)  # fmt: skip
def test_what_can_not_work(touchpoint: Touchpoint, file: Path, old: str, new: str, said: str) -> None:
    file.write_text(GOOD.replace(old, new))
    result = touchpoint("feeds", "check", file)
    assert result.exit_code == 1
    assert f"{file}:{said.replace('DIR', str(file.parent))}" in result.stdout
    assert "2 feeds, 1 mistake, 0 warnings" in result.stdout
    with pytest.raises(SettingsError) as caught:
        feeds_of(load_settings(feeds=file))
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith(f"TOUCHPOINT_FEEDS: {file}:{said.split(':')[0]}:")


def test_feeds_that_share_a_folder_by_names(touchpoint: Touchpoint, file: Path) -> None:
    both = GOOD.replace(
        "door: topic\n    topic: bss.events", "door: landing\n    folder: gn\n    files: bss_*"
    )
    file.write_text(both)
    assert touchpoint("feeds", "check", file).exit_code == 0


def test_warnings_end_with_0_unless_asked_for(touchpoint: Touchpoint, file: Path, tmp_path: Path) -> None:
    columns = tmp_path / "two.yaml"
    columns.write_text(
        "map: two\nsource: x\nseparator: tab\ncolumns: {at_least: 3}\n"
        'kind: {column: 1, values: {"1": loc.update, "2": loc.handover}}\n'
        'fields:\n  t: {column: 2, type: time, format: "epoch ms"}\n  imsi: {column: 3}\n'
    )
    file.write_text(GOOD.replace("gn-unicom-2015", "two.yaml").replace("[data.session]", "[loc.update]"))
    result = touchpoint("feeds", "check", file)
    assert "brings `loc.handover` too" in result.stdout
    assert result.exit_code == 0
    assert touchpoint("feeds", "check", "--strict", file).exit_code == 1


@pytest.mark.parametrize("name", map_names())
def test_every_map_that_ships_can_be_used(touchpoint: Touchpoint, file: Path, name: str) -> None:
    file.write_text(GOOD.replace("gn-unicom-2015", name).replace("    kinds: [data.session]\n", ""))
    result = touchpoint("feeds", "check", "--strict", file)
    assert (result.exit_code, result.exception) == (0, None), result.stdout


def test_json(touchpoint: Touchpoint, file: Path) -> None:
    file.write_text(GOOD.replace("bss.events", "touchpoint.events.v1"))
    found = json.loads(touchpoint("feeds", "check", "--json", file).stdout)
    assert (
        found["feeds"]["bss"]["time"] == "follows 30s behind its newest record; silent after 5m without one"
    )
    assert [(each["line"], each["col"]) for each in found["problems"]] == [(13, 12)]


def test_a_file_that_is_not_there(touchpoint: Touchpoint, tmp_path: Path) -> None:
    result = touchpoint("feeds", "check", tmp_path / "none.yaml")
    assert result.exit_code == 2
    assert "expected a feeds file that can be read" in result.stderr


def test_the_feeds_of_the_settings_keep_their_names(file: Path, tmp_path: Path) -> None:
    settings = load_settings(
        feeds=file, landing=tmp_path / "in", foreign_topic="x", foreign_idle_seconds=7, kafka_bootstrap="k:1"
    )
    lives = lives_of_settings(settings, Around(Identity(b"k")))
    assert [live.source.name for live in lives] == ["landing", "foreign", "gn", "bss"]
    assert [live.idle_seconds for live in lives] == [1_800, 7, 0, 300]
    assert [live.disorder for live in lives] == [300_000_000, 0, 300_000_000, 30_000_000]
    assert [live.chain for live in lives] == [None] * 4


def test_a_feed_has_neither_name_nor_folder_of_one_of_the_settings(file: Path, tmp_path: Path) -> None:
    file.write_text(GOOD.replace("  bss:", "  landing:"))
    with pytest.raises(SettingsError) as caught:
        feeds_of(load_settings(feeds=file, landing=tmp_path / "gn"))
    assert [problem.removeprefix(f"TOUCHPOINT_FEEDS: {file}:") for problem in caught.value.problems] == [
        f"4:5: expected a folder of its own, was folder {tmp_path}/gn gn_*.txt, "
        "which the feed `landing` reads",
        "12:5: expected another name, was `landing`, as a setting names one",
    ]


def two_feeds(folder: Path, *places: tuple[str, str]) -> Path:
    """Write a file with the feeds `a` and `b`, each of a folder and the names of its files."""
    lines = [
        f"  {name}: {{door: landing, folder: {where}, files: '{files}', map: gn-unicom-2015}}\n"
        for name, (where, files) in zip("ab", places, strict=True)
    ]
    file = folder / "feeds.yaml"
    file.write_text("".join(["feeds:\n", *lines]))
    return file


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        ("s1mme_*", "s1mme_a*", True),
        ("s1mme_*", "*.gz", True),
        ("*.txt", "*.gz", False),
        ("gn_[0-9]*", "gn_7.txt", True),
        ("gn_*", "gb_*", False),
        ("*", "gn_*", True),
    ],
)
def test_two_feeds_of_one_folder_share_no_name(
    touchpoint: Touchpoint, tmp_path: Path, one: str, other: str, clash: bool
) -> None:
    (tmp_path / "in").mkdir()
    result = touchpoint("feeds", "check", two_feeds(tmp_path, ("in", one), ("in", other)))
    assert ("expected a folder of its own" in result.stderr + result.stdout) == clash
    assert result.exit_code == (1 if clash else 0)


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ("in", "in/done", "expected a folder of its own, was folder DIR/in/done *.txt, where the feed `a` "),
        ("in/bad", "in", "expected files left where no feed reads, was DIR/in/bad, which the feed "),
        ("in", "in/new", ""),
    ],
)
def test_no_feed_reads_what_another_has_done(
    touchpoint: Touchpoint, tmp_path: Path, one: str, other: str, said: str
) -> None:
    for folder in (one, other):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    result = touchpoint("feeds", "check", two_feeds(tmp_path, (one, "*.txt"), (other, "*.txt")))
    told = [line.split(": ", 1)[1] for line in result.stdout.splitlines() if "feeds.yaml:3:" in line]
    assert [line.startswith(said.replace("DIR", str(tmp_path))) for line in told] == [True] * bool(said), told
