"""`bench streaming`: the engine role on a real Kafka and a real Redis: CPU, state in Redis, latency, growth.

Servers are those of the tests, on this machine, one node each. CPU is what the system charged to a process
(`/proc`), from when it had its profiles to when it had folded all: start-up is left out.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer
from redis import Redis

from bench.course import HOME_CC
from bench.feeds import Feed, simulate
from bench.report import ROOT, Scale, Section, tell
from connectors.kafka_read import read_to_end
from connectors.redis_keys import tag_of
from engine.app import DISORDER, load_rules
from engine.collect import partition_of, spread
from engine.event import Event
from engine.identity import Identity
from engine.intake import Intake
from engine.ticks import TickMaker
from tests.servers.deployment import KEY, Deployment, RoleProcess
from tests.servers.kafka import KafkaServer
from tests.servers.kafka_jars import find_kafka
from tests.servers.redis import RedisServer, find_redis

PARTITIONS = 6
SAMPLED = 100
TICKS = os.sysconf("SC_CLK_TCK")
CPU_TARGET, LATENCY_TARGET = 14.0, 50.0
"""µs per event of the engine's process; ms from event appended to offer appended, p99."""
GROWTH = (10_000, 100_000, 1_000_000)
GROWTH_EVENTS = 60_000
OPEN_HOUR = 10
"""The simulated hour begins here: outside quiet time, so that offers are made and not held."""
WARM_SECONDS, PACED_SECONDS = 5.0, 30.0
"""Of the paced run. Its first seconds are left out: time jumps to the hour of the feed, which wakes all."""
PROBES = 40
"""Recharges a second of the paced run, of somebody new each; an offer answers each: bench-probe.yaml."""
AT_ONCE = 2_000

Pairs = list[tuple[int, bytes]]


def measure(scale: Scale) -> Section:
    """Run everything; some minutes."""
    rules = load_rules(ROOT / "rules", HOME_CC)
    feed = simulate(scale.cache, rules, scale.subscribers, 1.0, OPEN_HOUR)
    two_days = simulate(scale.cache, rules, scale.two_days, 2 * scale.hours)
    section = Section("streaming", "")
    with (
        tempfile.TemporaryDirectory(prefix="touchpoint-bench-") as name,
        _servers(Path(name)) as (kafka, redis),
    ):
        run = _Run(Path(name), kafka, redis, feed, "hour")
        one = run.fold(1, "one worker", refusals_every=SAMPLED)
        section.title = (
            f"1 h of {feed.subscribers:,} subscribers: {run.events:,} events, "
            f"{PARTITIONS} partitions; {find_kafka(os.environ).version}, {find_redis().version}"
        )
        target = None if scale.quick else CPU_TARGET
        section.add("engine", one["engine"], "µs CPU per event", "catching up, one worker", target)
        section.add("redis", one["redis"], "µs CPU per event", "commits and reads of states")
        section.add("rate", one["rate"], "events per second (wall)", "catching up, all on this machine")
        every = run.fold(1, "one worker, every refusal written")
        section.add("engine, every refusal written", every["engine"], "µs CPU per event", "the default")
        two = run.fold(2, "two workers", refusals_every=SAMPLED)
        section.add("engine, two workers", two["engine"], "µs CPU per event", "sum of both processes")
        section.add("two workers / one", two["engine"] / one["engine"], "times", "CPU; cores are shared")
        _latency(section, run, one["rate"] / 2, quick=scale.quick)
        for subscribers in (200, 400) if scale.quick else GROWTH:
            cost = run.grown(subscribers, 500 if scale.quick else GROWTH_EVENTS)
            section.add(f"engine, {subscribers:,} subscribers", cost, "µs CPU per event", "a random one each")
        _Run(Path(name), kafka, redis, two_days, "two-days").fold(1, "two days, for states in Redis")
        _memory(section, redis, f"after {2 * scale.hours:g} simulated hours")
    section.remarks += [
        "Settings are the defaults (commits at least every 100 ms, batches of 500); of refusals one in 100 is"
        " written, as in `day`, where nothing else is said.",
        "Events come by a producer without transactions. Latency: LogAppendTime of the offer less that of the"
        " record that made it at once (offers of timers are left out: nobody waits for them).",
        "Growth: states of that many subscribers stand in Redis, each event is of a random one of them, so"
        " that nearly none is in the engine's cache: the worst case.",
    ]
    return section


class _Run:
    """A feed, as it stands in a log, and what folds it."""

    def __init__(self, folder: Path, kafka: KafkaServer, redis: RedisServer, feed: Feed, name: str) -> None:
        self.folder = folder
        self.name = name
        self.kafka = kafka
        self.redis = redis
        self.profiles: Pairs = []
        self.log: Pairs = []
        self.events = 0
        self._number = 0
        intake = Intake(Identity(KEY.encode(), HOME_CC))
        for line in feed.profiles:
            event = intake.profile_line(line, "bench", "profiles")
            if event is not None:
                self.profiles += spread(event, PARTITIONS)
        ticks = TickMaker(DISORDER)
        for lines in feed.batches():
            for line in lines:
                for event in intake.read(line, "bench", "0:0"):
                    self.events += 1
                    self.log += spread(event, PARTITIONS)
                    follows = ticks.after(event)
                    if follows is not None:
                        self.log += spread(follows, PARTITIONS)
        self.newest = ticks.greatest

    def begin(
        self,
        workers: int,
        rules: Path = ROOT / "rules",
        strangers: Pairs | None = None,
        **settings: Any,
    ) -> tuple[Deployment, list[RoleProcess]]:
        """Start an empty deployment that has its rules and profiles, those of `strangers` too."""
        self._number += 1
        self.redis.flush()
        folder = self.folder / f"{self.name}-{self._number}"
        folder.mkdir()
        made = Deployment(folder, self.kafka.bootstrap, self.redis.url, folder.name, partitions=PARTITIONS)
        made.command("rules", "publish", rules, "--by", "bench")
        profiles = [*self.profiles, *(strangers or ())]
        append(made, profiles)
        engines = [made.start("engine", **settings) for _ in range(workers)]
        wanted = len(profiles)
        made.wait(lambda: len(dict(made.read("profiles"))) >= wanted, "profiles to be folded", 120)
        return made, engines

    def fold(self, workers: int, what: str, **settings: Any) -> dict[str, float]:
        """Fold the feed; return CPU per event of engines and of Redis, and the rate."""
        tell(f"streaming: {what}")
        made, engines = self.begin(workers, **settings)
        try:
            before, redis_before = sum(map(cpu_of, engines)), cpu_of(self.redis)
            began = time.monotonic()
            append(made, self.log)
            made.end_time(self.newest, 600)
            took = time.monotonic() - began
            return {
                "engine": (sum(map(cpu_of, engines)) - before) / self.events * 1e6,
                "redis": (cpu_of(self.redis) - redis_before) / self.events * 1e6,
                "rate": self.events / took,
            }
        finally:
            made.close()

    def paced(self, rate: float, seconds: float) -> Deployment:
        """Append a part of the feed and probes at a rate while an engine folds it; return what is left."""
        tell(f"streaming: {rate:,.0f} events per second for {seconds:.0f} s")
        rules = self.folder / "rules-with-probe"
        if not rules.exists():
            shutil.copytree(ROOT / "rules", rules)
            shutil.copy(ROOT / "bench" / "bench-probe.yaml", rules)
        share = self.events / len(self.log)
        count = min(int(rate * seconds / share), len(self.log))
        part = self.log[-count:]
        probes = max(int(PROBES * count * share / rate), 1)
        profiles, recharges = self._probes([part[len(part) * n // probes] for n in range(probes)])
        made, _ = self.begin(1, rules, profiles)
        mixed: Pairs = []
        for number, pair in enumerate(recharges):
            mixed += part[len(part) * number // probes : len(part) * (number + 1) // probes]
            mixed.append(pair)
        append(made, mixed, rate / share)
        newest = max(orjson.loads(value)["t"] for _, value in part[-PARTITIONS * 50 :])
        made.end_time(newest + 1_000_000, 300)
        made.close()
        return made

    def _probes(self, neighbours: Pairs) -> tuple[Pairs, Pairs]:
        """Return profiles, and a recharge at the time of each neighbour, of as many strangers."""
        intake = Intake(Identity(KEY.encode(), HOME_CC))
        profiles: Pairs = []
        recharges: Pairs = []
        for number, (_, beside) in enumerate(neighbours):
            who = f"4600099{number:08d}"
            consent = {"marketing": True, "profiling": True, "location": True}
            line = {"subscriber": who, "msisdn": f"+861990{number:07d}", "arpu": 50, "consent": consent}
            known = intake.profile_line(orjson.dumps(line), "bench", "probes")
            assert known is not None
            profiles += spread(known, PARTITIONS)
            record = {"kind": "recharge", "t": orjson.loads(beside)["t"], "imsi": who, "amount": 50}
            [event] = intake.read(orjson.dumps(record), "bench", f"0:{number}")
            recharges += spread(event, PARTITIONS)
        return profiles, recharges

    def grown(self, subscribers: int, events: int) -> float:
        """Return the CPU per event with that many subscribers in the store."""
        tell(f"streaming: {subscribers:,} subscribers")
        made, [engine] = self.begin(1)
        try:
            keys = _populate(self.redis, subscribers)
            rng = random.Random(7)
            start = self.newest + 60_000_000
            records: Pairs = []
            ticks = TickMaker(0)
            for number in range(events):
                key = rng.choice(keys)
                fields = {
                    "kind": "loc.update",
                    "t": start + number * 1_000,
                    "subscriber_key": key,
                    "cell": f"460-00-{rng.randrange(9_000)}-{rng.randrange(60_000)}",
                    "id": f"g{number}",
                    "source": "bench",
                }
                records.append((partition_of(key, PARTITIONS), orjson.dumps(fields)))
                follows = ticks.after(Event("loc.update", start + number * 1_000, key, fields))
                if follows is not None:
                    records += spread(follows, PARTITIONS)
            before = cpu_of(engine)
            append(made, records)
            made.end_time(start + events * 1_000, 600)
            return (cpu_of(engine) - before) / events * 1e6
        finally:
            made.close()


def append(made: Deployment, records: Pairs, rate: float = 0.0) -> None:
    """Append (partition, value) pairs; `rate`: so many per second."""

    async def go() -> None:
        topic = f"{made.prefix}.events.v1"
        async with AIOKafkaProducer(
            **made.options, acks="all", enable_idempotence=True, linger_ms=1 if rate else 5
        ) as producer:
            began, size = time.monotonic(), max(int(rate / 200), 1) if rate else AT_ONCE
            for at in range(0, len(records), size):
                sent = [
                    await producer.send(topic, value, partition=partition)
                    for partition, value in records[at : at + size]
                ]
                if rate:
                    await asyncio.sleep(max(began + (at + size) / rate - time.monotonic(), 0))
                else:
                    await asyncio.gather(*sent)
            await producer.flush()

    asyncio.run(go())


def cpu_of(process: Any) -> float:
    """Return the CPU seconds of a process so far."""
    pid = process.process.pid if hasattr(process, "process") else process.pid
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _memory(section: Section, server: RedisServer, when: str) -> None:
    with Redis.from_url(server.url) as redis:
        keys = [key for tag in map(_tag, range(PARTITIONS)) for key in redis.scan_iter(f"{tag}s:*", 10_000)]
        with redis.pipeline(transaction=False) as batch:
            for key in keys:
                batch.memory_usage(key)
            sizes = sorted(batch.execute())
        wakes = sum(redis.memory_usage(_tag(partition) + "wake") or 0 for partition in range(PARTITIONS))
    note = f"MEMORY USAGE of {len(sizes):,} states {when}"
    section.add("state in Redis, median", median(sizes), "bytes per subscriber", note)
    section.add("state in Redis, p99", sizes[int(len(sizes) * 0.99)], "bytes per subscriber")
    section.add("wake-ups in Redis", wakes / len(sizes), "bytes per subscriber")


def _tag(partition: int) -> str:
    return tag_of(partition, PARTITIONS)


def _latency(section: Section, run: _Run, rate: float, *, quick: bool) -> None:
    warm, seconds = (0.0, 2.0) if quick else (WARM_SECONDS, PACED_SECONDS)
    made = run.paced(rate, seconds)
    found = sorted(asyncio.run(_delays(made, warm)))
    if not found:
        found = [0.0]
    note = f"{len(found)} offers at {rate:,.0f} events per second, half of the rate"
    section.add("event to offer, p50", median(found), "ms", note)
    target = None if quick else LATENCY_TARGET
    section.add("event to offer, p99", found[min(int(len(found) * 0.99), len(found) - 1)], "ms", "", target)


async def _delays(made: Deployment, warm: float) -> list[float]:
    """Return how long after its record each offer was appended, ms; not of the first `warm` seconds."""
    found: list[tuple[int, float]] = []
    for partition in range(PARTITIONS):
        appended: dict[int, tuple[int, int]] = {}
        async for records in read_to_end(made.options, f"{made.prefix}.events.v1", partition):
            for record in records:
                appended[record.offset] = (record.timestamp, orjson.loads(record.value or b"{}").get("t", 0))
        async for records in read_to_end(made.options, f"{made.prefix}.offers.v1", partition):
            for record in records:
                offer = orjson.loads(record.value or b"{}")
                offset = int(offer["trigger"]["position"].partition("#")[0].partition(":")[2])
                at, time_of = appended.get(offset, (0, -1))
                if time_of == offer["at"]:
                    found.append((at, float(record.timestamp - at)))
    begin = min((at for at, _ in found), default=0) + warm * 1_000
    return [delay for at, delay in found if at >= begin]


def _populate(server: RedisServer, subscribers: int) -> Sequence[str]:
    """Give that many strangers the state of a subscriber that is there."""
    rng = random.Random(subscribers)
    keys = [f"{rng.getrandbits(128):032x}" for _ in range(subscribers)]
    with Redis.from_url(server.url) as redis:
        model = next(redis.scan_iter(f"{_tag(0)}s:*", 1_000))
        blob: Any = redis.get(model)
        for at in range(0, len(keys), 5_000):
            with redis.pipeline(transaction=False) as batch:
                for key in keys[at : at + 5_000]:
                    tag = _tag(partition_of(key, PARTITIONS))
                    batch.set(f"{tag}s:{key}", blob)
                    batch.zadd(tag + "wake", {key: 1 << 53})
                batch.execute()
    return keys


@contextmanager
def _servers(folder: Path) -> Iterator[tuple[KafkaServer, RedisServer]]:
    kafka, redis = KafkaServer(folder / "kafka"), RedisServer(folder / "redis")
    try:
        kafka.start()
        redis.start()
        yield kafka, redis
    finally:
        kafka.stop()
        redis.stop()
