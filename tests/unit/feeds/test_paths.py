"""Paths of settings and feeds files that can't be looked at: told with their place, never a traceback."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from connectors.column_map import load_map
from connectors.door import House
from connectors.landing_door import LandingOptions, look
from connectors.tac_table import look_at_handsets
from engine.deployment.common import check_landing
from engine.deployment.feeds.look import problems_of
from engine.deployment.feeds.read import load_feeds
from engine.errors import InputError, SettingsError
from engine.identity import Identity
from engine.language.cells_table import look_at_cells
from engine.language.folders import read_folder, set_of
from engine.language.number_lists import look_at_numbers
from engine.paths import FILE, FOLDER, OTHER, is_file, is_folder, is_there, kind_of, why_no
from engine.published import files_of
from engine.settings import load_settings
from engine.settings.across import needs
from tests.unit.collector.support import KEY

NOBODY = 65534
TOO_LONG = "x" * 300
Case = tuple[Path, str]


@contextmanager
def without_rights() -> Iterator[None]:
    """Be somebody whom permissions bind, if that is not so anyway."""
    if os.geteuid():
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.fixture(params=["too long", "behind one that may not be entered"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    """A path that can't be looked at, and why."""
    if request.param == "too long":
        yield tmp_path / TOO_LONG, "file name too long"
        return
    closed = tmp_path / "closed"
    (closed / "in").mkdir(parents=True)
    closed.chmod(0o000)
    with without_rights():
        yield closed / "in", "permission denied"
    closed.chmod(0o700)


def test_it_is_said_why(case: Case) -> None:
    path, why = case
    for asked in (kind_of, is_file, is_folder, is_there):
        with pytest.raises(InputError, match=f"expected a path that can be looked at, was '{why}'"):
            asked(path)
    assert why_no(FOLDER, path) == why_no(FILE, path) == f"can't be looked at ({why})"


def test_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "lost").symlink_to(tmp_path / "none")
    kinds = {
        name: kind_of(tmp_path / name) for name in ("", "file", "pipe", "link", "lost", "file/x", "none")
    }
    assert kinds == {
        "": FOLDER,
        "file": FILE,
        "pipe": OTHER,
        "link": FILE,
        "lost": "",
        "file/x": "",
        "none": "",
    }
    assert [why_no(FOLDER, tmp_path / name) for name in ("", "file", "none")] == ["", "is none", "is missing"]
    with pytest.raises(InputError, match="null"):
        kind_of(tmp_path / "a\0b")


@pytest.mark.parametrize(
    "read",
    [
        look_at_cells,
        look_at_handsets,
        look_at_numbers,
        read_folder,
        set_of,
        files_of,
        lambda path: load_map(f"{path}.yaml"),
        lambda path: load_feeds(path),
    ],
)
def test_tables_maps_and_rules_are_told(case: Case, read: Callable[[Path], Any]) -> None:
    with pytest.raises(InputError) as told:
        read(case[0])
    assert str(case[0]) in str(told.value)


def test_a_folder_of_a_feed_is_told(case: Case) -> None:
    path, why = case
    assert [mistake[:3] for mistake in look(LandingOptions(folder=path), House())] == [
        ("folder", "a folder", f"`{path}`, which can't be looked at ({why})")
    ]
    check_landing(path)


def test_all_of_a_feeds_file_are_told_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text(f"""
tables:
  cells: {TOO_LONG}
  handsets: {TOO_LONG}
  numbers: {TOO_LONG}
feeds:
  a:
    door: landing
    folder: {TOO_LONG}
    map: {TOO_LONG}.yaml
  b: {{door: pcap, folder: {TOO_LONG}y}}
  c: {{door: tcp, listen: "127.0.0.1:8081", tokens_file: {TOO_LONG}}}
""")
    found = problems_of(load_feeds(tmp_path / "feeds.yaml"), House(), Identity(KEY), {})
    assert [(problem.line, problem.col) for problem in found] == [
        (3, 10), (4, 13), (5, 12), (9, 13), (10, 10), (11, 27), (12, 57),
    ]  # fmt: skip
    assert all("name too long" in problem.message.lower() for problem in found), found


def test_settings_are_told(case: Case) -> None:
    path, why = case
    settings = load_settings(key="k" * 32, salt="s" * 32, landing=path, rules=path)
    told = list(needs(settings, ("landing", "rules")))
    for name, said in zip(("LANDING", "RULES"), told, strict=True):
        assert said.startswith(f"TOUCHPOINT_{name}: expected a folder")
        assert said.endswith(f", was '{path}', which can't be looked at ({why})")
    with pytest.raises(SettingsError, match="KAFKA_CA: expected a file with certificates"):
        load_settings(kafka_ca=path)


@pytest.mark.parametrize("name", ["done", "bad"])
def test_a_file_that_stands_where_files_are_put_away_is_told(tmp_path: Path, name: str) -> None:
    options = LandingOptions(folder=tmp_path)
    assert list(look(options, House())) == []
    (tmp_path / name).write_text("{}\n")
    [mistake] = look(options, House())
    expected = "a folder for files that are put away"
    assert mistake[:3] == ("folder", expected, f"`{tmp_path / name}`, which is none")
    with pytest.raises(SettingsError, match=r"to its done/ and bad/, .*file exists"):
        check_landing(tmp_path)


def test_folders_in_which_nothing_can_be_put_away_are_told(tmp_path: Path) -> None:
    for name in ("done", "bad"):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(0o500)
    tmp_path.chmod(0o777)
    for above in (tmp_path, *tmp_path.parents[:-2]):
        above.chmod(above.stat().st_mode | 0o011)
    with without_rights():
        found = [mistake.was for mistake in look(LandingOptions(folder=tmp_path), House())]
    assert found == [f"`{tmp_path / name}`, where they can't" for name in ("done", "bad")]
