"""The offline checker: what was acknowledged, replayed by one thread, against all that was left behind.

It reads the log topic itself (what stands there was acknowledged, or was written all the same), the published
decisions and offers, the evidence of the channel, receipts, and the store. From the log alone it works out
what must have come of it, twice: the naive reference model says which decisions, one fold of the engine's, in
one thread, the states, counts and texts too. It names every difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from engine.codec import decode, encode
from engine.deployment.engine import NO_RULES
from engine.errors import StateError
from engine.identity import Identity
from engine.intake import Intake
from engine.language.model import RuleSet
from engine.last_gates import ENDS
from engine.pipeline import Fold
from engine.rulebook import Rulebook
from engine.snapshot import Subscriber
from tests.faults import naive
from tests.faults.ends import SENT, Fault, Known, Told, first_end, unexplained
from tests.faults.limits import over_caps, quiet_submits
from tests.faults.tail import Place, Read
from tests.servers.deployment import KEY, SALT

Json = dict[str, Any]
Name = tuple[str, int]
"""(id, at) of a decision."""
COMPARED = (
    *("rules", "clock", "seq", "seen_at", "cell", "rat", "known_until", "offs", "inside", "visits", "gap"),
    *("nodes", "timers", "overdue", "wake", "ids", "business_ids", "profile", "consent", "suppressed"),
    *("timezone", "bound", "choice", "contacts", "holds", "fired_at", "fired"),
)
"""Fields of a state that are compared one by one to name what differs; equal bytes need no look."""
IDENTITY = ("profile", "consent", "suppressed", "timezone", "bound", "choice", "contacts", "holds")
"""What a rebuilt state has to have in common with one that was never lost."""
SHOWN = 5
LEAST = 1_000
"""Offers that a row has to have, some of them in flight at a fault."""
SENT_LEAST = 1 / 3
"""Share of its offers that the channel has to have had: where little is sent, little is said of sending."""


@dataclass
class Evidence:
    """All that was left behind."""

    rules: RuleSet
    case: Json
    """Rules, policy, places, key and salt, as the reference model takes them."""
    partitions: int
    log: list[Read]
    acknowledged: Mapping[Place, bytes]
    decisions: list[Read]
    offers: list[Read]
    deadletters: list[Read]
    submits: list[Json]
    controls: Mapping[int, Mapping[bytes, bytes]]
    """Partition -> its `ctl` hash."""
    states: Mapping[int, Mapping[str, bytes]]
    """Partition -> subscriber key -> blob."""
    batch: int
    """Offers of one pass of a dispatcher."""
    faults: list[Fault] = field(default_factory=list)
    """In order."""
    optouts: Mapping[str, int] = field(default_factory=dict)
    """Number -> when its opt-out was acknowledged, µs."""
    rebuilt: bool = False
    """The store was lost: counts of lanes began anew, states are those of a warm start."""
    unmodelled: frozenset[str] = frozenset()
    """Keys of subscribers with more records than the naive model can take in."""


@dataclass
class Report:
    """What the checker found."""

    row: str
    offers: int = 0
    in_flight: int = 0
    """Offers that were under way when a fault landed: made, and not ended; each once."""
    kinds: Counter[str] = field(default_factory=Counter)
    """Decisions by outcome."""
    rules: Counter[str] = field(default_factory=Counter)
    """Offers by rule."""
    ends: Counter[str] = field(default_factory=Counter)
    """Offers by how they ended."""
    lost: int = 0
    """Acknowledged records, decisions and offers that are missing, offers that never ended, or in a way that
    nothing explains."""
    doubled: int = 0
    """Submits beyond the first of a decision."""
    wrong_states: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0
    not_run: str = ""
    """Why it could not be run here."""

    @property
    def passed(self) -> bool:
        """Whether everything held."""
        return not (self.problems or self.lost or self.doubled or self.wrong_states)

    @property
    def is_whole(self) -> bool:
        """Whether enough of every kind was under way for the row to say something."""
        kinds = {"offer", "held", "control", "refused"} <= set(self.kinds)
        rules = {"dwell", "absent", "enter", "calls"} <= set(self.rules)
        return kinds and rules and self.offers >= LEAST and self.in_flight > 0 and self.is_sent

    @property
    def is_sent(self) -> bool:
        """Whether enough of the offers came to the channel and were reported by it."""
        return sum(self.ends[status] for status in SENT) >= SENT_LEAST * self.offers

    def problem(self, what: str, found: Iterable[object]) -> int:
        """Name what is wrong, with the first few cases; return how many there are."""
        cases = list(found)
        if cases:
            shown = ", ".join(str(case) for case in cases[:SHOWN])
            self.problems.append(f"{what}: {len(cases)} ({shown}{', ...' if len(cases) > SHOWN else ''})")
        return len(cases)

    def __str__(self) -> str:
        lines = [f"{self.row}: {'held' if self.passed else 'FAILED'}"]
        lines += [f"  {what}" for what in (*self.problems, *self.notes)]
        return "\n".join(lines)


class Truth:
    """What must have come of the log: one thread, one fold per partition, no store."""

    def __init__(self, log: Sequence[Read], rules: RuleSet, partitions: int) -> None:
        key = KEY.encode()
        books = {rules.hash: Rulebook(rules, key), NO_RULES.hash: Rulebook(NO_RULES, key)}
        self.folds: list[Fold] = []
        self.refused: list[Place] = []
        self.decisions: dict[Name, Json] = {}
        self.made_at: dict[str, int] = {}
        """Decision id of an offer -> append time of the record that brought it up."""
        self.receipts: dict[str, list[Told]] = {}
        """Decision id -> its receipts, as they stand in the log."""
        intake = Intake(Identity(key), on_refused=lambda refusal: self._refused.append(refusal))
        self._refused: list[object] = []
        by_partition: list[list[Read]] = [[] for _ in range(partitions)]
        for read in log:
            by_partition[read.partition].append(read)
        for reads in by_partition:
            fold = Fold(books[NO_RULES.hash], SALT.encode(), books=lambda name: books[name])
            for read in reads:
                for event in intake.read_log(read.value, "log", f"{read.partition}:{read.offset}"):
                    fold.apply(event)
                    if event.kind == "offer.receipt":
                        told = Told(read.time, str(event.fields["status"]), event.t)
                        self.receipts.setdefault(str(event.fields["decision"]), []).append(told)
                if self._refused:
                    self.refused += [(read.partition, read.offset)] * len(self._refused)
                    self._refused.clear()
                for decision in fold.decisions:
                    line: Json = orjson.loads(orjson.dumps(decision))
                    self.decisions[line["id"], line["at"]] = line
                    if line["outcome"] == "offer":
                        self.made_at[line["id"]] = read.time
                fold.decisions = []
                fold.profiles, fold.releases = {}, []
            self.folds.append(fold)

    def offers(self) -> dict[str, Json]:
        """Return the offers, by decision id."""
        return {line["id"]: line for line in self.decisions.values() if line["outcome"] == "offer"}


def check(row: str, evidence: Evidence) -> Report:
    """Replay what was acknowledged and hold everything against it."""
    report = Report(row, faults=Counter(fault.what for fault in evidence.faults))
    truth = Truth(evidence.log, evidence.rules, evidence.partitions)
    _check_log(report, evidence)
    _check_decisions(report, evidence, truth)
    _check_offers(report, evidence, truth)
    _check_states(report, evidence, truth)
    _check_balance(report, evidence, truth)
    _check_submits(report, evidence, truth)
    _count_in_flight(report, evidence, truth)
    return report


def _check_log(report: Report, evidence: Evidence) -> None:
    """I1: what was acknowledged stands in the log, where it was said to."""
    stands = {(read.partition, read.offset): read.value for read in evidence.log}
    missing = [place for place, value in evidence.acknowledged.items() if stands.get(place) != value]
    report.lost += report.problem("acknowledged records that are not in the log", missing)


def published(reads: Iterable[Read]) -> list[Json]:
    """Return decision lines as they were published, packs opened, releases left out."""
    found: list[Json] = []
    for read in reads:
        value = orjson.loads(read.value)
        found += value if isinstance(value, list) else [value]
    return [line for line in found if "id" in line]


def _check_decisions(report: Report, evidence: Evidence, truth: Truth) -> None:
    """I2: what was decided is what one thread decides; repeats are the same line."""
    found: dict[Name, Json] = {}
    repeats: list[Name] = []
    for line in published(evidence.decisions):
        name = line["id"], line["at"]
        if found.setdefault(name, line) != line:
            repeats.append(name)
    report.problem("decisions published again with another content", repeats)
    lost = [name for name in truth.decisions if name not in found]
    report.lost += report.problem("decisions that were never published", lost)
    spurious = [name for name in found if name not in truth.decisions]
    report.problem("decisions that nobody was to make", spurious)
    others = [name for name, line in found.items() if truth.decisions.get(name, line) != line]
    report.problem("decisions with another content", others)
    _check_model(report, evidence, found)
    report.kinds = Counter(line["outcome"] for line in truth.decisions.values())
    over = over_caps([line for line in found.values() if line["outcome"] == "offer"], evidence.rules)
    report.problem("offers beyond a cap", over)


def _check_model(report: Report, evidence: Evidence, found: Mapping[Name, Json]) -> None:
    """I2: the naive reference model, given the same log, decides the same."""
    expected = naive.decisions(evidence.log, evidence.case, evidence.unmodelled)
    lines = {
        name: naive.line_of(line)
        for name, line in found.items()
        if line["subscriber_key"] not in evidence.unmodelled
    }
    differ = [name for name in expected.keys() | lines.keys() if expected.get(name) != lines.get(name)]
    report.problem("decisions on which the reference model differs", sorted(differ))
    report.notes.append(f"{len(expected)} decisions held against the reference model")


def _check_offers(report: Report, evidence: Evidence, truth: Truth) -> None:
    """I4: what the dispatcher was given is what was decided, and every offer ended."""
    expected = truth.offers()
    given = {orjson.loads(read.value)["id"] for read in evidence.offers}
    report.offers = len(expected)
    report.rules = Counter(line["rule"] for line in expected.values())
    report.lost += report.problem("offers that were never given out", [i for i in expected if i not in given])
    report.problem("offers that nobody made", [i for i in given if i not in expected])
    ends = {id: end for id in expected if (end := first_end(truth.receipts.get(id, ())))}
    report.ends = Counter(end.status for end in ends.values())
    unended = [id for id in expected if id not in ends]
    heard = [f"{id} {[told.status for told in truth.receipts.get(id, ())]}" for id in unended]
    report.lost += report.problem("offers that never ended (and what was heard of them)", heard)
    strange = unexplained(expected, ends, _known(evidence, truth))
    report.lost += report.problem("offers whose end nothing explains", strange)
    # an unknown fate may be settled later by a receipt; nothing else ends twice in two ways
    double = []
    for id, told in truth.receipts.items():
        kinds = {one.status for one in told if one.status in ENDS} - {"indeterminate"}
        if len(kinds) > 1:
            double.append((id, sorted(kinds)))
    report.problem("offers that ended in two ways", double)
    if sum(report.ends.values()) + len(unended) != report.offers:
        report.problems.append("totals do not balance")


def _known(evidence: Evidence, truth: Truth) -> Known:
    """Gather what is known of offers apart from what dispatchers say."""
    known = Known(
        evidence.rules,
        truth.made_at,
        {key: sub for fold in truth.folds for key, sub in fold.subscribers.items()},
        evidence.optouts,
        evidence.faults,
        evidence.batch,
        evidence.rebuilt,
    )
    for submit in evidence.submits:
        known.answers.setdefault(submit["decision"], set()).add(submit["answer"])
    return known


def _check_states(report: Report, evidence: Evidence, truth: Truth) -> None:
    """I2: every state in the store is the one that the replay has."""
    wrong: list[str] = []
    for partition, fold in enumerate(truth.folds):
        kept = evidence.states.get(partition, {})
        for key, sub in fold.subscribers.items():
            differs = differences(sub, kept.get(key), evidence.rebuilt)
            if differs:
                wrong.append(f"{key[:8]}: {' '.join(differs)}")
        wrong += [f"{key[:8]}: nobody" for key in kept if key not in fold.subscribers]
    report.wrong_states = report.problem("wrong states", wrong)


def differences(expected: Subscriber, blob: bytes | None, rebuilt: bool = False) -> list[str]:
    """Name the fields in which a stored state differs from the expected one."""
    if blob is None:
        return ["missing"]
    try:
        found = decode(expected.key, blob)
    except StateError as error:
        return [str(error)]
    if rebuilt:
        return [name for name in IDENTITY if _plain(found, name) != _plain(expected, name)]
    if encode(found) == encode(expected):
        return []
    named = [name for name in COMPARED if getattr(found, name) != getattr(expected, name)]
    return named or ["history"]


def _plain(sub: Subscriber, name: str) -> Any:
    value = getattr(sub, name)
    if name == "contacts":  # a rebuild enters them in the order of the lines
        return sorted(orjson.dumps(contact) for contact in value)
    if name == "holds":
        return sorted((hold["id"], hold["due"]) for hold in value)
    return value


def _check_balance(report: Report, evidence: Evidence, truth: Truth) -> None:
    """I1: every record ends as applied, duplicate, late or dead-lettered; lanes and replay count the same."""
    letters: Counter[Place] = Counter()
    for read in evidence.deadletters:
        letter = orjson.loads(read.value)
        if letter["stage"] != "engine":
            continue  # never was in the log
        letters[letter["partition"], letter["offset"]] += 1
    expected = Counter(truth.refused)
    report.lost += report.problem("refused records without a dead letter", list(expected - letters))
    report.problem("dead letters of records that are good", [p for p in letters if p not in expected])
    for partition, fold in enumerate(truth.folds):
        control = evidence.controls.get(partition, {})
        reads = [read for read in evidence.log if read.partition == partition]
        end = reads[-1].offset + 1 if reads else 0
        if int(control.get(b"offset", 0)) < end:
            was = int(control.get(b"offset", 0))
            report.problems.append(f"partition {partition}: expected to be at {end}, was at {was}")
        if evidence.rebuilt:
            continue
        lane = orjson.loads(control.get(b"lane") or b"{}")
        counts = Counter(lane.get("outcomes") or {})
        if +counts != +fold.outcomes:
            differ = {k: (counts[k], fold.outcomes[k]) for k in counts | fold.outcomes}
            shown = {k: pair for k, pair in differ.items() if pair[0] != pair[1]}
            report.problems.append(f"partition {partition}: counts of records (lane, replay) differ: {shown}")
        sums = sum(fold.outcomes[name] for name in ("applied", "duplicate", "late"))
        refused = sum(place[0] == partition for place in truth.refused)
        records = sum(_records_in(read.value) for read in reads)
        if sums + refused != records:
            report.problems.append(f"partition {partition}: {records} records, {sums} + {refused} counted")


def _records_in(message: bytes) -> int:
    """Count the records of a message of the log: one, those of an array, one if it can't be read."""
    try:
        read = orjson.loads(message)
    except orjson.JSONDecodeError:
        return 1
    return len(read) if isinstance(read, list) else 1


def _check_submits(report: Report, evidence: Evidence, truth: Truth) -> None:
    """I3, I6, I7: at most one submit per decision, none that was not decided, none in quiet time."""
    expected = truth.offers()
    counts = Counter(submit["decision"] for submit in evidence.submits)
    doubled = {id: n for id, n in counts.items() if n > 1}
    report.problem("decisions that were submitted twice", doubled)
    report.doubled = sum(n - 1 for n in doubled.values())
    report.problem("submits of what was not decided", [id for id in counts if id not in expected])
    bound = {sub.key: sub.bound for fold in truth.folds for sub in fold.subscribers.values()}
    other = [
        submit["decision"]
        for submit in evidence.submits
        if submit["decision"] in expected
        and (
            submit["text"] != expected[submit["decision"]]["text"]
            or submit["to"] != bound[expected[submit["decision"]]["subscriber_key"]]
        )
    ]
    report.problem("submits with another text or to another number", other)
    late = [s["decision"] for s in evidence.submits if s["at"] > evidence.optouts.get(s["to"], 1 << 62)]
    report.problem("submits after an acknowledged opt-out", late)
    zones = {sub.key: sub.timezone for fold in truth.folds for sub in fold.subscribers.values()}
    report.problem("submits in quiet time", quiet_submits(evidence.submits, expected, zones, evidence.rules))


def _count_in_flight(report: Report, evidence: Evidence, truth: Truth) -> None:
    """Count the offers that were under way at a fault: the record was acknowledged, the offer not ended."""
    for id, made in truth.made_at.items():
        end = first_end(truth.receipts.get(id, ()))
        ended = end.appended if end else 1 << 62
        report.in_flight += any(made <= fault.at < ended for fault in evidence.faults)
