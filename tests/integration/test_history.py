"""`touchpoint history` on a real Kafka and a real Redis, over what a real engine decided."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from tests.integration.care import AWAY, IMSI, NUMBER, Care, control, profile, seen
from tests.unit.cli.support import T

GOLDEN = Path(__file__).parent / "golden" / "history.txt"
HOUR = 3_600


async def live(care: Care) -> None:
    """One day of one subscriber: an offer, a refusal, a rejected offer, a hold."""
    await care.publish()
    async with care.engine():
        await care.append(profile(-600), seen(-300, AWAY), seen(0))
        first = next(line for line in await care.lines(2) if line["outcome"] == "offer")
        await care.append(control("offer.receipt", 2, decision=first["id"], status="accepted"))
        await care.append(control("offer.receipt", 20, decision=first["id"], status="delivered"))
        await care.append(control("offer.receipt", 21, decision=first["id"], status="delivered"))
        await care.append(profile(HOUR, tier="vip"), seen(2 * HOUR, AWAY), seen(2 * HOUR + 600))
        second = next(line for line in await care.lines(4) if line["at"] > T and line["outcome"] == "offer")
        rejected = control(
            "offer.receipt", 2 * HOUR + 605, decision=second["id"], status="rejected", cause="8"
        )
        await care.append(rejected)
        await care.lines(5)
        await care.append(seen(12.4 * HOUR, AWAY), seen(12.5 * HOUR))
        await care.lines(7)


async def test_the_page_says_what_was_decided_why_and_what_became_of_it(care: Care) -> None:
    await live(care)
    result = await care.call("history", NUMBER)
    assert result.exit_code == 0, result.output
    assert result.stdout == GOLDEN.read_text(encoding="utf-8")
    assert NUMBER[1:] not in result.output
    for name in (IMSI, care.key):
        assert (await care.call("history", name)).stdout == result.stdout

    few = await care.call("history", IMSI, "--since", "2026-09-07T11:00", "--no-refusals", "--json")
    told = orjson.loads(few.stdout)
    assert [(line["rule"], line["outcome"]) for line in told["decisions"]] == [
        ("hall-late", "offer"),
        ("hall-late", "held"),
    ]
    offer, _ = told["decisions"]
    assert offer["taken_back"] == T + (2 * HOUR + 605) * 1_000_000
    assert offer["receipts"] == [{"t": offer["taken_back"], "status": "rejected", "cause": "8"}]
    assert told["states"][0]["holds"] == [["hall-late", T + 22 * HOUR * 1_000_000]]
    assert told["subscriber_keys"] == [care.key, care.own]
    assert NUMBER[1:] not in few.output
    # all was appended just now, whatever the times of the records
    late = await care.call("history", IMSI, "--since", "2030-01-01", "--json")
    assert orjson.loads(late.stdout)["decisions"] == []


async def test_without_redis_it_says_what_is_missing_and_shows_the_rest(
    care: Care, monkeypatch: pytest.MonkeyPatch
) -> None:
    await care.publish()
    async with care.engine():
        await care.append(profile(-600), seen(-300, AWAY), seen(0))
        await care.lines(2)
    monkeypatch.setenv("TOUCHPOINT_REDIS_URL", "redis://127.0.0.1:1")
    result = await care.call("history", IMSI)
    assert result.exit_code == 0, result.output
    assert "what is known now is not shown: redis:" in result.stderr
    assert "not known" in result.stdout
    assert "opted out" not in result.stdout


async def test_of_a_stranger_nothing_is_known_and_what_is_missing_is_said(care: Care) -> None:
    missing = await care.call("history", IMSI)
    assert missing.exit_code == 2
    names = ("decisions", "events", "profiles", "rules")
    lines = [
        f"topic {care.prefix}.{name}.v1: expected to exist, was not found; `touchpoint topics` makes it"
        for name in names
    ]
    assert missing.stderr == "touchpoint: " + "\n".join(lines) + "\n"
    await care.publish()
    result = await care.call("history", "+8613800000000")
    assert result.exit_code == 1
    assert "nothing is known of this subscriber (a phone number)" in result.stderr
    assert "138" not in result.output
    wrong = await care.call("history", "+86-no-number")
    assert wrong.exit_code == 2
    assert "SUBSCRIBER: expected 15 digits of an IMSI" in wrong.stderr
