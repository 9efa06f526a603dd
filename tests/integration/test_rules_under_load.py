"""Rules edited while records pour in: each decision names one set, and a replay of the log gives the same."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from connectors.kafka_read import read_to_end
from connectors.kafka_rules import published_sets
from engine.collect import partition_of
from engine.identity import Identity
from engine.intake import Intake
from engine.pipeline import Fold
from engine.published import unpack
from engine.replay import order_of
from engine.rulebook import Rulebook
from tests.reference.intake import keyed_hash
from tests.servers.deployment import KEY, SALT, Deployment
from tests.servers.kafka import KafkaServer
from tests.servers.redis import RedisServer
from tests.unit.cli.support import CONSENT, FILES, T

Json = dict[str, Any]
PARTITIONS, PEOPLE = 2, 200
SECOND = 1_000_000
EVERY = 0.2
"""Wall seconds from one text of everybody to the next: some 1,000 records a second."""
RULE = """
rule: texts
title: Somebody writes a lot
owner: team
status: live
approved_by: lead
valid: 2026-09-01 to 2026-09-30
when: {happens: sms.out}
who: {}
offer:
  product: gift
  send:
    - {channel: sms, text: "【移动】回复{product.reply}领取。退订回R。"}
limits: {priority: 50, at_most: 999 in 1d, send_within: 0s, holdout: 0%}
goal: {converts_when: {happens: product.bought}, within: 1d}
"""
POLICY = "timezone: Asia/Shanghai\ncontact: {at_most: 999 in 1d}\n"


def keys() -> list[str]:
    return [blake2b(str(number).encode(), digest_size=16).hexdigest() for number in range(PEOPLE)]


class Load(threading.Thread):
    """Appends a text message of everybody for each second of the log, and a tick, until it is ended."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__(daemon=True)
        self.deployment = deployment
        self.ended = threading.Event()
        self.seconds = 0

    def run(self) -> None:
        asyncio.run(self._go())

    async def _go(self) -> None:
        topic = f"{self.deployment.prefix}.events.v1"
        async with AIOKafkaProducer(**self.deployment.options, acks="all", linger_ms=5) as producer:

            async def put(records: list[tuple[int, Json]]) -> None:
                sent = [await producer.send(topic, orjson.dumps(r), partition=p) for p, r in records]
                await asyncio.gather(*sent)

            people = [(partition_of(key, PARTITIONS), key) for key in keys()]
            known = {"kind": "profile.update", "t": T, "source": "crm", "profile": {}, "consent": CONSENT}
            await put([(place, {**known, "subscriber_key": key}) for place, key in people])
            while not self.ended.is_set():
                t = T + self.seconds * SECOND
                text = {"kind": "sms.out", "t": t, "source": "feed", "id": f"n{self.seconds}"}
                await put([(place, {**text, "subscriber_key": key}) for place, key in people])
                await put([(place, {"kind": "tick", "t": t}) for place in range(PARTITIONS)])
                self.seconds += 1
                await asyncio.sleep(EVERY)


def write(folder: Path, rule: str) -> None:
    files = {name: text for name, text in FILES.items() if not name.startswith("team/")}
    for name, text in {**files, "policy.yaml": POLICY, "team/texts.yaml": rule}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


@pytest.fixture
def deployment(
    kafka_server: KafkaServer, redis_server: RedisServer, topic_prefix: str, tmp_path: Path
) -> Iterator[Deployment]:
    made = Deployment(tmp_path, kafka_server.bootstrap, redis_server.url, topic_prefix, partitions=PARTITIONS)
    yield made
    made.close()


async def replayed(deployment: Deployment) -> list[Json]:
    """Fold the recorded log once more, partition by partition, by the sets that were published."""
    sets = {one.hash: one for one in await published_sets(deployment.options, topic(deployment, "rules"))}
    books: dict[str, Rulebook] = {}

    def book(name: str) -> Rulebook:
        if name not in books:
            books[name] = Rulebook(unpack(sets[name], "86"), KEY.encode())
        return books[name]

    found: list[Json] = []
    for partition in range(PARTITIONS):
        fold: Fold | None = None
        intake = Intake(Identity(KEY.encode(), "86"))
        async for records in read_to_end(deployment.options, topic(deployment, "events"), partition):
            for record in records:
                for event in intake.read_log(record.value, "log", f"{partition}:{record.offset}"):
                    if fold is None:
                        assert event.kind == "rules.switch"
                        fold = Fold(book(event.fields["hash"]), SALT.encode(), books=book)
                    fold.apply(event)
        assert fold is not None
        found += [orjson.loads(orjson.dumps(made)) for made in fold.decisions]
    return sorted(found, key=order_of)


def topic(deployment: Deployment, name: str) -> str:
    return f"{deployment.prefix}.{name}.v1"


def test_every_decision_names_one_set_and_a_replay_of_the_log_gives_the_same(
    deployment: Deployment, tmp_path: Path
) -> None:
    rules = tmp_path / "rules"
    write(rules, RULE)
    hashes = [publish(deployment, rules, "ann")]
    engine = deployment.start("engine")
    deployment.wait(lambda: engine.page("readyz") == 200, "the engine to be ready")
    load = Load(deployment)
    load.start()

    def grow(seconds: int) -> None:
        wanted = load.seconds + seconds
        deployment.wait(lambda: load.seconds >= wanted, f"{seconds} seconds more of the log")

    grow(8)
    write(rules, RULE.replace("回复", "今天回复"))
    hashes.append(publish(deployment, rules, "bob", "--canary", "30%"))
    grow(8)
    hashes.append(publish(deployment, rules, "bob"))
    grow(8)
    write(rules, RULE.replace("texts\n", "texts-5\n", 1))
    refused = deployment.command("rules", "publish", rules, "--by", "cid", check=False)
    assert refused.returncode == 2
    assert "R201" in refused.stderr
    grow(4)
    deployment.command("rules", "switch", hashes[0][:8], "--by", "cid")
    grow(8)
    load.ended.set()
    load.join()
    deployment.end_time(T + load.seconds * SECOND)

    decisions = deployment.decisions()
    old, new = hashes[0], hashes[1]
    assert hashes == [old, new, new]
    by_set = Counter(line["rules_hash"] for line in decisions)
    assert set(by_set) == {old, new}
    assert min(by_set.values()) > PEOPLE
    for line in decisions:  # not the name of the set alone: what it says
        if line["text"] is not None:
            assert ("今天回复" in line["text"]) is (line["rules_hash"] == new)
    assert {line["rules_hash"] for line in decisions if line["text"] is not None} == {old, new}
    assert decisions == asyncio.run(replayed(deployment))
    # the operator's own way to the same answer
    said = f"{len(decisions):,} of {len(decisions):,} decisions are the same once more"
    # it goes as far as the engine's last mark, which comes every two seconds
    deployment.wait(lambda: said in deployment.command("verify").stdout, said)
    # and from the middle of the canary on, when the log has lost what was before
    asyncio.run(cut(deployment))
    found = orjson.loads(deployment.command("verify", "--json", "--out", tmp_path / "differ.jsonl").stdout)
    for one in found["partitions"]:
        assert one["since"] > 0
        assert one["equal"] > PEOPLE
        assert one["different"] == 0
    # a batch that the cut went through: what it made of the records that are gone
    for different in (tmp_path / "differ.jsonl").read_bytes().splitlines():
        assert orjson.loads(different)["again"] is None
    moved = on_canary(decisions, new)
    assert 0.15 * PEOPLE < len(moved) < 0.45 * PEOPLE
    assert moved == {key for key in keys() if in_canary(key, 0.3)}

    told = deployment.command("rules", "history").stdout
    for said in (f"ann: to {old}", f"bob: to {new}, only for 30%", f"cid: to {old}", "texts: changed"):
        assert said in told
    assert "in force" in deployment.command("rules", "published").stdout


async def cut(deployment: Deployment) -> None:
    """Have the log lose what is before the first batch of records after its second switch of rules."""
    name = topic(deployment, "events")
    before = {}
    for partition in range(PARTITIONS):
        switches = []
        async for records in read_to_end(deployment.options, name, partition):
            switches += [record.offset for record in records if b"rules.switch" in (record.value or b"")]
        before[TopicPartition(name, partition)] = RecordsToDelete(switches[1] + PEOPLE)
    admin = AIOKafkaAdminClient(**deployment.options)
    await admin.start()
    try:
        await admin.delete_records(before)
    finally:
        await admin.close()


def publish(deployment: Deployment, rules: Path, by: str, *more: str) -> str:
    said = deployment.command("rules", "publish", rules, "--by", by, *more).stdout
    return said.split(" as ")[1].split()[0]


def on_canary(decisions: list[Json], new: str) -> set[str]:
    """Who decides by the new set at moments at which others of their partition decide by the old one."""
    sets: dict[tuple[int, int], set[str]] = {}
    for line in decisions:
        place = partition_of(line["subscriber_key"], PARTITIONS), line["at"]
        sets.setdefault(place, set()).add(line["rules_hash"])
    # the moment of a full switch itself may be seen by both sets, too: one batch of texts of everybody
    mixed = sorted(place for place, found in sets.items() if len(found) > 1)
    first = {partition: min(at for p, at in mixed if p == partition) for partition in range(PARTITIONS)}
    inside = {(p, at) for p, at in mixed if first[p] < at < first[p] + 6 * SECOND}
    return {
        line["subscriber_key"]
        for line in decisions
        if line["rules_hash"] == new
        and (partition_of(line["subscriber_key"], PARTITIONS), line["at"]) in inside
    }


def in_canary(key: str, share: float) -> bool:
    return int.from_bytes(keyed_hash(SALT, "canary", key)[:8], "big") / 2**64 < share
