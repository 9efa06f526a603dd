"""The schemas of what the program writes hold what the real engine writes, and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from connectors.city import City, CityOptions
from engine import schema_out
from engine.app import load_rules
from engine.event import Event
from engine.identity import Identity
from engine.intake import Intake
from engine.pipeline import Fold
from engine.refusals import Refusal
from engine.replay import Replay
from engine.rulebook import Rulebook
from engine.schema import log_schema
from tests.testdata import CHECKOUT
from tests.unit.pipeline.stage import CAFE, DAY, KEY, TEN, Stage, rule

Json = dict[str, Any]
LINE = Draft7Validator(schema_out.line_schema())
OFFER = Draft7Validator(schema_out.offer_schema())
ALL = {
    name: getattr(schema_out, f"{name}_schema")()
    for name in (
        *("line", "offer", "pack", "release", "forgotten", "optout"),
        *("profile", "deadletter", "rules", "checkpoint"),
    )
}


def wrong(validator: Any, value: Any) -> list[str]:
    return [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(value)]


@pytest.mark.parametrize("name", ALL)
def test_the_schemas_are_schemas_of_both_dialects(name: str) -> None:
    Draft7Validator.check_schema(ALL[name])
    Draft202012Validator.check_schema(ALL[name])


class Town:
    """Two hours of a lively city of 300, through the project's rules and the real engine."""

    def __init__(self) -> None:
        rules = load_rules(CHECKOUT / "rules", "86")
        self.city = City(3, 300, rules.catalog, start=TEN, options=CityOptions(lively=True))
        self.intake = Intake(Identity(b"key", "86"))
        self.logged: list[Json] = []
        fold = Fold(Rulebook(rules, b"key"), b"salt")
        self.made = list(Replay(fold).run(self._profiles(), self._events()))

    def _profiles(self) -> Iterator[Event]:
        for number, line in enumerate(self.city.profiles(), 1):
            yield self._log(self.intake.profile_line(orjson.dumps(line), "city", f"profiles:{number}"))

    def _events(self) -> Iterator[Event]:
        for number, record in enumerate(self.city.events(2), 1):
            yield self._log(self.intake.record(record, "city", f"city:{number}"))

    def _log(self, event: Event | None) -> Event:
        assert event is not None
        self.logged.append(orjson.loads(orjson.dumps(event.fields)))
        return event


@pytest.fixture(scope="module")
def town() -> Town:
    return Town()


def test_records_of_a_city_are_log_records(town: Town) -> None:
    log = log_schema()
    kinds = Counter(record["kind"] for record in town.logged)
    assert len(kinds) > 10
    # Each against its own kind: the schema's `oneOf` would try all 26 for every record.
    validators = {kind: Draft202012Validator({**log["$defs"][kind], "$defs": log["$defs"]}) for kind in kinds}
    seen: Counter[str] = Counter()
    for record in town.logged:
        if seen[record["kind"]] < 50:
            seen[record["kind"]] += 1
            assert wrong(validators[record["kind"]], record) == []
    assert min(seen.values()) > 0


def test_decisions_of_a_city_are_lines_and_its_offers_are_offers(town: Town) -> None:
    outcomes = Counter(decision["outcome"] for decision in town.made)
    assert outcomes["offer"] > 20
    assert outcomes["refused"] > 20
    for decision in orjson.loads(orjson.dumps(town.made)):
        assert wrong(LINE, decision) == []
        assert OFFER.is_valid(decision) == (decision["outcome"] == "offer")


def staged() -> Iterator[tuple[str, Json]]:
    """A line of every outcome, of each kind of pattern that adds values, of every reason but some."""
    sends = {"happens": "sms.out"}
    for status, changes in (
        ("offer", {}),
        ("control", {"holdout": "100%"}),
        ("shadow", {"status": "shadow"}),
        ("valid", {"valid": "2026-10-01 to 2026-10-02"}),
        ("who.tier", {"who": {"tier": "gold"}}),
        ("except.age", {"except_": {"age": "over 10"}}),
    ):
        on = Stage(rule("r", sends, **changes))
        yield status, on.record("sms.out", 7)[0]
    on = Stage(rule("r", sends), quiet="09:00 to 11:00")
    yield "held", on.record("sms.out", 7)[0]
    yield "offer", on.tick(61)[0]
    yield (
        "send_within",
        Stage(rule("r", sends, send_within="5m"), quiet="09:00 to 11:00").record("sms.out", 7)[0],
    )
    yield "consent.marketing", Stage(rule("r", sends), given={}).record("sms.out", 7)[0]
    capped = Stage(rule("r", sends, at_most="1 in 1d"))
    capped.record("sms.out", 7)
    yield "limits.at_most", capped.record("sms.out", 8)[0]
    silent = Stage(rule("r", {"after": sends, "no": {"happens": "sms.in"}, "for": "10m"}))
    silent.record("sms.out", 7)
    silent.tick(8, "sms.in")
    yield "feed", silent.tick(30)[0]
    dwell = Stage(rule("r", {"stays_in": "cafe", "for": "10m"}))
    dwell.see(CAFE, 0)
    yield "offer", dwell.tick(11)[0]
    many = Stage(rule("r", {"count": "sms.out", "at_least": 2, "within": "1h"}))
    many.record("sms.out", 7)
    yield "offer", many.record("sms.out", 8)[0]
    by_mms = {"product": "x", "send": [{"channel": "mms", "subject": "【移动】", "text": "【移动】退订回R"}]}
    yield "offer", Stage(rule("r", sends, offer=by_mms)).record("sms.out", 7)[0]


STAGED = list(staged())


@pytest.mark.parametrize(("fate", "line"), STAGED, ids=[f"{n}-{fate}" for n, (fate, _) in enumerate(STAGED)])
def test_lines_of_every_outcome(fate: str, line: Json) -> None:
    assert fate == (line["reason"] or line["outcome"])
    assert wrong(LINE, orjson.loads(orjson.dumps(line))) == []
    assert OFFER.is_valid(line) == (fate == "offer")


@pytest.mark.parametrize(
    "change",
    [
        {"subscriber": "+8613912345678"},
        {"outcome": "sent"},
        {"reason": "valid"},
        {"outcome": "refused"},
        {"outcome": "refused", "reason": "holdout"},
        {"outcome": "refused", "reason": "who."},
        {"arm": "b"},
        {"channel": "email"},
        {"at": 0},
        {"at": "2026-09-07"},
        {"id": "1"},
        {"parts": 0},
        {"trigger": {"source": "s", "id": None}},
        {"values": None},
        {"colour": "red"},
    ],
    ids=str,
)
def test_a_line_is_nothing_else(change: Json) -> None:
    line = next(line for fate, line in STAGED if fate == "offer")
    assert LINE.is_valid(line)
    assert not LINE.is_valid({**line, **change})


def test_a_line_lacks_nothing() -> None:
    line = next(line for fate, line in STAGED if fate == "offer")
    for name in line:
        assert not LINE.is_valid({other: value for other, value in line.items() if other != name})


def test_packs_hold_lines() -> None:
    pack = Draft7Validator(ALL["pack"])
    lines = [line for fate, line in STAGED if line["outcome"] == "refused"]
    assert pack.is_valid(lines)
    assert not pack.is_valid([])
    assert not pack.is_valid([*lines, {"release": "0" * 32}])


REFUSED = Refusal("json", "expected JSON, was cut off", "feed", "0:7", '{"t')
PROFILE = {
    "subscriber_key": KEY,
    "msisdn": "+8613912345678",
    "bound_at": TEN,
    "timezone": None,
    "profile": {"tier": "gold", "arpu": 20.5, "handset.mms": True, "products": []},
    "consent": {"marketing": True},
    "suppressed": False,
    "choice": -TEN,
    "t": TEN,
}
SAMPLES: list[tuple[str, Json, list[Json]]] = [
    (
        "release",
        {"release": "0" * 32, "subscriber_key": KEY, "t": TEN + DAY},
        [{"release": "x"}, {"t": None}, {"id": "0" * 32}],
    ),
    (
        "forgotten",
        {"forgotten": KEY, "subscriber_key": KEY, "t": TEN},
        [{"forgotten": "x"}, {"t": None}, {"id": "0" * 32}],
    ),
    ("optout", {"optout": KEY, "t": TEN}, [{"optout": "+8613912345678"}, {"t": None}, {"msisdn": "+861"}]),
    (
        "profile",
        PROFILE,
        [
            {"msisdn": "13912345678"},
            {"profile": {"tier": None}},
            {"consent": {"marketing": None}},
            {"imsi": "4"},
            {"choice": True},
        ],
    ),
    (
        "deadletter",
        {**REFUSED.as_dict(), "stage": "collector", "failed_at": TEN},
        [{"raw": "x" * 2_001}, {"partition": -1}, {"imsi": "4"}, {"failed_at": None}],
    ),
    (
        "deadletter",
        {
            **REFUSED.as_dict(),
            "stage": "engine",
            "failed_at": TEN,
            "topic": "events",
            "partition": 0,
            "offset": 7,
            "rules_hash": "0" * 32,
        },
        [{"offset": "7"}],
    ),
    (
        "rules",
        {"hash": "0" * 32, "by": "lead", "at": TEN, "files": {"policy.yaml": "window: 48h\n"}},
        [{"files": {"policy.yaml": None}}, {"by": None}],
    ),
    ("checkpoint", {"v": 1, "sources": {}}, [{"v": "1"}]),
]


@pytest.mark.parametrize(("name", "sample", "changes"), SAMPLES, ids=[sample[0] for sample in SAMPLES])
def test_samples_hold_and_changed_ones_do_not(name: str, sample: Json, changes: list[Json]) -> None:
    validator = Draft7Validator(ALL[name])
    assert wrong(validator, sample) == []
    assert [change for change in changes if validator.is_valid({**sample, **change})] == []
    for needed in ALL[name]["required"]:
        assert not validator.is_valid({other: value for other, value in sample.items() if other != needed})
