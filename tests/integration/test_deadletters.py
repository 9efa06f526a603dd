"""`touchpoint deadletters` on a real Kafka: what is listed, what comes back into the log, what is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from engine.collect import partition_of
from engine.lane_state import letters
from engine.refusals import Refusal, dead_letter, shown_name
from tests.integration.care import IMSI, KEY, PARTITIONS, Care, seen
from tests.servers.kafka import KafkaServer
from tests.unit.cli.support import SECOND, T, sight
from tests.unit.doors.support import FILES


def letter(at: int, stage: str, position: str, *, reason: str = "type", **origin: Any) -> bytes:
    refusal = Refusal(reason, "cell: expected text, was a list", "mme", position, '{"t":<digits>}')
    return dead_letter(refusal, stage, T + at * SECOND, origin)


def engine_letter(at: int, position: str) -> bytes:
    refusal = Refusal("kind", "kind: expected a known kind, was 'x'", "log", position, "{}")
    return letters([refusal], "0" * 32, T + at * SECOND)[0]


async def send(care: Care, topic: str, *values: bytes, partition: int = 0) -> None:
    async with AIOKafkaProducer(**care.options) as producer:
        for value in values:
            await producer.send_and_wait(topic, value, partition=partition)


@pytest.fixture
async def feed(care: Care, kafka_server: KafkaServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """A foreign topic: a good record, an array of a broken and a good one; letters that name them."""
    await care.publish()
    topic = f"{care.prefix}.feed"
    kafka_server.create_topics(topic, partitions=1)
    monkeypatch.setenv("TOUCHPOINT_FOREIGN_TOPIC", topic)
    broken = {**sight(IMSI, 2), "cell": ["460"]}
    await send(
        care,
        topic,
        orjson.dumps({**sight(IMSI, 1), "id": "one"}),
        orjson.dumps([broken, {**sight(IMSI, 3), "id": "three"}]),
    )
    dead = f"{care.prefix}.deadletters.v1"
    await send(
        care,
        dead,
        letter(1, "collector", f"{topic}:0:0", topic=topic),
        letter(2, "collector", f"{topic}:0:1#1", topic=topic),
        letter(3, "collector", f"{topic}:0:1#2", topic=topic),
        letter(4, "collector", "rows.csv:9", file="rows.csv", reason="columns"),
        b"no letter",
    )
    await send(care, dead, letter(5, "collector", f"{topic}:0:0", topic=topic), partition=3)
    return topic


async def log(care: Care) -> list[dict[str, Any]]:
    return [value for _, value in await care.topic("events") if value["kind"] != "rules.switch"]


async def test_letters_are_listed_newest_first_and_filtered(care: Care, feed: str) -> None:
    listed = await care.call("deadletters", "list", "--json")
    found = orjson.loads(listed.stdout)
    assert [one["failed_at"] - T for one in found] == [5_000_000, 4_000_000, 3_000_000, 2_000_000, 1_000_000]
    assert found[0]["place"] == f"{care.prefix}.deadletters.v1:3:0"
    assert [one["requeue"] for one in found].count("yes") == 5
    few = await care.call("deadletters", "list", "--reason", "columns")
    head, row = few.stdout.splitlines()
    assert head.split()[:3] == ["refused", "(UTC)", "place"]
    assert row.startswith(f"2026-09-07 02:00:04  {care.prefix}.deadletters.v1:0:3  collector  columns  mme")
    assert row.endswith("  rows.csv:9  cell: expected text, was a list  yes")
    most = await care.call("deadletters", "list", "--limit", "2")
    assert len(most.stdout.splitlines()) == 3
    assert "2 of 5 are shown" in most.stderr
    for none in (("--source", "core"), ("--since", "2026-09-07T10:00:06"), ("--reason", "json")):
        assert (await care.call("deadletters", "list", *none)).stdout == "no dead letters\n"


async def test_what_can_be_saved_is_in_the_log_once_and_the_rest_is_named(care: Care, feed: str) -> None:
    dry = await care.call("deadletters", "requeue", "--all", "--dry-run", "--json")
    assert await log(care) == []
    result = await care.call("deadletters", "requeue", "--all", "--json")
    assert result.stdout == dry.stdout
    assert result.exit_code == 1
    told = orjson.loads(result.stdout)
    assert told["counts"] == {"letters": 5, "requeued": 2, "repeats": 1, "left": 2, "records": 2}
    whys = {each["place"].rpartition(":")[2]: each["why"] for each in told["left"]}
    assert whys["1"].startswith("refused again: cell: expected text")
    assert whys["3"] == "expected TOUCHPOINT_LANDING to find rows.csv, was not given"
    records = await log(care)
    assert [(record["id"], record["subscriber_key"]) for record in records] == [
        ("one", care.key),
        ("three", care.key),
    ]
    assert IMSI not in str(records)


async def test_one_letter_is_chosen_by_its_place(care: Care, feed: str) -> None:
    nothing = await care.call("deadletters", "requeue")
    assert nothing.exit_code == 2
    assert "expected PLACE, --reason, --source, --since or --all" in nothing.stderr
    result = await care.call("deadletters", "requeue", f"{care.prefix}.deadletters.v1:0:2")
    assert result.exit_code == 0, result.output
    assert [record["id"] for record in await log(care)] == ["three"]
    assert result.stdout.splitlines()[1:3] == ["letters        1", "requeued       1"]


async def test_a_place_without_a_letter_is_named(care: Care, feed: str) -> None:
    dead = f"{care.prefix}.deadletters.v1"
    for gone in (f"{dead}:0:99", f"{feed}:0:1#9"):
        result = await care.call("deadletters", "requeue", gone)
        assert result.exit_code == 1
        assert result.stdout == ""
        assert result.stderr == f"touchpoint: {gone}: expected a dead letter of this place, was none\n"
    other = await care.call("deadletters", "requeue", f"{dead}:0:2", "--reason", "json")
    assert other.exit_code == 1
    assert other.stderr.endswith(":0:2: expected a dead letter of this place and these filters, was none\n")
    assert await log(care) == []
    # those that are there are requeued all the same; a limit makes none of them missing
    both = await care.call("deadletters", "requeue", f"{dead}:0:99", f"{dead}:0:0", f"{dead}:0:2", "--json")
    assert both.exit_code == 1
    told = orjson.loads(both.stdout)
    assert (told["counts"]["letters"], told["counts"]["requeued"]) == (2, 2)
    assert (told["left"], told["missing"]) == ([], [f"{dead}:0:99"])
    few = await care.call("deadletters", "requeue", f"{dead}:0:0", f"{dead}:0:2", "--limit", "1", "--dry-run")
    assert few.exit_code == 0
    nothing = await care.call("deadletters", "requeue", "--reason", "json")
    assert (nothing.exit_code, nothing.stdout) == (1, "")
    assert nothing.stderr.startswith("touchpoint: nothing matched: ")
    empty = await care.call("deadletters", "requeue", "--reason", "json", "--json")
    assert (empty.exit_code, orjson.loads(empty.stdout)["counts"].get("letters")) == (1, None)
    wrong = await care.call("deadletters", "requeue", "nonsense")
    assert wrong.exit_code == 2
    assert "PLACE: expected TOPIC:PARTITION:OFFSET" in wrong.stderr


async def test_what_an_engine_refused_comes_back_from_the_log_while_it_is_kept(care: Care) -> None:
    await care.publish()
    await care.append({**seen(5), "id": "five"})
    partition = partition_of(care.key, PARTITIONS)
    offset = next(
        place for place, (_, value) in enumerate(await care.topic("events")) if value["kind"] == "loc.update"
    )
    # the transaction of the switch before it has a marker of its own
    offset += 1
    dead = f"{care.prefix}.deadletters.v1"
    await send(
        care, dead, engine_letter(1, f"{partition}:{offset}"), engine_letter(2, f"{partition}:{offset + 99}")
    )
    await send(care, dead, engine_letter(3, f"{partition}:0"))
    result = await care.call("deadletters", "requeue", "--source", "log")
    assert result.exit_code == 1
    assert [record["id"] for record in await log(care)] == ["five", "five"]
    assert f"{partition}:{offset + 99} is not kept any more" in result.stdout
    assert "a rules.switch belongs to its place in the log" in result.stdout


async def test_another_topic_than_the_one_of_the_settings_is_left(
    care: Care, feed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TOUCHPOINT_FOREIGN_TOPIC")
    result = await care.call("deadletters", "requeue", "--reason", "type")
    assert result.exit_code == 1
    assert f"expected the topic of TOUCHPOINT_FOREIGN_TOPIC, was {feed}" in result.stdout
    assert await log(care) == []


async def test_a_row_of_the_landing_directory_comes_back_once_the_map_is_right(
    care: Care, feed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = tmp_path / "landing" / "done"
    done.mkdir(parents=True)
    lines = (FILES / "gn-ragged.csv").read_bytes().splitlines()
    (done / "rows.csv").write_bytes(b"\n" * 8 + lines[0] + b"\n" + lines[3] + b"\n")
    dead = f"{care.prefix}.deadletters.v1"
    await send(care, dead, letter(6, "collector", "rows.csv:10", file="rows.csv", reason="columns"))
    await send(care, dead, letter(7, "collector", "gone.csv:1", file="gone.csv", reason="columns"))
    monkeypatch.setenv("TOUCHPOINT_LANDING", str(done.parent))
    monkeypatch.setenv("TOUCHPOINT_LANDING_MAP", "gn-unicom-2015")
    result = await care.call("deadletters", "requeue", "--reason", "columns", "--json")
    told = orjson.loads(result.stdout)
    assert told["counts"] == {"letters": 3, "requeued": 1, "left": 2, "records": 1}
    assert [each["why"] for each in told["left"]] == [
        "refused again: columns: expected 19 or more, was 3",
        "gone.csv:1 is not kept any more, or files of this name came twice",
    ]
    [record] = [value for value in await care.everywhere("events") if value["kind"] == "data.session"]
    assert record["source"] == "gn-unicom-2015"
    assert record["subscriber_key"] == care.identity.of_subscriber("A50E")

    # two files of the name: it is not known which one is meant
    (done / "rows.csv.1").write_bytes(b"")
    again = await care.call("deadletters", "requeue", f"{dead}:0:3")
    assert "rows.csv:9 is not kept any more" in again.stdout


async def test_a_file_whose_name_holds_a_number_is_found_by_the_name_that_is_shown(
    care: Care, feed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = tmp_path / "landing" / "done"
    done.mkdir(parents=True)
    names = [f"S1MME_{IMSI[:-1]}{last}.jsonl" for last in "012"]
    shown = [shown_name(name, KEY.encode()) for name in names]
    for number, name in enumerate(names):
        (done / name).write_bytes(orjson.dumps({**sight(IMSI, number), "id": f"of {number}"}) + b"\n")
    dead = f"{care.prefix}.deadletters.v1"
    await send(care, dead, letter(6, "collector", f"{shown[1]}:1", file=shown[1], reason="kind"))
    monkeypatch.setenv("TOUCHPOINT_LANDING", str(done.parent))
    result = await care.call("deadletters", "requeue", "--reason", "kind")
    assert result.exit_code == 0, result.output
    assert [record["id"] for record in await log(care)] == ["of 1"]
    listed = await care.call("deadletters", "list", "--reason", "kind")
    assert IMSI[:-1] not in listed.output


async def test_without_topics_or_kafka_it_says_so(care: Care, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in (("list",), ("requeue", "--all")):
        result = await care.call("deadletters", *command)
        assert result.exit_code == 2
        assert "deadletters.v1: expected to exist, was not found" in result.stderr
    monkeypatch.setenv("TOUCHPOINT_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    result = await care.call("deadletters", "list")
    assert result.exit_code == 2
    assert "Kafka at 127.0.0.1:1: expected to answer" in result.stderr
