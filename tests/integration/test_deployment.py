"""The roles as processes on real servers decide what a replay decides, record by record (one engine)."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.merge import merge
from connectors.xdr_files import load_map, rows
from engine.identity import Identity
from engine.intake import Intake
from engine.refusals import shown_id
from tests.servers.deployment import KEY, Deployment
from tests.servers.kafka import KafkaServer
from tests.servers.redis import RedisServer
from tests.testdata import CHECKOUT, find

Json = dict[str, Any]
BEIJING = "data/xdr_gn_unicom_2015"
CITY_DISORDER, BEIJING_DISORDER = 300_000, 14 * 3_600_000
"""ms."""


@dataclass(frozen=True)
class Course:
    """A recorded stretch of time, and what a replay makes of it."""

    rules: Path
    events: Path
    profiles: Path
    columns: str
    disorder: int
    newest: int
    decisions: list[Json]


def without_places(lines: list[Json]) -> list[Json]:
    """Leave out where a record stood: a file's line there, an offset here."""
    for line in lines:
        del line["trigger"]["position"]
    return lines


def replayed(call: Deployment, folder: Path, course: Course, *files: Path) -> Course:
    """Replay and return the course with what came of it."""
    arguments: list[object] = ["replay", "--rules", course.rules, "--events", *files]
    arguments += ["--profiles", course.profiles, "--out", folder, "--disorder", f"{course.disorder // 1000}s"]
    if course.columns:
        arguments += ["--map", course.columns]
    call.command(*arguments)
    lines = (folder / "decisions.jsonl").read_bytes().splitlines()
    made = without_places([orjson.loads(line) for line in lines])
    return Course(**{**course.__dict__, "decisions": made})


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Settings without servers: for commands that need none."""
    return Deployment(tmp_path_factory.mktemp("plain"), "127.0.0.1:1", "redis://127.0.0.1:1", "none")


@pytest.fixture(scope="module")
def city(plain: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A simulated day."""
    folder = tmp_path_factory.mktemp("city")
    plain.command("simulate", "--out", folder, "--subscribers", 120, "--hours", 24, "--seed", 5)
    events = folder / "events.jsonl"
    newest = max(orjson.loads(line)["t"] for line in events.read_bytes().splitlines())
    course = Course(CHECKOUT / "rules", events, folder / "profiles.jsonl", "", CITY_DISORDER, newest, [])
    return replayed(plain, folder / "replay", course, events)


@pytest.fixture(scope="module")
def beijing(plain: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The four files, their rows in one file in the order in which a replay merges them."""
    source = find(BEIJING)
    assert source is not None
    files = sorted(source.glob("*.csv.gz"))
    folder = tmp_path_factory.mktemp("beijing")
    rules = CHECKOUT / "tests" / "beijing" / "rules"
    profiles = folder / "profiles.jsonl"
    made = ("--map", "gn-unicom-2015", "--seed", 7, "--rules", rules, "--out", profiles)
    plain.command("simulate", "profiles", "--from", *files, *made)
    columns = load_map("gn-unicom-2015")
    lines = {file.name: gzip.decompress(file.read_bytes()).split(b"\n") for file in files}
    merged, newest = folder / "merged.csv", 0
    with merged.open("wb") as out:
        if columns.header_lines:
            out.writelines(line + b"\n" for line in lines[files[0].name][: columns.header_lines])
        for event in merge([rows(file, columns, Intake(Identity(KEY.encode()))) for file in files]):
            name, _, number = event.position.rpartition(":")
            out.write(lines[name][int(number) - 1] + b"\n")
            newest = max(newest, event.t)
    course = Course(rules, merged, profiles, "gn-unicom-2015", BEIJING_DISORDER, newest, [])
    return replayed(plain, folder / "replay", course, *files)


@pytest.fixture
def deployment(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    kafka_server: KafkaServer,
    redis_server: RedisServer,
    topic_prefix: str,
) -> Iterator[Deployment]:
    """An empty deployment; its processes end with the test."""
    made = Deployment(tmp_path, kafka_server.bootstrap, redis_server.url, topic_prefix, partitions=6)
    yield made
    made.close()


def run(deployment: Deployment, course: Course, workers: int) -> list[Json]:
    """Publish, load, collect and fold a course; return what was decided."""
    landing = deployment.folder / "landing"
    landing.mkdir()
    deployment.settings["LANDING"] = str(landing)
    deployment.settings["LANDING_MAP"] = course.columns
    deployment.settings["LANDING_DISORDER_MS"] = str(course.disorder)
    deployment.command("rules", "publish", course.rules, "--by", "a test")
    deployment.command("load", "profiles", course.profiles)
    for _ in range(workers):
        deployment.start("engine")
    profiles = len(course.profiles.read_bytes().splitlines())
    deployment.wait(lambda: len(dict(deployment.read("profiles"))) == profiles, f"{profiles} profiles")
    collector = deployment.start("collector")
    shutil.copy(course.events, landing / "part.tmp")
    (landing / "part.tmp").rename(landing / course.events.name)
    done = landing / "done" / course.events.name
    deployment.wait(done.exists, "the file to be collected", 120)
    assert collector.terminate()[0] == 0
    deployment.end_time(course.newest)
    return without_places(deployment.decisions())


def as_in_the_log(decision: Json) -> Json:
    """Return a decision of a replay as live makes it: by chance an id looks like a number (ADR 22)."""
    trigger = decision["trigger"]
    if trigger is None or "id" not in trigger:
        return decision
    return {**decision, "trigger": {**trigger, "id": shown_id(trigger["id"], KEY.encode())}}


@pytest.mark.parametrize("workers", [1, 3])
def test_a_simulated_day_is_decided_as_a_replay_does(
    deployment: Deployment, city: Course, workers: int
) -> None:
    made = run(deployment, city, workers)
    assert len(made) > 1_000
    assert made == [as_in_the_log(line) for line in city.decisions]
    for process in deployment.processes[:workers]:
        code, seconds = process.terminate()
        assert code == 0
        assert seconds < 30


@pytest.mark.testdata(BEIJING)
@pytest.mark.parametrize("workers", [1, 3])
def test_the_four_beijing_files_are_decided_as_a_replay_does(
    deployment: Deployment, beijing: Course, workers: int
) -> None:
    made = run(deployment, beijing, workers)
    assert sum(line["outcome"] == "offer" for line in made) > 50
    assert made == beijing.decisions
