"""Rows 20 to 22: opt-outs while offers wait, the edge of quiet time, numbers that must not leak."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import orjson

from engine.log_fields import HIDDEN
from tests.faults.checker import Report, Truth
from tests.faults.field import CHANNEL, PATIENCE, Field
from tests.faults.load import EVERYBODY, MINUTE, SECOND, Load, Options, msisdn
from tests.faults.rows_process import opt_out, wait_for_rules
from tests.faults.stage import Stage, now_us
from tests.servers.deployment import RoleProcess
from tests.servers.process import wait_until
from tests.servers.redis import HOST

Json = dict[str, Any]
SLOWLY = 200
"""Offers per pass where answers take long: fewer would take longer still."""


def row_20(stage: Stage) -> Report:
    """Let people opt out while their offers are queued, and while they are being sent."""
    load = stage.load(optouts=0)
    field = stage.field(load, dispatcher_batch=SLOWLY)
    field.start("engine")
    field.start("engine")
    wait_for_rules(field)
    field.feed(3).end()
    wait_until(field.is_folded, "all to be folded", 60)
    people = [msisdn(number) for number in range(load.options.subscribers)]
    field.fault("opt-outs while queued")
    opt_out(field, people[0::4])
    # slower than the command, and claims outlive it: none ends as of unknown fate
    slow: Json = {"channel": {**CHANNEL, "latency": 0.8}, "patience": {**PATIENCE, "claim_us": 60 * SECOND}}
    field.start("dispatcher", **slow)
    field.start("dispatcher", wait=True, **slow)
    field.fault("opt-outs while sending")
    opt_out(field, people[1::4])
    report = field.report("20")
    queued = set(people[0::4])
    sent = [submit["decision"] for submit in field.submits() if submit["to"] in queued]
    report.problem("submits to people who had opted out before", sent)
    refused = report.ends["suppressed"] + report.ends["consent.marketing"]
    if not refused:
        report.problems.append("expected offers to be suppressed, were none")
    raced = sum(submit["to"] in set(people[1::4]) for submit in field.submits())
    report.notes.append(
        f"{len(field.optouts)} opt-outs, {refused} offers suppressed; {raced} sent before the late ones held"
    )
    return report


EVENING = datetime(2026, 10, 24, 20, 59, 30, tzinfo=ZoneInfo("Europe/Berlin"))
"""The night in which the clock is put back an hour: quiet time is 13 hours long."""
MORNING = datetime(2026, 10, 25, 9, 0, 2, tzinfo=ZoneInfo("Europe/Berlin"))
ELSEWHERE = "America/New_York"


AT_THE_EDGE, OTHERS = 1_060, 240
"""Subscribers: at the edge of quiet time, and with an ordinary day before it."""


class Edge(Load):
    """Most enter the station in the last half minute before quiet time, some when it has begun."""

    AFTER = MINUTE

    def _behaviour(self, number: int) -> list[Json]:
        if number >= AT_THE_EDGE:
            return super()._behaviour(number)
        after = 29 * SECOND + number * 900 if number % 2 else number * 20_000
        if number % 20 == 1:
            after = 40 * SECOND
        return [self._record(number, "loc.update", self.now + after, cell="460-00-1-31")]

    def _profile(self, number: int) -> Json:
        profile = {**super()._profile(number), "consent": EVERYBODY}
        return {**profile, "timezone": ELSEWHERE} if number % 5 == 0 else profile

    def offers_abroad(self) -> set[str]:
        """Name the offers to those for whom it is day."""
        keys = {event.key for event in self.course.log if event.fields.get("timezone") == ELSEWHERE}
        made = self.course.decisions
        return {line["id"] for line in made if line["subscriber_key"] in keys and line["outcome"] == "offer"}

    def _policy(self) -> Json:
        return {**super()._policy(), "timezone": "Europe/Berlin", "quiet": "21:00 to 09:00"}


def row_21(stage: Stage) -> Report:
    """Decide at 20:59:59 before the night in which summer time ends: sent before 21:00, or after 09:00."""
    evening, morning = (int(when.timestamp()) * SECOND for when in (EVENING, MORNING))
    load = Edge(stage.seed, evening, Options(subscribers=AT_THE_EDGE + OTHERS), to_the_minute=False)
    field = stage.field(load, dispatcher_batch=SLOWLY)
    engine = field.start("engine")
    wait_for_rules(field)
    field.feed(2).end()
    wait_until(field.is_folded, "all to be folded", 60)
    ahead = evening + 22 * SECOND - now_us()
    slow = {**CHANNEL, "latency": 0.6}
    first = field.start("dispatcher", clock_us=ahead, channel=slow, wait=True)
    wait_until(lambda: now_us() + ahead > evening + 40 * SECOND, "quiet time to begin", 60)
    field.fault("quiet time began")
    abroad = load.offers_abroad()
    wait_until(lambda: not field.open_offers() & abroad, "all to be sent where it is day", 60)
    before = len(field.submits())
    field.terminate(first)
    field.start("dispatcher", clock_us=morning - now_us())
    report = field.report("21")
    after = len(field.submits()) - before
    report.notes.append(f"{before} sent before quiet time (or where it is day), {after} after it")
    if not before or not after:
        report.problems.append("expected messages on both sides of quiet time, were not")
    assert engine.is_running
    return report


NUMBERS = {"imsi": "460007654321098", "msisdn": "+8613876543210", "imei": "358240051111110"}
"""Canaries: no load has them, so that whoever shows one has it from here."""


def row_22(stage: Stage) -> Report:
    """Feed numbers through everything, errors that repeat them included; then look for them everywhere."""
    load = stage.load()
    said = f"peer reset for {NUMBERS['imsi']} {NUMBERS['msisdn']} imei={NUMBERS['imei']}"
    field = stage.field(load, spec={"canary": said})
    landing = field.deployment.folder / "landing"
    landing.mkdir()
    field.deployment.settings["LANDING"] = str(landing)
    processes = [field.start(role) for role in ("engine", "engine", "dispatcher", "collector")]
    wait_for_rules(field)
    profile = {**load.case["profiles"][0], "subscriber": NUMBERS["imsi"], "msisdn": NUMBERS["msisdn"]}
    path = field.deployment.folder / "canary.jsonl"
    path.write_bytes(orjson.dumps(profile) + b"\n")
    said_by = [field.deployment.command("load", "profiles", path, check=False)]
    feeder = field.feed(6)
    pages = Pages(processes)
    pages.look_for(3)
    field.fault("canaries")
    feeder.end()
    # the collector's ticks are of now: before the load is in, they would make all of it late
    (landing / "part.tmp").write_bytes(b"\n".join(_canary_records(load)) + b"\n")
    (landing / "part.tmp").rename(landing / "canary.jsonl")
    poison = [(p, value) for p in range(load.partitions) for value in _canary_records(load)]
    field.feed(1, poison).end()
    done = landing / "done"
    field.deployment.wait(
        lambda: pages.look() and done.is_dir() and any(done.iterdir()), "the file to be collected", 60
    )
    pages.look_for(3)
    said_by.append(field.deployment.command("history", NUMBERS["imsi"], check=False))
    said_by.append(field.deployment.command("deadletters", "list", check=False))
    report = field.report("22")
    pages.look()
    places = {
        "pages": "\n".join(sorted(pages.said)),
        "metrics": "".join(field.metrics(process) for process in processes if process.is_running),
        "logs": "".join(process.log.read_text(encoding="utf-8") for process in processes),
        "commands": "".join(done.stdout + done.stderr for done in said_by),
    }
    for topic in ("decisions", "offers", "deadletters", "events"):
        places[topic] = "\n".join(_shown(field, topic))
    looked = 0
    for place, text in places.items():
        looked += len(text)
        found = [name for name in needles(profile_too=place != "events") if name in text]
        report.problem(f"numbers in {place}", found)
    hidden = said.partition(NUMBERS["imsi"])[0] + HIDDEN
    logged = places["logs"].count(hidden)
    if not logged:
        report.problems.append("expected lines of logs that repeat the canary without its numbers, were none")
    letters = len(field.tail.read["deadletters"])
    report.notes.append(f"{looked >> 10} KiB of {', '.join(places)} looked through; {letters} dead letters")
    report.notes.append(
        f"{logged} times the canary in logs, hidden; {len(pages.said)} answers of pages, "
        f"{sum('expected a reply' in one for one in pages.said)} of them of a failed call"
    )
    if not any(sub.bound == NUMBERS["msisdn"] for sub in _subscribers(field)):
        report.problems.append("expected the canary to be somebody, was nobody")
    return report


class Pages:
    """What `/livez` and `/readyz` of roles say, looked at often: an answer is there for a moment."""

    def __init__(self, processes: Sequence[RoleProcess]) -> None:
        self._processes = processes
        self.said: set[str] = set()
        """Different answers."""

    def look(self) -> bool:
        """Ask all that run and answer; return True."""
        with httpx.Client(timeout=5) as client:
            for process in self._processes:
                for page in ("livez", "readyz"):
                    with suppress(httpx.HTTPError):
                        self.said.add(client.get(f"http://{HOST}:{process.port}/{page}").text)
        return True

    def look_for(self, seconds: float) -> None:
        """Look for so long."""
        end = time.monotonic() + seconds
        while self.look() and time.monotonic() < end:
            time.sleep(0.05)


def _canary_records(load: Load) -> Iterator[bytes]:
    """Records with numbers in every field: good ones, and such as are refused."""
    for number in range(3):
        good: Json = {"kind": "loc.update", "t": load.now - MINUTE + number, "cell": "460-00-1-31"}
        yield orjson.dumps({**good, **NUMBERS, "id": f"c{number}"})
        yield orjson.dumps({**good, "imsi": NUMBERS["imsi"], "kind": f"to {NUMBERS['msisdn']}"})
        yield orjson.dumps({**good, "t": NUMBERS["imsi"], "imei": NUMBERS["imei"], "id": f"d{number}"})
        yield orjson.dumps(good) + NUMBERS["imsi"].encode()
        yield orjson.dumps({**good, "subscriber_key": NUMBERS["imsi"], "number": NUMBERS["msisdn"]})


def needles(*, profile_too: bool) -> list[str]:
    """What no text may hold: numbers, long pieces of them, and their hashes without a key."""
    found: list[str] = []
    for kind, number in NUMBERS.items():
        if kind == "msisdn" and not profile_too:
            continue  # the log's profile records hold it: it is needed to send
        digits = number.lstrip("+")
        found += [digits[at : at + 9] for at in range(len(digits) - 8)]
        for text in (number, digits, digits[2:]):
            for name in ("md5", "sha1", "sha256", "sha512", "blake2b", "blake2s"):
                found.append(hashlib.new(name, text.encode()).hexdigest())
            found.append(hashlib.blake2b(text.encode(), digest_size=16).hexdigest())
    return found


def _shown(field: Field, topic: str) -> Iterator[str]:
    """Return messages with key and headers; of the log not what this row's producer wrote itself."""
    own = set(field.feeder.acknowledged) if field.feeder is not None and topic == "events" else set()
    for read in field.tail.read[topic]:
        if (read.partition, read.offset) not in own:
            headers = " ".join(f"{name}={value.decode('utf-8', 'replace')}" for name, value in read.headers)
            yield f"{read.key} {headers} {read.value.decode('utf-8', 'replace')}"


def _subscribers(field: Field) -> Iterator[Any]:
    truth = Truth(field.evidence().log, field.load.rules, field.load.partitions)
    for fold in truth.folds:
        yield from fold.subscribers.values()
