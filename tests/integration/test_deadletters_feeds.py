"""`touchpoint deadletters requeue` of a feeds file: each record by the map and the way of its own feed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from connectors.kafka_topic_id import find_topic
from tests.integration.care import IMSI, Care
from tests.integration.test_deadletters import letter, send
from tests.servers.kafka import KafkaServer
from tests.unit.cli.support import SECOND, T, sight
from tests.unit.doors.support import FILES
from tests.unit.topics.support import PROBE, probe


class Fed:
    """A deployment with a feeds file: a landing directory, a topic by a map, JSON files, a webhook."""

    def __init__(self, care: Care, folder: Path, topic: str) -> None:
        self.care = care
        self.folder = folder
        self.topic = topic
        self.feeds: dict[str, dict[str, Any]] = {
            "gn": {"door": "landing", "folder": "gn", "map": "gn-unicom-2015"},
            "json": {
                "door": "landing",
                "folder": "json",
                "treatments": {"identity": {"normalise": "yes", "correlate": "yes"}, "unknown_cells": {}},
            },
            "probe": {"door": "topic", "topic": topic, "map": "probe.yaml"},
            "hooks": {"door": "amf", "listen": "127.0.0.1:0", "unauthenticated": "yes"},
        }
        self.write()
        (folder / "probe.yaml").write_text(yaml.safe_dump(PROBE, sort_keys=False), encoding="utf-8")

    def write(self) -> None:
        """Write the feeds file anew."""
        (self.folder / "feeds.yaml").write_text(
            yaml.safe_dump({"feeds": self.feeds}, sort_keys=False), encoding="utf-8"
        )

    async def refused(self, *letters: bytes) -> None:
        """Put letters into the topic of dead letters."""
        await send(self.care, f"{self.care.prefix}.deadletters.v1", *letters)

    async def requeue(self) -> dict[str, Any]:
        """Requeue all letters; return what is told."""
        result = await self.care.call("deadletters", "requeue", "--all", "--json")
        told: dict[str, Any] = orjson.loads(result.stdout)
        assert result.exit_code == (1 if told["left"] else 0), result.output
        return told

    async def records(self) -> list[dict[str, Any]]:
        """What came into the log."""
        found = await self.care.everywhere("events")
        return [record for record in found if record["kind"] != "rules.switch"]


@pytest.fixture
async def fed(care: Care, kafka_server: KafkaServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fed:
    """It, with nothing refused yet."""
    await care.publish()
    topic = f"{care.prefix}.probe"
    kafka_server.create_topics(topic, partitions=1)
    for name in ("gn", "json"):
        (tmp_path / name / "done").mkdir(parents=True)
    monkeypatch.setenv("TOUCHPOINT_FEEDS", str(tmp_path / "feeds.yaml"))
    return Fed(care, tmp_path, topic)


async def test_records_come_back_by_the_map_of_their_feed(fed: Fed) -> None:
    care, topic = fed.care, fed.topic
    lines = (FILES / "gn-ragged.csv").read_bytes().splitlines()
    (fed.folder / "gn" / "done" / "rows.csv").write_bytes(lines[0] + b"\n" + lines[3] + b"\n")
    dialled = {**sight(IMSI, 1), "kind": "call.out", "number": "013912345678", "cell": "460-00-1-0"}
    both = orjson.dumps([sight(IMSI, 1), {**dialled, "id": "a call"}])
    (fed.folder / "json" / "calls.jsonl").write_bytes(both + b"\n")
    # the map did not know of radio 9, and now it does
    message = probe()
    message["events"] += [{**message["events"][0], "rat": 9, "ts": T // 1_000}]
    await send(care, topic, orjson.dumps(message))
    rats = PROBE["fields"]["rat"]
    mended = {**PROBE, "fields": {**PROBE["fields"], "rat": {**rats, "values": {"9": "LTE"}}}}
    await fed.refused(
        letter(1, "collector", "rows.csv:1", file="rows.csv", feed="gn", reason="columns"),
        letter(2, "collector", "rows.csv:2", file="rows.csv", feed="gn", reason="columns"),
        letter(3, "collector", "calls.jsonl:1#2", file="calls.jsonl", feed="json"),
        letter(4, "collector", f"{topic}:0:0#2", topic=topic, feed="probe", reason="value"),
        letter(5, "collector", f"{topic}:0:9#1", topic=topic, feed="probe", reason="value"),
        letter(6, "collector", "hooks:7#1", feed="hooks"),
    )
    told = await fed.requeue()
    assert told["counts"] == {"letters": 6, "requeued": 2, "left": 4, "records": 2}
    assert [each["why"] for each in told["left"]] == [
        "it was pushed to the feed hooks, which keeps nothing: have it sent again",
        "refused again: columns: expected 19 or more, was 3",
        "refused again: rat: expected one of 6, 10, was '9'",
        f"{topic}:0:9#1 is not kept any more",
    ]
    (fed.folder / "probe.yaml").write_text(yaml.safe_dump(mended, sort_keys=False), encoding="utf-8")
    assert (await fed.requeue())["counts"]["requeued"] == 3
    records = await fed.records()
    kinds = [record["kind"] for record in records]
    assert sorted(kinds) == ["call.out", "call.out", "data.session", "data.session", "loc.update"]
    call = next(record for record in records if record["kind"] == "call.out")
    assert (call["subscriber_key"], call["id"]) == (care.key, "a call")
    # treatments that look at each record alone: the number as E.164, no cell that is none
    assert call["number"] == care.identity.number("+8613912345678")
    assert (call["quality"], "cell" in call) == (["unknown_cell"], False)
    [update] = [record for record in records if record["kind"] == "loc.update"]
    assert (update["rat"], update["cell"], update["t"]) == ("LTE", "460-00-1234", T)
    assert update["source"] == "probe"
    # the id that it has as the collector reads it: made of the topic itself
    topic_id = (await find_topic(care.options, topic)).id
    assert update["id"] == f"{topic_id}:0:0#2"
    assert IMSI not in str(records)


async def test_what_a_feed_has_become_is_named(fed: Fed, monkeypatch: pytest.MonkeyPatch) -> None:
    care, topic = fed.care, fed.topic
    (fed.folder / "json" / "x.jsonl").write_bytes(orjson.dumps({**sight(IMSI, 1), "id": "one"}) + b"\n")
    await fed.refused(
        letter(1, "collector", "x.jsonl:1", file="x.jsonl", feed="old"),
        letter(2, "collector", "x.jsonl:1", file="x.jsonl", feed="probe"),
        letter(3, "collector", "other:0:0", topic="other", feed="probe"),
        letter(4, "collector", "x.jsonl:1", file="x.jsonl", feed="json"),
        letter(5, "collector", "x.jsonl:1", file="x.jsonl", feed="gn"),
        letter(6, "collector", "x.jsonl:1", file="x.jsonl"),
        letter(7, "collector", "x.pcap:1", file="x.pcap", feed="captures", reason="decode"),
    )
    fed.feeds["captures"] = {"door": "pcap", "folder": "captures"}
    fed.feeds["gn"]["map"] = "gone.yaml"
    fed.write()
    told = await fed.requeue()
    file = fed.folder / "feeds.yaml"
    assert told["counts"] == {"letters": 7, "requeued": 1, "left": 6, "records": 1}
    assert [each["why"] for each in told["left"]] == [
        f"expected the feed old in {file}, was none of this name",
        "expected the feed probe to come by a file, was the door topic",
        f"expected the topic {topic} of the feed probe, was other",
        f"the feed gn: {fed.folder}/gone.yaml: expected a column map that can be read, was "
        "'No such file or directory'",
        "expected TOUCHPOINT_LANDING to find x.jsonl, was not given",
        "it is of the feed captures: put x.pcap in again under another name",
    ]
    # a feed that a setting named before it was moved into the file keeps its name
    fed.feeds["landing"] = fed.feeds.pop("json")
    fed.write()
    await care.call("deadletters", "requeue", "--reason", "type")
    assert [record["id"] for record in await fed.records()] == ["one", "one"]

    fed.feeds["probe"]["door"] = "topics"
    fed.write()
    broken = await care.call("deadletters", "requeue", "--all")
    assert broken.exit_code == 2
    assert f"TOUCHPOINT_FEEDS: {file}:" in broken.stderr
    assert "was `topics`" in broken.stderr
    monkeypatch.delenv("TOUCHPOINT_FEEDS")
    without = await care.call("deadletters", "requeue", "--all", "--json")
    assert [each["why"] for each in orjson.loads(without.stdout)["left"]] == [
        *(
            f"expected TOUCHPOINT_FEEDS to find the feed {name}, was not given"
            for name in ("old", "probe", "probe", "json", "gn")
        ),
        "expected TOUCHPOINT_LANDING to find x.jsonl, was not given",
        "expected TOUCHPOINT_FEEDS to find the feed captures, was not given",
    ]


async def test_a_feed_that_can_not_be_read_just_now_keeps_nothing_else_from_coming_back(fed: Fed) -> None:
    fed.feeds["probe"]["bootstrap"] = "127.0.0.1:1"
    fed.write()
    (fed.folder / "json" / "x.jsonl").write_bytes(orjson.dumps({**sight(IMSI, 1), "id": "one"}) + b"\n")
    await fed.refused(
        letter(1, "collector", f"{fed.topic}:0:0", topic=fed.topic, feed="probe"),
        letter(2, "collector", "x.jsonl:1", file="x.jsonl", feed="json"),
    )
    told = await fed.requeue()
    assert told["counts"] == {"letters": 2, "requeued": 1, "left": 1, "records": 1}
    assert told["left"][0]["why"].startswith(f"topic {fed.topic}: expected to be read, was not possible")
    assert [record["t"] for record in await fed.records()] == [T + SECOND]
