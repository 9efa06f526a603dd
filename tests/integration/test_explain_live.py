"""`touchpoint explain --live`: what it tells of a state in a real Redis, and that it changes nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest
from redis import Redis, RedisCluster
from typer.testing import CliRunner, Result

from connectors.redis_store import RedisStore
from engine.cli.inputs import load_rules
from engine.cli.main import app
from engine.codec import encode
from engine.collect import partition_of
from engine.deployment.clients import opened_redis
from engine.event import Event
from engine.identity import Identity
from engine.intake import Intake
from engine.lane_state import pack_lane
from engine.pipeline import Fold
from engine.ports import Commit
from engine.replay import Replay
from engine.rulebook import Rulebook
from engine.settings import load_settings
from tests.integration.care import AWAY, IMSI, NUMBER, Care, profile, seen
from tests.unit.cli.support import CONSENT, FILES, T

PARTITIONS = 3
STAYS = FILES["team/hall-visit.yaml"].replace("hall-visit", "hall-stay").replace("{enters: hall}", "STAY")
STAYS = STAYS.replace("STAY", "{stays_in: hall, for: 30m}").replace("priority: 50", "priority: 40")
BUSY = (
    FILES["team/hall-visit.yaml"]
    .replace("hall-visit", "busy")
    .replace("{place.name}", "")
    .replace("{enters: hall}", "COUNT")
)
BUSY = BUSY.replace("COUNT", "{count: call.out, at_least: 3, within: 2h}").replace(
    "priority: 50", "priority: 30"
)
RULES = {**FILES, "team/hall-stay.yaml": STAYS, "team/busy.yaml": BUSY}
MINUTE = 60_000_000


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def call(*arguments: object) -> Result:
    result = CliRunner().invoke(app, ["explain", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def everything(client: Redis | RedisCluster) -> dict[bytes, tuple[bytes, int]]:
    """Every key of a Redis with its bytes and lifetime."""
    return {key: (client.dump(key), client.pttl(key)) for key in client.scan_iter()}  # type: ignore[misc]


async def commit(rules: Path, records: list[dict[str, Any]], canary: Path | None = None) -> None:
    """Put the state that an engine comes to into Redis, as a lane does."""
    settings = load_settings()
    ruleset = load_rules(rules, settings)
    fold = Fold(Rulebook(ruleset, settings.key_bytes), settings.salt_bytes)
    intake = Intake(Identity(settings.key_bytes))
    replay = Replay(fold)
    for number, fields in enumerate(records):
        event = intake.record({**fields, "imsi": IMSI}, "core", str(number))
        assert event is not None
        replay.feed(event)
    replay.close()
    if canary is not None:
        book = Rulebook(load_rules(canary, settings), settings.key_bytes)
        fold.books = {book.hash: book}.__getitem__
        switch = {"kind": "rules.switch", "t": T, "hash": book.hash, "canary": "100%"}
        fold.apply(Event("rules.switch", T, "", switch, position="1:16"))
    [sub] = fold.subscribers.values()
    states, wakes = {sub.key: encode(sub)}, {sub.key: sub.wake or sub.clock}
    made = Commit("", "token", 17, pack_lane(fold), states=states, wakes=wakes)
    async with opened_redis(settings) as client:
        await RedisStore(client, PARTITIONS).commit(partition_of(sub.key, PARTITIONS), made)


def records() -> list[dict[str, Any]]:
    """Comes to the hall at 10:00, called twice, and left after 26 minutes."""
    calls = [{"kind": "call.out", "t": T - m * MINUTE, "number": "10086", "duration": 9} for m in (50, 10)]
    stay = [
        {"kind": "loc.update", "t": T, "cell": "460-00-1-1"},
        {"kind": "loc.update", "t": T + 26 * MINUTE, "cell": AWAY},
    ]
    known = {"kind": "profile.update", "t": T - 60 * MINUTE, "profile": {"tier": "gold"}, "consent": CONSENT}
    return [known, *calls, *stay]


@pytest.fixture
def client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Redis | RedisCluster:
    """A Redis without anything, in the form asked for, to which the settings lead."""
    form = getattr(request, "param", "server")
    monkeypatch.setenv("TOUCHPOINT_PARTITIONS", str(PARTITIONS))
    monkeypatch.delenv("TOUCHPOINT_KAFKA_BOOTSTRAP", raising=False)
    if form == "server":
        url = request.getfixturevalue("redis_server").url
        monkeypatch.setenv("TOUCHPOINT_REDIS_URL", url)
        return Redis.from_url(url)
    monkeypatch.setenv("TOUCHPOINT_REDIS_MODE", form)
    if form == "cluster":
        url = request.getfixturevalue("redis_cluster").url
        monkeypatch.setenv("TOUCHPOINT_REDIS_URL", url)
        return RedisCluster.from_url(url)
    group = request.getfixturevalue("redis_sentinel")
    monkeypatch.setenv("TOUCHPOINT_REDIS_SENTINEL_MASTER", group.name)
    nodes = ",".join(f"{host}:{port}" for host, port in group.addresses)
    monkeypatch.setenv("TOUCHPOINT_REDIS_URL", f"redis://{nodes}")
    return Redis.from_url(group.primary().url)


@pytest.mark.parametrize("client", ["server", "cluster", "sentinel"], indirect=True)
async def test_a_state_is_told_as_from_a_file_and_nothing_is_written(
    client: Redis | RedisCluster, tmp_path: Path
) -> None:
    rules = write(tmp_path / "rules", RULES)
    await commit(rules, records())
    before = everything(client)
    result = await _call("--live", IMSI, "--rules", rules)
    assert result.exit_code == 0, result.output
    assert everything(client) == before
    for line in (
        "nearest: 26m of 30m in hall, from 2026-09-07 10:00:00 to 2026-09-07 10:26:00",
        "nearest: 2 of 3 in 2h, at 2026-09-07 09:50:00",
        "hall-visit (live): last matched 2026-09-07 10:00:00; a match now: refused: limits.at_most",
        "2026-09-07 10:00:00  offer",
        "  no single change is enough: in the way are limits.at_most and only_one_of",
        "log         partition",
    ):
        assert line in result.stdout
    assert IMSI not in result.output

    told = orjson.loads((await _call("--live", IMSI, "--rules", rules, "--json")).stdout)
    assert (told["offset"], told["in_force"]) == (17, told["rules_hash"])
    by_name = {story["rule"]: story for story in told["rules"]}
    assert by_name["busy"]["pattern"][0]["nearest"]["at"] == T - 10 * MINUTE
    assert by_name["hall-visit"]["contacts"][0]["what"] == "offer"
    assert by_name["hall-stay"]["matched"] == 0
    assert told["profile"] == {"tier": "gold"}
    one = orjson.loads((await _call("--live", IMSI, "--rules", rules, "--rule", "busy", "--json")).stdout)
    assert [story["rule"] for story in one["rules"]] == ["busy"]


async def test_other_rules_than_those_in_force_are_shown_as_after_a_switch_and_that_is_said(
    client: Redis | RedisCluster, tmp_path: Path
) -> None:
    rules = write(tmp_path / "rules", RULES)
    await commit(rules, records())
    shorter = write(tmp_path / "other", {**RULES, "team/hall-stay.yaml": STAYS.replace("30m", "20m")})
    before = everything(client)
    result = await _call("--live", IMSI, "--rules", shorter, "--rule", "hall-stay", "--json")
    assert result.exit_code == 0, result.output
    assert everything(client) == before
    told = orjson.loads(result.stdout)
    assert told["in_force"] != told["rules_hash"]
    assert f"another set is in force: {told['in_force']}" in result.stderr
    assert told["rules"][0]["matched"] == 1


async def test_whoever_is_on_a_canary_is_told_by_its_rules(
    client: Redis | RedisCluster, tmp_path: Path
) -> None:
    rules = write(tmp_path / "rules", RULES)
    shorter = write(tmp_path / "other", {**RULES, "team/hall-stay.yaml": STAYS.replace("30m", "20m")})
    await commit(rules, records(), canary=shorter)
    before = everything(client)
    result = await _call("--live", IMSI, "--rules", shorter)
    assert result.exit_code == 0, result.output
    assert everything(client) == before
    assert "another set is in force" not in result.stderr
    assert "canary      100% on" in result.stdout
    assert "the subscriber is on it" in result.stdout
    told = orjson.loads((await _call("--live", IMSI, "--rules", shorter, "--json")).stdout)
    assert told["in_force"] == told["rules_hash"]
    assert told["canary"].startswith("100% on ")


async def test_who_is_not_there_is_said(client: Redis | RedisCluster, tmp_path: Path) -> None:
    rules = write(tmp_path / "rules", RULES)
    empty = await _call("--live", IMSI, "--rules", rules)
    assert empty.exit_code == 1
    assert "no engine has committed anything there (TOUCHPOINT_PARTITIONS=3)" in empty.stderr
    await commit(rules, records())
    name = next(f"x{n}" for n in range(99) if _same_partition(f"x{n}"))
    absent = await _call("--live", name, "--rules", rules)
    assert absent.exit_code == 1
    assert "no record of them came" in absent.stderr


async def test_a_damaged_state_is_said(client: Redis | RedisCluster, tmp_path: Path) -> None:
    rules = write(tmp_path / "rules", RULES)
    await commit(rules, records())
    [key] = [key for key in client.scan_iter() if b"}s:" in key]
    client.set(key, b"\x02not a state")
    result = await _call("--live", IMSI, "--rules", rules)
    assert result.exit_code == 2
    assert result.stderr.startswith("touchpoint: state of ")


async def test_a_running_engine_is_told_by_the_rules_it_has(care: Care) -> None:
    await care.publish()
    async with care.engine():
        await care.append(profile(-600), seen(-300, AWAY), seen(0))
        await care.lines(2)
    result = await care.call("explain", "--live", NUMBER, "--rule", "hall-visit")
    assert result.exit_code == 0, result.output
    assert "published by ann" in result.stdout
    assert "2026-09-07 10:00:00  offer" in result.stdout
    assert NUMBER[1:] not in result.output
    missing = await care.call("explain", "--live", IMSI, "--rule", "hall-vist")
    assert missing.exit_code == 2
    assert "did you mean `hall-visit`?" in missing.stderr


async def _call(*arguments: object) -> Result:
    return await asyncio.to_thread(call, *arguments)


def _same_partition(name: str) -> bool:
    identity = Identity(load_settings().key_bytes)
    places = {
        partition_of(key, PARTITIONS) for key in (identity.of_subscriber(name), identity.of_imsi(IMSI)) if key
    }
    return len(places) == 1
