"""`touchpoint load --dry-run`, and what is said before anything is opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.loads.load_map import FileMap
from connectors.loads.postgres import Address
from engine.cli.load import source_of
from tests.unit.cli.support import Touchpoint, profile, write_lines


def test_a_dry_run_names_every_mistake_and_needs_no_servers(touchpoint: Touchpoint, tmp_path: Path) -> None:
    people = [profile(f"46000{number:010}") for number in range(3)]
    path = write_lines(
        tmp_path / "people.jsonl", [people[0], b"{broken", people[1], *[{"tier": "gold"}] * 40, people[2]]
    )
    result = touchpoint("load", "profiles", path, "--dry-run")
    assert result.exit_code == 1
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines[:4] == ["checked, nothing written number", "lines 44", "records 3", "refused 41"]
    assert lines[6] == (
        "identity 40 identity: expected imsi, msisdn or subscriber, was none of them "
        "people.jsonl:4, people.jsonl:5, people.jsonl:6, …"
    )
    assert lines[7].startswith("json 1 expected JSON, was not at character 1")
    assert lines[7].endswith("people.jsonl:2")
    assert "subscribers 3" in lines
    assert not any("46000" in line for line in lines)


def test_a_file_without_mistakes_is_said_to_be_right(touchpoint: Touchpoint, tmp_path: Path) -> None:
    path = tmp_path / "stop.csv"
    path.write_text("msisdn,since\n13912345678,2026-09-01\n+8613800000000,\n", encoding="utf-8")
    result = touchpoint("load", "optouts", path, "--dry-run")
    assert result.exit_code == 0
    assert "numbers opted out 2" in " ".join(result.stdout.split())
    assert "139" not in result.output


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        ("profiles", ["TOUCHPOINT_KAFKA_BOOTSTRAP"]),
        ("optouts", ["TOUCHPOINT_KAFKA_BOOTSTRAP", "TOUCHPOINT_REDIS_URL"]),
    ],
)
def test_without_servers_each_missing_setting_is_named(
    touchpoint: Touchpoint, tmp_path: Path, kind: str, missing: list[str]
) -> None:
    result = touchpoint("load", kind, write_lines(tmp_path / "list", []))
    assert result.exit_code == 2
    for name in missing:
        assert f"{name}: expected" in result.stderr


def test_a_file_that_is_not_there_is_a_mistake(touchpoint: Touchpoint, tmp_path: Path) -> None:
    result = touchpoint("load", "consents", tmp_path / "none.csv", "--dry-run")
    assert result.exit_code == 2
    assert "none.csv: expected a file that can be read" in result.stderr


def test_a_table_needs_a_map_and_a_comparison_a_dry_run(touchpoint: Touchpoint, tmp_path: Path) -> None:
    result = touchpoint("load", "profiles", "postgresql://crm@db.example/crm", "--dry-run")
    assert result.exit_code == 2
    assert "--map: expected a map, for tables have columns" in result.stderr
    result = touchpoint("load", "profiles", tmp_path / "none.csv", "--compare")
    assert result.exit_code == 2
    assert "--compare: expected it with --dry-run only" in result.stderr


def test_only_what_can_be_loaded_is_taken(touchpoint: Touchpoint, tmp_path: Path) -> None:
    result = touchpoint("load", "people", tmp_path / "none.csv")
    assert result.exit_code == 2
    assert "'profiles', 'consents', 'optouts'" in result.stderr


def test_a_load_is_another_one_with_another_map_table_or_database(tmp_path: Path) -> None:
    path, text = (
        tmp_path / "map.yaml",
        "map: crm\nload: profiles\npostgres: {table: crm, since: at, key: I}\nimsi: I\n",
    )

    def source(text: str, url: str = "postgresql://db.example/crm", key: bytes = b"k") -> str:
        path.write_text(text, encoding="utf-8")
        return source_of("profiles", Address(url), FileMap(path, "profiles", {}), key)

    names = [
        source(text),
        source(text.replace("table: crm", "table: others")),
        source(text + "msisdn: M\n"),
        source(text, "postgresql://db.example/other"),
        source(text, key=b"another"),
    ]
    assert len(set(names)) == len(names)
    assert source(text + "# the same\n", "postgresql://ann@db.example/crm") == names[0]
