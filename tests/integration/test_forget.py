"""`touchpoint forget` on a real Kafka and a real Redis, with a real engine that does it."""

from __future__ import annotations

import pytest

from connectors.redis_keys import optout_key, tag_of
from engine.collect import partition_of
from tests.integration.care import AWAY, IMSI, NUMBER, PARTITIONS, Care, control, profile, seen
from tests.servers.eventually import eventually

STRANGER = "460009999999999"


def has_state(care: Care, key: str) -> bool:
    tag = tag_of(partition_of(key, PARTITIONS), PARTITIONS)
    return bool(care.redis.exists(f"{tag}s:{key}"))


async def test_state_and_profile_go_and_the_opt_out_stays(care: Care) -> None:
    await care.publish()
    async with care.engine():
        no = {"marketing": False, "profiling": True, "location": True}
        await care.append(control("consent.change", -900, consent={"marketing": False}), key=care.own)
        await care.append(seen(-800), key=care.identity.of_imsi(STRANGER) or "")
        await care.append(
            profile(-600), control("consent.change", -500, consent=no), seen(-300, AWAY), seen(0)
        )
        await care.lines(1)
        await eventually(lambda: has_state(care, care.own) and has_state(care, care.key))
        # as after a Redis that was restored from an old copy
        care.redis.delete(optout_key(care.own))

        result = await care.call("forget", IMSI, "--yes")
        assert result.exit_code == 0, result.output
        assert "subscriber.forget for 2 keys" in result.stdout
        assert "done: state and profile are removed\n" in result.stdout
        assert "a new state has begun" not in result.stdout
        assert "what stays: decisions that were made" in result.stdout
        assert not has_state(care, care.key)
        assert not has_state(care, care.own)
        assert has_state(care, care.identity.of_imsi(STRANGER) or "")
        assert care.redis.hexists(optout_key(care.own), care.own)
        for key in (care.key, care.own):
            [last] = [value for name, value in await care.topic("profiles", key) if name == key.encode()][-1:]
            assert last is None
        assert NUMBER[1:] not in result.output

        again = await care.call("forget", NUMBER, "--yes")
        assert again.exit_code == 0, again.output
        assert "done: there was neither state nor profile\n" in again.stdout

    history = await care.call("history", NUMBER, "--json")
    assert '"opted_out": true' in history.stdout
    assert '"states": []' in history.stdout
    assert '"forgotten": ' in history.stdout
    shown = await care.call("history", NUMBER)
    assert "are not shown: forgotten\n" in shown.stdout
    assert "no decision that is kept" not in shown.output


async def test_the_opt_out_stands_before_an_engine_has_done_anything(care: Care) -> None:
    await care.publish()
    async with care.engine():
        await care.append(profile(-600), control("consent.change", -500, consent={"marketing": False}))
        await eventually(lambda: care.redis.hexists(optout_key(care.own), care.own))
    care.redis.delete(optout_key(care.own))
    result = await care.call("forget", IMSI, "--yes", "--wait", "0")
    assert "opted out: stays so" in result.stdout
    assert care.redis.hexists(optout_key(care.own), care.own)


async def test_who_never_said_no_is_not_opted_out_by_being_forgotten(care: Care) -> None:
    await care.publish()
    async with care.engine():
        await care.append(profile(-600))
        await eventually(lambda: has_state(care, care.key))
        result = await care.call("forget", NUMBER, "--yes")
        assert result.exit_code == 0, result.output
        assert not care.redis.hexists(optout_key(care.own), care.own)
        assert not care.redis.hexists(optout_key(care.key), care.key)


async def test_it_asks_first_and_says_when_no_engine_has_done_it(care: Care) -> None:
    await care.publish()
    result = await care.call("forget", IMSI, answer="n\n")
    assert result.exit_code == 1
    assert "nothing was done" in result.stderr
    forgets = [value for _, value in await care.topic("events") if value["kind"] == "subscriber.forget"]
    assert forgets == []

    result = await care.call("forget", IMSI, "--wait", "0.5", answer="y\n")
    assert result.exit_code == 1
    assert "in the log: subscriber.forget for 1 key\n" in result.stdout
    assert "engines have not done it within 0.5 s" in result.stderr
    forgets = [value for _, value in await care.topic("events") if value["kind"] == "subscriber.forget"]
    assert [record["subscriber_key"] for record in forgets] == [care.key]


@pytest.mark.parametrize("missing", ["TOUCHPOINT_REDIS_URL", "TOUCHPOINT_KAFKA_BOOTSTRAP"])
async def test_what_is_not_there_is_named(care: Care, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.delenv(missing)
    result = await care.call("forget", IMSI, "--yes")
    assert result.exit_code == 2
    assert f"{missing}: expected" in result.stderr


async def test_without_redis_nothing_is_written(care: Care, monkeypatch: pytest.MonkeyPatch) -> None:
    await care.publish()
    monkeypatch.setenv("TOUCHPOINT_REDIS_URL", "redis://127.0.0.1:1")
    result = await care.call("forget", IMSI, "--yes")
    assert result.exit_code == 2
    assert "redis: secrets: expected a reply" in result.stderr
    assert [value["kind"] for _, value in await care.topic("events")] == ["rules.switch"]
