"""Rows 14 to 17: input that is poison, far too much of one, out of time, twice or out of order."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import orjson

from tests.faults.checker import Report, Truth
from tests.faults.ends import NEVER_OVER, Hits
from tests.faults.field import Field
from tests.faults.rows_process import started, wait_for_rules
from tests.faults.rows_servers import resident
from tests.faults.stage import Stage

Json = dict[str, Any]
POISON: dict[str, bytes] = {
    "invalid UTF-8": b'{"kind":"loc.update","t":1,"subscriber_key":"\xff\xfe"}',
    "NaN": b'{"kind":"recharge","t":1795640000000000,"amount":NaN}',
    "2,000 levels": b"[" * 2_000 + b"]" * 2_000,
    "1 MB": b'{"kind":"recharge","pad":"' + b"x" * 999_000 + b'"}',
    "wrong type": b'{"kind":"recharge","t":"yesterday","subscriber_key":"' + b"ab" * 16 + b'","amount":1}',
    "wrong version": b'{"kind":"recharge.v9","t":1795640000000000,"subscriber_key":"' + b"ab" * 16 + b'"}',
    "no subscriber": b'{"kind":"loc.update","t":1795640000000000,"cell":"460-00-1-11"}',
    "cut off": b'{"kind":"loc.update","t":17956',
    "nothing": b"",
    "no object": b"42",
    "beyond a number": b'{"kind":"recharge","t":1e999,"subscriber_key":"' + b"ab" * 16 + b'"}',
}
"""What each producer may get wrong."""


def row_14(stage: Stage) -> Report:
    """Put poison between good records: one dead letter each, and the partition goes on."""
    load = stage.load()
    field = stage.field(load)
    for role in ("engine", "engine", "dispatcher"):
        field.start(role)
    wait_for_rules(field)
    entries = list(load.log)
    step = len(entries) // (len(POISON) + 1)
    for number, value in enumerate(POISON.values(), 1):
        for partition in range(load.partitions):
            entries.insert(number * step + number * load.partitions, (partition, value))
    feeder = field.feed(8, entries)
    time.sleep(3)
    for what in POISON:
        field.fault(f"poison: {what}")
    if not stage.quick:
        field.kill(field.living("engine")[0])
        field.start("engine")
    feeder.end()
    report = field.report("14")
    letters = Counter(
        (letter["partition"], letter["offset"])
        for letter in map(orjson.loads, (read.value for read in field.tail.read["deadletters"]))
    )
    expected = len(POISON) * load.partitions
    if len(letters) != expected or feeder.failed:
        report.problems.append(
            f"expected {expected} dead letters, was {len(letters)}; {feeder.failed} not taken"
        )
    if stage.quick:  # without a crash each is there once
        report.problem("dead letters that came twice", [place for place, n in letters.items() if n > 1])
    report.notes.append(f"{len(letters)} poison records, {letters.total()} dead letters")
    return report


def row_15(stage: Stage) -> Report:
    """Let one subscriber have 100,000 events at once, between the records of all others."""
    load = stage.load()
    field = stage.field(load)
    engines = [field.start("engine"), field.start("engine")]
    field.start("dispatcher")
    wait_for_rules(field)
    key = next(event.key for event in load.course.log if event.key)
    partition = int(key[:8], 16) % load.partitions
    hot: Json = {"kind": "loc.update", "subscriber_key": key, "cell": "460-00-1-91"}
    field.unmodelled = frozenset({key})
    start = load.now - 3_600_000_000
    burst = [
        (partition, orjson.dumps({**hot, "t": start + number * 1_000, "id": f"h{number}"}))
        for number in range(20_000 if stage.quick else 100_000)
    ]
    half = len(load.log) // 2
    field.feed(5, load.log[:half]).end()
    field.fault("hot subscriber")
    field.feed(1, burst).end(120)
    field.feed(5, load.log[half:])
    report = field.report("15", within=150)
    blob = len(field.states()[partition][key])
    sizes = [resident(engine.process.pid) for engine in engines]
    report.notes.append(
        f"state of the hot one {blob} B; engines {', '.join(f'{size >> 20} MiB' for size in sizes)}; "
        f"record to offer of the others: {_delays(field)}"
    )
    if blob > 300_000:
        report.problems.append(f"expected a state of at most 300 kB (I9), was {blob} B")
    report.problem("engines above 400 MiB (I9)", [size for size in sizes if size > 400 << 20])
    return report


def _delays(field: Field) -> str:
    """Say how long after its record an offer was appended, by the broker's clock."""
    truth = Truth(field.evidence().log, field.load.rules, field.load.partitions)
    delays = sorted(
        read.time - truth.made_at[read.key.partition("@")[0]]
        for read in field.tail.read["offers"]
        if read.key and read.key.partition("@")[0] in truth.made_at
    )
    shown = (f"p{share} {delays[len(delays) * share // 100] // 1_000} ms" for share in (50, 90, 99))
    return ", ".join(shown)


def row_16(stage: Stage) -> Report:
    """Let events be 30 days ahead or 3 days back, and processes be wrong by 3 hours, either way."""
    hours = 3 * 3_600_000_000
    load = stage.load(skewed=0.02, partitions=3)
    field = stage.field(load)
    landing = field.deployment.folder / "landing"
    landing.mkdir()
    field.deployment.settings["LANDING"] = str(landing)
    # each of two dispatchers takes the other's claims for overdue, or for good for six hours more
    field.fault("clocks 6 hours apart", Hits.LEDGER, NEVER_OVER)
    field.start("engine", clock_us=hours)
    field.start("engine", clock_us=-hours)
    field.start("dispatcher", clock_us=hours)
    field.start("dispatcher", clock_us=-hours)
    wait_for_rules(field)
    profiles = len(load.case["profiles"])
    field.feed(1, [(t, v) for t, v in load.log if b'"profile.update"' in v]).end()
    field.deployment.wait(lambda: sum(map(len, field.states().values())) == profiles, "all profiles")
    field.start("collector", clock_us=hours)
    records = load.case["records"]
    pieces = 10
    for number in range(pieces):
        field.fault("skewed records")
        some = records[len(records) * number // pieces : len(records) * (number + 1) // pieces]
        (landing / "part.tmp").write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in some))
        (landing / "part.tmp").rename(landing / f"{number:02}.jsonl")
        time.sleep(1)
    done = landing / "done"
    field.deployment.wait(lambda: len(list(done.glob("*"))) == pieces, "the files to be collected", 120)
    report = field.report("16")
    refused = sum(b'"collector"' in read.value for read in field.tail.read["deadletters"])
    report.notes.append(f"{refused} records beyond an hour ahead are dead letters of the collector")
    if not refused:
        report.problems.append("expected records 30 days ahead to be refused, were none")
    return report


def row_17(stage: Stage) -> Report:
    """Repeat 5 % of the records and put 5 % out of order, with a death of each role."""
    load = stage.load(duplicates=0.05, reordered=0.05)
    field = started(stage, load)
    field.feed(10)
    time.sleep(3)
    field.kill(field.living("engine")[0])
    field.start("engine")
    time.sleep(2)
    field.kill(field.living("dispatcher")[0])
    field.start("dispatcher")
    return field.report("17")
