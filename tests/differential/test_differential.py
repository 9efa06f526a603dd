"""The engine decides as the reference model does; a failure names the seed: `python -m tests.differential`.

About 1,500 cases; `TOUCHPOINT_EXAMPLES=20000` takes that many in each of the first two tests.
"""

from __future__ import annotations

import os
from copy import deepcopy

import pytest
from hypothesis import given, settings

from tests.differential import engine_side
from tests.differential.compare import FIELDS, case_of, clock, compare, difference, smallest
from tests.differential.gen_values import EVENTS
from tests.differential.gen_world import Json
from tests.differential.generator import FOCI, cases

EXAMPLES = int(os.environ.get("TOUCHPOINT_EXAMPLES", "500"))
BATCHES = 5


def check(seed: int, focus: str | None = None) -> None:
    found = difference(case_of(seed, focus))
    assert found is None, f"seed {seed}{f' --focus {focus}' if focus else ''}: {found}"


@settings(max_examples=EXAMPLES)
@given(case=cases())
def test_engine_and_reference_model_agree(case: Json) -> None:
    assert difference(case) is None


@pytest.mark.parametrize("batch", range(BATCHES))
def test_they_agree_on_the_same_cases_at_every_run(batch: int) -> None:
    for seed in range(batch, EXAMPLES, BATCHES):
        check(seed)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_they_agree_on_cases_that_lean_towards_each_thing(batch: int) -> None:
    for focus in sorted(FOCI):
        check(1_000_000 + batch, focus)


def repeated(case: Json) -> Json:
    """The case with every record that is not control twice, one right behind the other, told by its id."""
    records = []
    for number, record in enumerate(deepcopy(case["records"])):
        if record["kind"] in EVENTS or record["kind"] == "loc.sight":
            record.setdefault("id", f"only-{number}")
            records.append(deepcopy(record))
        records.append(record)
    return {**case, "records": records}


def test_copies_of_all_records_change_no_decision() -> None:
    copies = 0
    for seed in range(2_000_000, 2_000_080):
        case = case_of(seed)
        once, twice = engine_side.run(case), engine_side.run(repeated(case))
        assert shown(twice) == shown(once), seed
        assert twice["summary"]["applied"] == once["summary"]["applied"], seed
        copies += twice["summary"]["duplicate"] - once["summary"]["duplicate"]
    assert copies > 1000


def shown(result: Json) -> list[list[object]]:
    return [[decision.get(name) for name in FIELDS] for decision in result["decisions"]]


# -- the comparison itself -----------------------------------------------------------------------------------


def a_case_with_offers() -> Json:
    return next(
        case for case in map(case_of, range(1, 100)) if "offer" in str(engine_side.run(case)["decisions"])
    )


def test_a_difference_is_told_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    case = a_case_with_offers()
    right = engine_side.run(case)
    wrong = deepcopy(right)
    gone = wrong["decisions"].pop()
    wrong["summary"]["late"] += 1
    monkeypatch.setattr(engine_side, "run", lambda _: wrong)
    found = difference(case)
    assert found is not None
    count, decision = found.splitlines()
    assert count.startswith(f"late records: the engine counts {right['summary']['late'] + 1}, the model ")
    assert decision.startswith(f"only the model  {clock(gone['at'])} {gone['rule']} {gone['outcome']} ")


def test_another_order_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    case = next(case for case in map(case_of, range(100)) if len(engine_side.run(case)["decisions"]) > 2)
    wrong = engine_side.run(case)
    wrong["decisions"][0], wrong["decisions"][1] = wrong["decisions"][1], wrong["decisions"][0]
    monkeypatch.setattr(engine_side, "run", lambda _: wrong)
    assert difference(case) == "order: the same decisions, but number 1 is another one"


def test_an_engine_that_breaks_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(case: Json) -> Json:
        raise KeyError(case["key"])

    monkeypatch.setattr(engine_side, "run", broken)
    found, expected = compare(case_of(1))
    assert found is not None
    assert found.startswith("the engine raised KeyError")
    assert "decisions" in expected


def test_a_case_that_differs_is_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    case = a_case_with_offers()
    right = engine_side.run

    def without_offers(case: Json) -> Json:
        result = right(case)
        return {**result, "decisions": [d for d in result["decisions"] if d["outcome"] != "offer"]}

    monkeypatch.setattr(engine_side, "run", without_offers)
    small = smallest(case, tries=300)
    assert difference(small) is not None
    assert len(small["records"]) < len(case["records"])
