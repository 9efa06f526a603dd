"""A feeds file with all of it, through the collector: two feeds, one memory, a crash between."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.door import House
from connectors.memory_file import MemoryFile
from connectors.memory_inlet import Checkpoints, MemoryInlet
from connectors.memory_log import MemoryLog
from engine.collector import LiveCollector
from engine.deployment.feeds.build import lives_of
from engine.deployment.feeds.read import load_feeds
from engine.errors import InputError, LogError
from engine.identity import Identity
from engine.language.number_lists import load_numbers
from engine.treatments.memory import Memories
from engine.treatments.registry import TREATMENTS, Around
from tests.testdata import CHECKOUT
from tests.unit.identity.support import IMSI, KEY, NUMBER, SECOND, T0, row

FEEDS = """
tables: {handsets: %s, numbers: numbers.yaml}
feeds:
  s1mme:
    door: landing
    folder: s1mme
    stable: 0s
    disorder: 0s
    treatments: &all
      identity: {correlate: yes, announce: yes, classes: yes, normalise: yes, home: [46000]}
      parking: {}
      handset_changes: {}
      roaming: {home: [46000], neighbours: [455]}
  calls:
    door: landing
    folder: calls
    stable: 0s
    disorder: 0s
    treatments:
      identity: {correlate: yes, classes: yes, normalise: yes}
      parking: {}
"""


def write(folder: Path, name: str, rows: list[Mapping[str, Any]]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"\n".join(orjson.dumps(each) for each in rows) + b"\n")


class Site:
    """One process after the other over the same folder and log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.records = MemoryLog(1)
        self.checkpoints = Checkpoints()
        (folder / "numbers.yaml").write_text("banks: [955*]\n")
        table = CHECKOUT / "deploy" / "handsets" / "tac.csv"
        (folder / "feeds.yaml").write_text((FEEDS % table).replace(" &all", ""))

    async def run(self, *, log_fails: bool = False) -> None:
        identity = Identity(KEY)
        file = MemoryFile(self.folder / "memory.db", "check")
        memories = Memories(file)
        feeds = load_feeds(self.folder / "feeds.yaml")
        assert [str(problem) for problem in feeds.problems] == []
        around = Around(identity, memories=memories, latest=lambda: T0 + 10**13)
        lives = lives_of(feeds, House({}, frozenset()), around)
        inlet = MemoryInlet(self.records, "collector", self.checkpoints)
        collector = LiveCollector(inlet, lives, identity, wall=lambda: T0 + 10**12, shared=memories)
        try:
            await collector.start()
            if log_fails:
                monkey(inlet)
                with pytest.raises(LogError):
                    await collector.drain()
            else:
                await collector.drain()
        finally:
            await collector.close()
            file.close()

    async def log(self) -> list[dict[str, Any]]:
        """The records of the log, ticks aside."""
        found = [orjson.loads(record.value) for record in await self.records.fetch(0, 0, 1_000)]
        return [fields for fields in found if fields["kind"] != "tick"]


def monkey(inlet: MemoryInlet) -> None:
    """Make the next step fail once everything but the log is written."""

    async def fails(*_: object) -> None:
        raise LogError("the log is away")

    inlet.append = fails  # type: ignore[method-assign,assignment]


TAIL = ["roam.out", "c1", "c2", "s3", "roam.home", "handset.change"]


async def test_two_feeds_and_a_crash_between(tmp_path: Path) -> None:
    site = Site(tmp_path)
    old, new = "86990321123456", "86990431123456"
    write(tmp_path / "calls", "1.json", [row(0, "call.out", id="c1", msisdn="13912345678", number="95588")])
    write(
        tmp_path / "s1mme",
        "1.json",
        [
            row(1 * SECOND, id="s1", imsi=IMSI, msisdn=NUMBER, imei=old, plmn="46000"),
            row(2 * SECOND, id="s2", imsi=IMSI, imei=new, plmn="44010"),
        ],
    )
    await site.run()
    first = await site.log()
    write(tmp_path / "s1mme", "2.json", [row(3 * SECOND, id="s3", imsi=IMSI, imei=new, plmn="46000")])
    write(
        tmp_path / "calls", "2.json", [row(4 * SECOND, "sms.in", id="c2", msisdn="013912345678", number="10")]
    )
    await site.run(log_fails=True)  # the memory is ahead of the log now
    assert await site.log() == first
    await site.run()
    await site.run()
    found = await site.log()
    key = Identity(KEY).of_imsi(IMSI)
    assert {fields["subscriber_key"] for fields in found} == {key}
    shown = [fields["id"] if len(fields["id"]) == 2 else fields["kind"] for fields in found]
    # c1 goes on with the next record of its own feed
    assert shown == ["profile.update", "s1", "s2", *TAIL]
    by_id = {fields["id"]: fields for fields in found}
    assert by_id["c1"]["number_class"] == ["banks"]
    change = next(fields for fields in found if fields["kind"] == "handset.change")
    assert (change["to.model"], change["to.network"]) == ("Yunque X1 5G", "5G")


def test_a_feeds_file_names_what_is_missing(tmp_path: Path) -> None:
    text = """
feeds:
  a:
    door: landing
    folder: in
    treatments:
      parking: {wait: 10m}
      roaming: {home: [4600], neighbors: [455]}
      identity: {ttl: 1m, classes: maybe}
"""
    (tmp_path / "feeds.yaml").write_text(text)
    problems = [f"{p.line}: {p.message} {p.hint}" for p in load_feeds(tmp_path / "feeds.yaml").problems]
    assert problems == [
        "7: `parking`: expected `identity: {correlate: yes}` to learn what it waits for, was no ",
        "7: `wait`: expected a length of time from 0s to 30s, was `10m` ",
        "8: `home`: expected a PLMN such as 46000, was 4600 ",
        "8: expected a key of the treatment `roaming`, was `neighbors` did you mean `neighbours`?",
        "9: `ttl`: expected a length of time from 1h to 400d, was `1m` ",
        "9: `classes`: expected `yes` or `no`, was `maybe` ",
    ]
    text = text.replace("10m", "10s").replace("identity: {ttl: 1m, classes: maybe}", "late: {}")
    (tmp_path / "feeds.yaml").write_text(text)
    said = [p.message for p in load_feeds(tmp_path / "feeds.yaml").problems]
    assert "`parking`: expected the treatment `identity` besides, was not given" in said


def test_classes_need_their_table(tmp_path: Path) -> None:
    treatment = TREATMENTS["identity"]
    with pytest.raises(InputError, match="a table `numbers` beside `classes: yes`"):
        treatment.make(treatment.options(classes=True), Around(Identity(KEY)))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hotline: [x]\n", "numbers.yaml:1:11: expected lists of phone numbers without a mistake"),
        ("hotline: [\n", "numbers.yaml:"),
    ],
)
def test_lists_of_numbers_with_a_mistake(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "numbers.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        load_numbers(path)
    with pytest.raises(InputError, match="No such file"):
        load_numbers(tmp_path / "none.yaml")
