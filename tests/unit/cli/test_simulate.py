"""`touchpoint simulate` and `simulate profiles`: files that repeat."""

from __future__ import annotations

import gzip
from pathlib import Path

import orjson
import pytest

from tests.unit.cli.support import T, Touchpoint, read_lines, sight, write_lines

CITY = ("simulate", "--seed", 3, "--subscribers", 20, "--hours", 2)


def test_a_city_repeats_by_its_seed(touchpoint: Touchpoint, rules: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        done = touchpoint(*CITY, "--rules", rules, "--out", tmp_path / name)
        assert done.exit_code == 0
    for name in ("events.jsonl", "profiles.jsonl", "truth.jsonl"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    other = touchpoint(*CITY, "--seed", 4, "--rules", rules, "--out", tmp_path / "three")
    assert other.exit_code == 0
    assert read_lines(tmp_path / "one" / "events.jsonl") != read_lines(tmp_path / "three" / "events.jsonl")


def test_it_begins_when_told(touchpoint: Touchpoint, rules: Path, tmp_path: Path) -> None:
    touchpoint(
        *CITY, "--rules", rules, "--out", tmp_path, "--start", "2026-09-07T10:00", "--lively", "--gzip"
    )
    lines = gzip.decompress((tmp_path / "events.jsonl.gz").read_bytes()).splitlines()
    times = [orjson.loads(line)["t"] for line in lines]
    assert T <= min(times) < T + 3_600_000_000
    profile = read_lines(tmp_path / "profiles.jsonl")[0]
    assert profile.keys() <= {"subscriber", "msisdn", "timezone", "consent", "tier", "arpu"}


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [("--start", "soon", "--start"), ("--hours", "-1", "hours"), ("--subscribers", "-1", "subscribers")],
)
def test_a_wrong_option_is_named(
    touchpoint: Touchpoint, rules: Path, tmp_path: Path, option: str, value: str, said: str
) -> None:
    failed = touchpoint(*CITY, "--rules", rules, "--out", tmp_path / "out", option, value)
    assert failed.exit_code == 2
    assert f"{said}: expected" in failed.stderr


def test_profiles_for_a_feed(touchpoint: Touchpoint, rules: Path, tmp_path: Path) -> None:
    # given two files that name their subscribers in every way there is
    first = write_lines(tmp_path / "a.jsonl", [sight("hash-1", 0), sight("460001234567890", 9), b"{broken"])
    more = [sight("139 1234 5678", 5), sight("hash-1", 6)]
    more[0]["msisdn"] = more[0].pop("subscriber")
    second = write_lines(tmp_path / "b.jsonl", more)

    # when profiles are made
    out = tmp_path / "profiles.jsonl.gz"
    args = ("simulate", "profiles", "--from", first, second, "--seed", 1, "--rules", rules, "--out", out)
    done = touchpoint(*args)

    # then each has one line, in the order of the merged feed
    assert done.exit_code == 0
    lines = [orjson.loads(line) for line in gzip.decompress(out.read_bytes()).splitlines()]
    assert [line["subscriber"] for line in lines] == ["hash-1", "+8613912345678", "460001234567890"]
    assert "1 record" in done.stderr

    # and again the same bytes
    before = out.read_bytes()
    touchpoint(*args)
    assert out.read_bytes() == before


def test_a_feed_that_is_not_there_leaves_no_file(touchpoint: Touchpoint, rules: Path, tmp_path: Path) -> None:
    out = tmp_path / "profiles.jsonl"
    args = ("--from", tmp_path / "no.jsonl", "--seed", 1, "--rules", rules, "--out", out)
    failed = touchpoint("simulate", "profiles", *args)
    assert failed.exit_code == 2
    assert "no.jsonl: expected a file that can be read" in failed.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["rules"]


def test_a_clean_feed_but_for_one_fault(touchpoint: Touchpoint, rules: Path, tmp_path: Path) -> None:
    args = (*CITY, "--rules", rules, "--out", tmp_path, "--no-faults", "--fault", "no_msisdn=1", "inbound=0")
    assert touchpoint(*args).exit_code == 0
    network = [line for line in read_lines(tmp_path / "events.jsonl") if "imsi" in line]
    assert network
    assert not [line for line in network if "msisdn" in line]
    done = [line["done"] for line in read_lines(tmp_path / "truth.jsonl") if line["what"] == "record"]
    # of a session that outlasts the run the truth tells before it arrives
    assert set(map(tuple, done)) == {("no-msisdn",)}
    assert len(network) <= len(done) < len(network) + 20


def test_cells_places_and_xdr(touchpoint: Touchpoint, rules: Path, tmp_path: Path) -> None:
    done = touchpoint(*CITY, "--rules", rules, "--out", tmp_path, "--cells", "--xdr", "--gzip")
    assert done.exit_code == 0
    assert (tmp_path / "cells.csv").read_text().startswith("cell,lat,lon,range_m\n460-00-6001-1,30.25")
    places = orjson.loads((tmp_path / "places.geojson").read_bytes())
    assert {feature["id"] for feature in places["features"]} == {"hall"}
    assert sorted(path.suffix for path in (tmp_path / "xdr").iterdir())[0] == ".gz"
    assert str(tmp_path / "xdr") in done.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--fault", "gremlins=1"), "fault: expected one of"),
        (("--fault", "flips=many"), "--fault: expected NAME=RATE"),
        (("--fault", "flips=7"), "flips: expected a number from 0 to 1"),
        (("--kafka", "feed", "--rate", "fast"), "--rate: expected"),
        (("--kafka", "feed", "--batch", "0"), "--batch: expected 1 to"),
        (("--batch", "50"), "--batch: expected --kafka TOPIC beside it, was 'not given'"),
        (("--batch", "1"), "--batch: expected --kafka TOPIC beside it, was 'not given'"),
        (("--rate", "5000/s"), "--rate: expected --kafka TOPIC beside it, was 'not given'"),
    ],
)
def test_what_simulate_can_not_do_is_named(
    touchpoint: Touchpoint, rules: Path, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    failed = touchpoint(*CITY, "--rules", rules, "--out", tmp_path / "out", *options)
    assert failed.exit_code == 2
    assert said in failed.stderr
