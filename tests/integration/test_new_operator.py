"""The whole way of a new operator on real servers: `touchpoint run all` with a feeds file, killed at work.

The feeds are a landing directory (what an S1-MME probe of the simulated city sees, with treatments), a topic
(all else of the city) and a webhook. Every good row is in the log once, all that was read is accounted for,
offers come out.
"""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from aiokafka import AIOKafkaProducer
from prometheus_client.parser import text_string_to_metric_families

from connectors.city import City, CityOptions
from connectors.city.options import with_faults
from connectors.city.write import write
from connectors.column_map import load_map
from connectors.xdr_files import rows as rows_of
from engine.app import load_rules
from engine.deployment.common import now_us
from engine.identity import Identity
from engine.intake import Intake
from engine.refusals import Refusal, shown_id
from tests.servers.deployment import KEY, Deployment, RoleProcess
from tests.servers.kafka import KafkaServer
from tests.servers.process import free_port
from tests.servers.redis import RedisServer
from tests.testdata import CHECKOUT

PEOPLE, CITY_HOURS = 150, 0.75
HOUR = 3_600_000_000
TOKEN = "example-token-0001"
MAP = "city-s1-mme"
MADE = ("handset.change", "profile.update")
"""Kinds that treatments make of the probe's rows."""
FEEDS = """
tables: {{cells: city/cells.csv, handsets: tac.csv}}
feeds:
  s1mme:
    door: landing
    folder: s1mme
    stable: 0s
    map: city-s1-mme
    sequence: _(?P<seq>[0-9]{{6}})[.]txt$
    disorder: 2m
    idle: 3s
    treatments:
      identity: {{correlate: yes, announce: yes, home: [46000]}}
      impossible_moves: {{}}
      ping_pong: {{}}
      handset_changes: {{}}
      roaming: {{home: [46000]}}
  rest: {{door: topic, topic: {topic}, disorder: 2m, idle: 3s}}
  hooks: {{door: camara, listen: "127.0.0.1:{port}", path: /camara, tokens_file: tokens, idle: 3s}}
"""
RULE = """
rule: at-a-place
title: Somebody comes to a campus
owner: team
status: live
approved_by: lead
valid: 2026-01-01 to 2030-12-31
when: {enters: campuses}
who: {arpu: at least 0 yuan}
offer:
  product: mall-coupon
  send:
    - {channel: sms, text: "【移动】欢迎来到{place.name},回复{product.reply}领取。退订回R。"}
limits: {priority: 30, at_most: 1 in 14d, send_within: 12h, holdout: 0%}
goal: {converts_when: {happens: product.bought}, within: 1d}
"""


def afternoon() -> str:
    """Return a timezone in which it is between 15 and 16 h now."""
    east = (15 - now_us() // HOUR % 24 + 11) % 24 - 11
    return f"Etc/GMT{-east:+d}" if east else "Etc/GMT"


class Site:
    """A deployment, the folder of an operator, and what the city has for it."""

    def __init__(self, deployment: Deployment, topic: str, start: int) -> None:
        folder = self.folder = deployment.folder
        self.deployment = deployment
        self.topic = topic
        self.port = free_port()
        (folder / "s1mme").mkdir()
        (folder / "tokens").write_text(TOKEN + "\n", encoding="utf-8")
        shutil.copy(CHECKOUT / "deploy" / "handsets" / "tac.csv", folder / "tac.csv")
        (folder / "feeds.yaml").write_text(FEEDS.format(topic=topic, port=self.port), encoding="utf-8")
        deployment.settings["FEEDS"] = str(folder / "feeds.yaml")
        self.rules = folder / "rules"
        (self.rules / "team").mkdir(parents=True)
        shutil.copytree(CHECKOUT / "rules" / "catalog", self.rules / "catalog")
        shutil.copy(CHECKOUT / "rules" / "policy.yaml", self.rules / "policy.yaml")
        policy = (self.rules / "policy.yaml").read_text(encoding="utf-8")
        # afternoon, whenever the test runs: messages are sent by day only
        (self.rules / "policy.yaml").write_text(
            policy.replace("timezone: Asia/Shanghai", f"timezone: {afternoon()}"), encoding="utf-8"
        )
        (self.rules / "team" / "at-a-place.yaml").write_text(RULE, encoding="utf-8")
        catalog = load_rules(CHECKOUT / "rules", "86").catalog
        # whenever it runs there are new handsets among so few people, other handsets' IMEIs for a moment, and
        # rows whose time can't be read and that name no place: those are refused
        rates = {"handset_changes": 1.0, "handset_flips": 0.02, "mangled_times": 0.1}
        options = with_faults(CityOptions(lively=True), rates)
        city = City(11, PEOPLE, catalog, start=start, options=options)
        self.rest: list[dict[str, Any]] = []
        write(city, CITY_HOURS, folder / "city", xdr=True, maps=True, push=self._keep)
        self.files = sorted((folder / "city" / "xdr").glob("*.txt"))
        with self.files[-1].open("a", encoding="utf-8") as file:
            file.write("\na|row|that|is|too|narrow\n")

    def _keep(self, rows: Iterator[dict[str, Any]]) -> int:
        self.rest = list(rows)
        return len(self.rest)

    def land(self, files: list[Path]) -> None:
        """Put files into the landing directory, whole."""
        for file in files:
            growing = self.folder / "s1mme" / f"{file.name}.tmp"
            shutil.copy(file, growing)
            growing.rename(growing.with_suffix(""))

    async def push(self, records: list[dict[str, Any]]) -> None:
        """Send records to the topic, fifty in a message."""
        async with AIOKafkaProducer(**self.deployment.options) as producer:
            for at in range(0, len(records), 50):
                await producer.send(self.topic, orjson.dumps(records[at : at + 50]))

    def hook(self, number: int) -> int:
        """Send a CloudEvent of one of the city's people; return the answer's code, 0 for none."""
        area = {"areaType": "CIRCLE", "center": {"latitude": 40.0, "longitude": 116.5}, "radius": 300}
        event = {
            "id": f"e-{number}",
            "source": "https://api.operator.example",
            "specversion": "1.0",
            "type": "org.camaraproject.geofencing-subscriptions.v0.area-entered",
            "time": datetime.fromtimestamp(now_us() / 1e6 - 60, UTC).isoformat(),
            "data": {"device": {"phoneNumber": f"+86139123456{number:02}"}, "area": area},
        }
        headers = {"content-type": "application/cloudevents+json", "authorization": f"Bearer {TOKEN}"}
        url = f"http://127.0.0.1:{self.port}/camara?area=airport"
        try:
            return httpx.post(url, content=orjson.dumps(event), headers=headers).status_code
        except httpx.HTTPError:
            return 0

    def ids(self) -> tuple[list[str], int]:
        """Return the ids that all records have in the log, and how many of the probe's rows are refused.

        Those of its files are as the map makes them. Those that come with records by the topic are hashed
        where by chance they look like a number (ADR 22).
        """
        refused: list[Refusal] = []
        intake = Intake(Identity(KEY.encode()), on_refused=refused.append)
        rows = [event.id or "" for file in self.files for event in rows_of(file, load_map(MAP), intake)]
        rest = [shown_id(record["id"], KEY.encode()) for record in self.rest]
        return [*rows, *rest], len(refused)


def counted(process: RoleProcess, name: str) -> Counter[tuple[str, ...]]:
    """Return a counter of a role by the values of its labels; empty while it answers nothing."""
    try:
        page = httpx.get(f"http://127.0.0.1:{process.port}/metrics").text
    except httpx.HTTPError:
        return Counter()
    found: Counter[tuple[str, ...]] = Counter()
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if sample.name == name:
                found[tuple(sample.labels[label] for label in sorted(sample.labels))] += int(sample.value)
    return found


@pytest.fixture
def site(
    kafka_server: KafkaServer, redis_server: RedisServer, topic_prefix: str, tmp_path: Path
) -> Iterator[Site]:
    """All that is needed, and nothing started."""
    deployment = Deployment(tmp_path, kafka_server.bootstrap, redis_server.url, topic_prefix)
    topic = f"{topic_prefix}.city"
    kafka_server.create_topics(topic, partitions=2)
    try:
        yield Site(deployment, topic, now_us() - round((CITY_HOURS + 0.1) * HOUR))
    finally:
        deployment.close()


def test_the_whole_way_of_a_new_operator(site: Site) -> None:
    deployment, folder = site.deployment, site.folder
    assert (
        "3 feeds, 0 mistakes, 0 warnings"
        in deployment.command("feeds", "check", folder / "feeds.yaml").stdout
    )
    deployment.command("rules", "publish", site.rules, "--by", "a test")
    profiles = folder / "city" / "profiles.jsonl"
    people = str(len(profiles.read_bytes().splitlines()))
    loaded = deployment.command("load", "profiles", profiles).stdout.split()
    assert loaded[2:] == ["lines", people, "records", people, "refused", "0"]

    first = deployment.start("all")
    half, middle = len(site.files) // 2, len(site.rest) // 2
    site.land(site.files[:half])
    asyncio.run(site.push(site.rest[:middle]))
    deployment.wait(lambda: any((folder / "s1mme").glob("done/*")), "a file to be done")
    deployment.wait(lambda: site.hook(1) == 204, "an event to be taken")
    first.kill()

    second = deployment.start("all")
    site.land(site.files[half:])
    asyncio.run(site.push(site.rest[middle:]))
    deployment.wait(lambda: len(list((folder / "s1mme").glob("done/*"))) == len(site.files), "all files")
    deployment.wait(lambda: site.hook(2) == 204, "an event to be taken")
    assert site.hook(1) == 204  # known again, though the process is another one

    def log() -> list[dict[str, Any]]:
        found = [orjson.loads(value) for _, value in deployment.read("events")]
        return [record for record in found if record["kind"] not in ("tick", "rules.switch")]

    # every good row and record once, what ping_pong kept back included; copies as often as they came
    ids, refused = site.ids()
    both = Counter(ids)

    def come() -> Counter[str]:
        return Counter(record["id"] for record in log() if record.get("id") in both)

    deployment.wait(lambda: come().total() >= both.total(), "what is kept back to go on", 60)
    assert come() == both
    assert refused > 0
    # rows whose time can't be read are none of them: they have that of the row before, and are counted
    of_another_time = Intake(Identity(KEY.encode()))
    for file in site.files[half:]:
        assert list(rows_of(file, load_map(MAP), of_another_time))

    def damaged() -> bool:
        found = counted(second, "touchpoint_collector_damaged_total")
        return found["t", "s1mme"] >= of_another_time.passed["damaged.t"]

    deployment.wait(damaged, "them to be counted")
    letters = [orjson.loads(value) for _, value in deployment.read("deadletters")]
    assert Counter(letter["feed"] for letter in letters) == {"s1mme": refused}
    records = log()
    assert {record["kind"] for record in records if record.get("id") not in both} >= {"loc.sight", *MADE}
    assert sum(record.get("cell") == "area:airport" for record in records) == 2

    # all of the log is folded, and all offers have ended
    def folded() -> bool:
        lag = counted(second, "touchpoint_consumer_lag_records")
        still = counted(second, "touchpoint_deliveries_open")
        return bool(lag) and not lag.total() and not still.total() and out().is_file()

    def out() -> Path:
        return folder / "out" / "messages.jsonl"

    deployment.wait(folded, "all of the log to be folded", 60)
    told = deployment.command("deadletters", "list", "--json").stdout
    assert len(orjson.loads(told)) == min(refused, 50)
    assert second.terminate()[0] == 0
    decisions = [line for _, value in deployment.read("decisions") for line in _lines(value)]
    offers = [line for line in decisions if line.get("outcome") == "offer"]
    sent = [orjson.loads(line) for line in out().read_bytes().splitlines()]
    assert sent
    assert {message["decision"] for message in sent} <= {line["id"] for line in offers}
    assert len(sent) == len({message["decision"] for message in sent})


def _lines(value: bytes) -> list[dict[str, Any]]:
    found = orjson.loads(value)
    return found if isinstance(found, list) else [found]
