"""The case generator: deterministic, valid, JSON-able, and as adversarial as it promises."""

from __future__ import annotations

import json
import random
import re
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings

from tests.differential.coverage import Coverage, reason_group
from tests.differential.gen_patterns import PAIRS, VERBS, children, longest_path, verb, walk
from tests.differential.gen_shrink import shrink
from tests.differential.gen_time import HOUR, WINDOW, duration, duration_text, local
from tests.differential.gen_values import EVENTS, FIELDS, REQUIRED
from tests.differential.generator import FOCI, cases, generate, identities, is_sound, with_receipts

SEEDS = range(300)


def case_of(seed: int, focus: str | None = None) -> dict[str, Any]:
    return generate(random.Random(seed), focus=focus)


def test_the_same_seed_gives_the_same_bytes() -> None:
    for seed in range(50):
        assert json.dumps(case_of(seed)) == json.dumps(case_of(seed))
    assert json.dumps(case_of(1)) != json.dumps(case_of(2))


def test_cases_survive_json() -> None:
    for seed in SEEDS:
        case = case_of(seed)
        assert json.loads(json.dumps(case, allow_nan=False)) == case


def test_no_object_appears_twice_in_a_case() -> None:
    # YAML would write the second one as an alias, which the loader refuses.
    for seed in SEEDS:
        seen: set[int] = set()
        stack: list[Any] = [case_of(seed)[part] for part in ("rules", "policy", "places")]
        while stack:
            thing = stack.pop()
            if isinstance(thing, dict | list) and thing:
                assert id(thing) not in seen
                seen.add(id(thing))
                stack.extend(thing.values() if isinstance(thing, dict) else thing)


def scalars(thing: Any) -> list[Any]:
    if isinstance(thing, dict):
        return [leaf for value in thing.values() for leaf in scalars(value)]
    if isinstance(thing, list):
        return [leaf for value in thing for leaf in scalars(value)]
    return [thing]


def test_yaml_parts_hold_strings_only() -> None:
    for seed in SEEDS:
        case = case_of(seed)
        for part in ("rules", "policy", "fields", "places", "numbers", "products"):
            assert all(isinstance(leaf, str) for leaf in scalars(case[part])), part


def test_windows_sum_to_48_hours_at_most_and_some_do_exactly() -> None:
    longest = [longest_path(rule["when"]) for seed in SEEDS for rule in case_of(seed)["rules"]]
    assert max(longest) == WINDOW


def check_pattern(case: dict[str, Any], pattern: dict[str, Any]) -> None:
    places = set(case["places"]) - {"groups"} | set(case["places"].get("groups", {}))
    for part in walk(pattern):
        assert sum(name in part for name in VERBS) == 1 or "after" in part
        for name in ("enters", "leaves", "stays_in"):
            assert part.get(name, next(iter(places))) in places
        kind = part.get("happens") or part.get("count") or part.get("total", "sms.in.x").rpartition(".")[0]
        assert kind in EVENTS or "total" not in part
        for lines in (part.get("where", {}), part.get("unless", {})):
            assert set(lines) <= {"place", "rat", "cell", *EVENTS.get(kind, {})}
            for test in [lines["place"]] if "place" in lines else []:
                named = test if isinstance(test, list) else [test.removeprefix("not ")]
                assert set(named) <= places
        for key in ("within", "for"):
            if key in part:
                assert duration(part[key]) > 0
                assert duration_text(duration(part[key])) == part[key]
        for _, inner in children(part):
            assert verb(inner) in VERBS


def test_everything_a_rule_names_exists() -> None:
    for seed in SEEDS:
        case = case_of(seed)
        assert len({rule["rule"] for rule in case["rules"]}) == len(case["rules"]) <= 3
        for rule in case["rules"]:
            check_pattern(case, rule["when"])
            assert set(rule["who"]) | set(rule.get("except", {})) <= set(FIELDS)
            assert rule["offer"]["product"] in case["products"]
            assert rule["offer"]["send"]
            limits = rule["limits"]
            assert limits.get("only_one_of", "g1") in case["policy"]["groups"]
            assert 0 < duration(limits["send_within"]) <= WINDOW
            assert 0 <= int(limits["priority"]) <= 100
            assert re.fullmatch(r"[1-9]\d* in (\d+[dhms])+", limits["at_most"])
            first, last = (date.fromisoformat(text) for text in rule["valid"].split(" to "))
            assert first <= last


def test_records_are_few_and_whole() -> None:
    sizes = []
    for seed in SEEDS:
        case = case_of(seed)
        sizes.append(len(case["records"]))
        assert 1 <= len(case["profiles"]) <= 3 or not case["profiles"]
        for record in case["records"]:
            assert isinstance(record["t"], int)
            assert record.get("t_start", record["t"]) <= record["t"]
            assert all((record["kind"], name) not in REQUIRED or name in record for _, name in REQUIRED)
            if record["kind"] != "tick" and is_sound(record):
                assert any(name in record for name in ("imsi", "msisdn", "subscriber"))
    assert min(sizes) >= 5
    assert max(sizes) <= 60


def test_ticks_of_the_file_never_go_back() -> None:
    for seed in range(60):
        high = 0
        for record in case_of(seed, "feed")["records"]:
            if record["kind"] == "tick":
                assert record["t"] >= high
            if record["kind"] == "tick":
                high = record["t"]


def test_the_streams_are_adversarial() -> None:
    late = patience = copies = equal = zones = gaps = 0
    for seed in range(1500):
        case = case_of(seed)
        high, ids = 0, set()
        limit = duration(case["policy"]["patience"])
        zones += "Lord_Howe" in case["policy"]["timezone"]
        for record in case["records"]:
            if not is_sound(record):
                continue
            lateness = high - record["t"]
            late += 0 < lateness <= HOUR
            gaps += lateness > HOUR
            patience += lateness in (limit, limit + 1)
            equal += lateness == 0
            copies += record.get("id", "") in ids
            ids |= {record["id"]} if "id" in record else set()
            high = max(high, record["t"])
    assert min(late, copies, gaps, zones) > 100
    assert patience > 50
    assert equal > 500


@pytest.mark.parametrize("focus", sorted(FOCI))
def test_every_focus_gives_cases(focus: str) -> None:
    pairs = Coverage()
    for seed in range(5):
        pairs.add(case_of(seed, focus), {"decisions": []})
    if focus in VERBS:
        assert pairs.counts["verb"][focus] == 5
    if ">" in focus:
        assert pairs.counts["pair"][focus.replace(">", " > ")] == 5


def test_an_unknown_focus_is_named() -> None:
    with pytest.raises(ValueError, match="was 'nonsense'"):
        case_of(0, "nonsense")


@settings(max_examples=30, deadline=None)
@given(case=cases())
def test_the_strategy_gives_cases(case: dict[str, Any]) -> None:
    assert case["records"]


def test_receipts_follow_the_offers_they_are_for() -> None:
    inserted = 0
    for seed in range(40):
        case = case_of(seed)
        key, identity = next(iter(identities(case).items()))
        at = case["records"][0]["t"]
        offer = {"id": "d1", "outcome": "offer", "subscriber_key": key, "at": at}
        held = {**offer, "id": "d2", "outcome": "held"}
        again = with_receipts(case, [offer, held], random.Random(seed))
        receipts = [r for r in again["records"] if r.get("decision") in ("d1", "d2")]
        assert [r for r in again["records"] if r not in receipts] == case["records"]
        for receipt in receipts:
            inserted += 1
            assert receipt["decision"] == "d1"
            assert identity.items() <= receipt.items()
            assert receipt["t"] > at
    assert inserted > 10


def test_coverage_counts_cases_not_decisions() -> None:
    rule = {"rule": "r1", "when": {"after": {"enters": "p1"}, "no": {"count": "sms.in"}, "for": "1h"}}
    quiet = {"rule": "r2", "when": {"any_of": [{"leaves": "p1"}]}}
    refused = {"rule": "r1", "outcome": "refused", "reason": "who.arpu"}
    coverage = Coverage()
    result = {"decisions": [refused, refused, {"rule": "r1", "outcome": "offer", "reason": None}]}
    coverage.add({"rules": [rule, quiet]}, result)
    assert coverage.counts["pair"] == {"after > enters": 1, "after.no > count": 1, "any_of > leaves": 1}
    assert coverage.counts["pair decided"] == {"after > enters": 1, "after.no > count": 1}
    assert coverage.counts["outcome"] == {"refused": 1, "offer": 1}
    assert coverage.counts["reason"] == {"who": 1}
    assert "reason feed: 0" in coverage.lacking(1)
    assert not [line for line in coverage.lacking(1) if line.startswith("outcome offer")]
    assert "after.no > count" in coverage.table()


@pytest.mark.parametrize(
    ("reason", "group"),
    [("who.a.b", "who"), ("except.tags", "except"), ("consent.location", "consent.location")],
)
def test_reasons_lose_their_field(reason: str, group: str) -> None:
    assert reason_group(reason) == group


def test_every_pair_is_built_often() -> None:
    coverage = Coverage()
    for seed in range(1200):
        coverage.add(case_of(seed), {"decisions": []})
    assert len(PAIRS) == 50
    assert coverage.lacking(10, sections=("verb", "pair")) == []


def test_quiet_time_leaves_part_of_the_day() -> None:
    for seed in SEEDS:
        case = case_of(seed)
        for rule in case["rules"]:
            minutes: set[int] = set()
            for given_ in (case["policy"].get("quiet", []), rule["limits"].get("quiet", [])):
                for line in given_ if isinstance(given_, list) else [given_]:
                    start, end = (int(t[:2]) * 60 + int(t[3:]) for t in line.split(" to "))
                    assert start != end
                    minutes |= {m % 1440 for m in range(start, end if end > start else end + 1440)}
            assert len(minutes) < 1440
    assert local(0, "Europe/Berlin").hour == 1


def test_shrinking_keeps_what_fails_and_drops_the_rest() -> None:
    case = next(
        case
        for case in map(case_of, range(1000))
        if len(case["rules"]) == 3 and any(r["kind"] == "power.off" for r in case["records"])
    )
    whole = json.dumps(case)

    def fails(candidate: dict[str, Any]) -> bool:
        return any(r["kind"] == "power.off" for r in candidate["records"]) and len(candidate["rules"]) > 0

    small = shrink(case, fails)
    assert [r["kind"] for r in small["records"]] == ["power.off"]
    assert len(small["rules"]) == 1
    assert children(small["rules"][0]["when"]) == []
    assert json.dumps(case) == whole
