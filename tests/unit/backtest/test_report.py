"""What the report says of a small world, and that it agrees with the decisions it is about."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import orjson
import pytest

from engine.backtest.prices import Prices
from engine.cli.backtest import Backtest
from engine.cli.inputs import load_rules
from engine.cli.spool import Runs
from engine.cli.study import Study, Version, Wanted
from engine.settings import load_settings
from tests.unit.backtest.conftest import Replayed, by_rule, read_report
from tests.unit.backtest.world import PEOPLE, events, profiles, write_rules
from tests.unit.backtest.world import rule as plain_rule
from tests.unit.cli.support import FILES, POLICY, read_lines, sight, write_lines

OUT = ("decisions.jsonl", "summary.json", "deadletters.jsonl")


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return write_rules(tmp_path / "rules")


def test_a_report_changes_no_byte_of_the_rest(replay: Replayed, rules: Path, tmp_path: Path) -> None:
    for out, options in (("plain", ()), ("with", ("--report",)), ("against", ("--against", rules))):
        assert replay(rules, out, *options).exit_code == 0
    files = [[(tmp_path / out / name).read_bytes() for name in OUT] for out in ("plain", "with", "against")]
    assert files[0] == files[1] == files[2]
    assert sorted(path.name for path in (tmp_path / "plain").iterdir()) == sorted(OUT)


@pytest.mark.parametrize("days", [1, 3])
def test_its_totals_are_those_of_the_summary_and_of_the_decisions(
    replay: Replayed, rules: Path, tmp_path: Path, days: int
) -> None:
    replay(rules, "out", "--report", "--sms-cost", "0.05", lines=events(days))
    report = read_report(tmp_path / "out")
    summary = orjson.loads((tmp_path / "out" / "summary.json").read_bytes())
    made = read_lines(tmp_path / "out" / "decisions.jsonl")
    totals = report["totals"]
    assert totals["refused_by"] == summary["decisions_by_reason"]
    for outcome in ("offer", "held", "control", "shadow", "refused"):
        assert totals[outcome] == summary["decisions_by_outcome"].get(outcome, 0)
        assert totals[outcome] == sum(rule.get(outcome, 0) for rule in report["rules"])
    assert totals["matches"] + totals["hold_ends"] == len(made)
    assert totals["matches"] == len({d["id"] for d in made})
    sent = [d for d in made if d["outcome"] == "offer"]
    assert totals["sms_parts"] == sum(d["parts"] or 0 for d in sent)
    assert totals["cost"] == pytest.approx(0.05 * totals["sms_parts"])
    assert totals["subscribers_offered"] == len({d["subscriber_key"] for d in sent})
    assert sum(hour["offers"] for hour in report["hours"]) == len(sent) == sum(report["hours_of_day"])
    for name, rule in by_rule(report).items():
        own = [d for d in made if d["rule"] == name]
        reasons = Counter(d["reason"] for d in own if d["reason"])
        assert {step["gate"]: step["refused"] for step in rule.get("funnel", ())} == reasons
        if own:
            assert rule["matches"] + rule["hold_ends"] == len(own)
            left = [len(own), *(step["left"] for step in rule["funnel"])][-1]
            assert left == sum(rule[outcome] for outcome in ("offer", "held", "control", "shadow"))
            assert rule["subscribers_matched"] == len({d["subscriber_key"] for d in own})
            arms = {arm: len({d["subscriber_key"] for d in own if d["arm"] == arm})
                    for arm in ("treatment", "control")}  # fmt: skip
            assert {arm: rule["holdout"][arm] for arm in arms} == arms
            assert sum(lost["times"] for lost in rule["lost_to"]) == reasons["arbitration"]
    assert report["records"]["read"] == summary["read"] > 0


def test_who_won_and_what_was_lost(replay: Replayed, rules: Path, tmp_path: Path) -> None:
    replay(rules, "out", "--report")
    report = read_report(tmp_path / "out")
    made = read_lines(tmp_path / "out" / "decisions.jsonl")
    groups: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for decision in made:
        groups.setdefault((decision["subscriber_key"], decision["at"]), []).append(decision)
    won: Counter[tuple[str, str]] = Counter()
    for group in groups.values():
        taken = [d["rule"] for d in group if d["outcome"] in ("offer", "held", "control")]
        won.update((taken[0], d["rule"]) for d in group if d["reason"] == "arbitration")
    assert won["hall-visit", "hall-hello"] > 5
    pairs = {tuple(pair["rules"]): pair for pair in report["overlap"]}
    for (winner, loser), times in won.items():
        assert pairs[min(winner, loser), max(winner, loser)]["won"][winner] == times
    # the group lets the longer stay have nothing after the visit, so its own rule names the other
    blocked = by_rule(report)["hall-stay"]["blocked_by"]
    assert {"gate": "only_one_of", "rule": "hall-visit", "times": 7} in blocked
    assert {block["gate"] for block in blocked} <= {"only_one_of", "policy.contact"}


@pytest.mark.parametrize(
    "contact", ["{at_most: [1 in 1d, 2 in 20d]}", "{at_most: 5 in 20d, by_tier: {gold: 1 in 1d}}"]
)
def test_only_the_rules_of_the_limit_that_refused_are_named(
    replay: Replayed, tmp_path: Path, contact: str
) -> None:
    """One offer on the first day, one on the third, and then the limit of a day is full."""
    whens = {"calls": "call.in", "texts": "sms.in", "visits": "loc.update"}
    files = {f"team/{name}.yaml": plain_rule(name, f"{{happens: {kind}}}") for name, kind in whens.items()}
    files = {**FILES, **files, "policy.yaml": POLICY.replace("{at_most: 2 in 1d}", contact)}
    del files["team/hall-visit.yaml"]
    for name, text in files.items():
        path = tmp_path / "rules" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    days = {"call.in": 0, "sms.in": 3, "loc.update": 3.1}
    lines = [{**sight("p00", day * 86_400), "kind": kind} for kind, day in days.items()]
    assert replay(tmp_path / "rules", "out", "--report", lines=lines).exit_code == 0
    rules = by_rule(read_report(tmp_path / "out"))
    assert [rules[name]["offer"] for name in whens] == [1, 1, 0]
    assert rules["visits"]["blocked_by"] == [{"gate": "policy.contact", "rule": "texts", "times": 1}]


def test_prices_may_miss(replay: Replayed, rules: Path, tmp_path: Path) -> None:
    replay(rules, "out", "--mms-cost", "30 fen")
    report = read_report(tmp_path / "out")
    assert report["prices"] == {"sms_part": None, "mms": 0.3}
    assert report["totals"]["sms_parts"] > 0
    assert report["totals"]["cost"] is None
    assert by_rule(report)["callers"]["cost"] == 0
    assert Prices().cost(0, 0) == 0


def test_prices_of_the_policy_count_unless_others_are_given(replay: Replayed, tmp_path: Path) -> None:
    text = ("timezone:", "cost: {sms: 0.05 yuan, mms: 0.30 yuan}\ntimezone:")
    rules = write_rules(tmp_path / "rules", {"policy.yaml": text})
    replay(rules, "house", "--report")
    replay(rules, "other", "--sms-cost", "0.1")
    house, other = (read_report(tmp_path / out) for out in ("house", "other"))
    assert house["prices"] == {"sms_part": 0.05, "mms": 0.3}
    assert other["prices"] == {"sms_part": 0.1, "mms": 0.3}
    assert other["totals"]["cost"] == pytest.approx(2 * house["totals"]["cost"])
    assert house["totals"]["cost"] > 0


@pytest.mark.parametrize("given", ["free", "-1", "", "5 USD", "."])
def test_a_price_that_is_none(replay: Replayed, rules: Path, given: str) -> None:
    done = replay(rules, "out", f"--sms-cost={given}")
    assert done.exit_code == 2
    assert "--sms-cost: expected an amount of money such as 0.05 or 5 fen" in done.stderr


def test_the_same_input_gives_the_same_bytes(replay: Replayed, rules: Path, tmp_path: Path) -> None:
    other = write_rules(tmp_path / "other", {"team/hall-stay.yaml": ("30m", "20m")})
    files = ("report.json", "report.html", "gains.jsonl", "losses.jsonl")
    for out in ("one", "two"):
        replay(rules, out, "--against", other)
    assert [(tmp_path / "one" / name).read_bytes() for name in files] == [
        (tmp_path / "two" / name).read_bytes() for name in files
    ]


def test_a_run_without_a_report_leaves_none_of_before(replay: Replayed, rules: Path, tmp_path: Path) -> None:
    replay(rules, "out", "--against", rules)
    assert len(list((tmp_path / "out").iterdir())) == 7
    replay(rules, "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(OUT)


# -- two versions --------------------------------------------------------------------------------------------


def test_a_version_against_itself_changes_nothing(replay: Replayed, rules: Path, tmp_path: Path) -> None:
    replay(rules, "out", "--against", rules, lines=events(2))
    against = read_report(tmp_path / "out")["against"]
    assert against["offers"] == against["offers_before"] > 0
    assert set(against["subscribers"].values()) == {0}
    assert against["changes"] == []
    assert (tmp_path / "out" / "gains.jsonl").read_bytes() == b""
    assert (tmp_path / "out" / "losses.jsonl").read_bytes() == b""


def test_gains_and_losses_are_those_of_two_replays(replay: Replayed, rules: Path, tmp_path: Path) -> None:
    changes = {"team/hall-visit.yaml": ("[gold, vip]", "[ordinary]"), "team/hall-stay.yaml": ("30m", "20m")}
    new = write_rules(tmp_path / "new", changes)
    replay(new, "new-alone")
    replay(rules, "old-alone")
    replay(new, "both", "--against", rules, "--reveal")

    def offers(out: str) -> Counter[tuple[str, str]]:
        made = read_lines(tmp_path / out / "decisions.jsonl")
        return Counter((d["subscriber_key"], d["rule"]) for d in made if d["outcome"] == "offer")

    now, before = offers("new-alone"), offers("old-alone")
    gained = read_lines(tmp_path / "both" / "gains.jsonl")
    lost = read_lines(tmp_path / "both" / "losses.jsonl")
    assert {(g["subscriber_key"], g["rule"]): (g["offers_before"], g["offers"]) for g in gained} == {
        key: (before[key], number) for key, number in now.items() if number > before[key]
    }
    assert {(g["subscriber_key"], g["rule"]): (g["offers_before"], g["offers"]) for g in lost} == {
        key: (number, now[key]) for key, number in before.items() if number > now[key]
    }
    assert gained
    assert lost
    assert {g["subscriber"] for g in gained} <= set(PEOPLE)
    others = {instant["other"] for g in lost if g["rule"] == "hall-visit" for instant in g["instants"]}
    assert others == {"refused:who.tier"}


def test_subscribers_are_named_only_on_demand(replay: Replayed, rules: Path, tmp_path: Path) -> None:
    new = write_rules(tmp_path / "new", {"team/hall-visit.yaml": ("[gold, vip]", "[ordinary]")})
    replay(new, "out", "--against", rules)
    assert all("subscriber" not in line for line in read_lines(tmp_path / "out" / "gains.jsonl"))


def test_broken_rules_of_before_are_shown(replay: Replayed, rules: Path, tmp_path: Path) -> None:
    old = write_rules(tmp_path / "old", {"team/hall-visit.yaml": ("enters: hall", "enters: hal")})
    failed = replay(rules, "out", "--against", old)
    assert failed.exit_code == 2
    assert "no place `hal` in the catalogue [R204]" in failed.stderr
    assert not (tmp_path / "out").exists()


def test_runs_on_disk_give_the_same_lines(tmp_path: Path) -> None:
    lines = [b"%03d\n" % (number * 37 % 101) for number in range(101)]
    runs = Runs(tmp_path, "x", held=10)
    for line in lines:
        runs.add(line)
    with runs.sorted() as found:
        assert list(found) == sorted(lines)
    assert len(list(tmp_path.iterdir())) == 10


# -- the page ------------------------------------------------------------------------------------------------


class Reader(HTMLParser):
    """Follows a page: what is open, which tags and attributes there were."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.said = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] += 1
        self.attributes |= {name for name, _ in attrs}
        if tag not in ("meta", "rect", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said += data


def test_the_page_needs_nothing_else_and_shows_text_as_text(
    replay: Replayed, rules: Path, tmp_path: Path
) -> None:
    replay(rules, "out", "--against", write_rules(tmp_path / "a<b>&c"))
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert "Half an hour <in> it" in reader.said
    assert "a<b>&c" in reader.said
    assert not set(reader.seen) & {"script", "link", "img", "iframe", "in"}
    assert reader.seen["b"] == page.count('<div class="tile">')
    assert not reader.attributes & {"src", "href", "onclick", "onload"}
    assert "url(" not in page
    assert "://" not in page
    active = [rule for rule in read_report(tmp_path / "out")["rules"] if "matches" in rule]
    assert reader.seen["details"] == len(active) == 7
    assert reader.seen["svg"] > len(active)


# -- bounded memory ------------------------------------------------------------------------------------------


def _held_by_the_report(rules: Path, folder: Path, days: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Replay; return the bytes that modules of the report hold when the last record was folded."""
    settings = load_settings()
    ruleset = load_rules(rules, settings)
    backtest = Backtest(
        rules=ruleset,
        settings=settings,
        events=[write_lines(folder / "events.jsonl", events(days))],
        profiles=[write_lines(folder / "profiles.jsonl", profiles())],
        columns=None,
        disorder=0,
        until=None,
        reveal=False,
        wanted=Wanted(Prices(), Version("rules", ruleset, {})),
    )
    held: list[int] = []
    close = Study.close

    def closing(study: Study) -> None:
        close(study)
        taken = tracemalloc.take_snapshot()
        files = ("*/engine/backtest/*", "*/engine/cli/study.py")
        own = taken.filter_traces([tracemalloc.Filter(True, name) for name in files])
        held.append(sum(one.size for one in own.statistics("filename")))

    with monkeypatch.context() as patched:
        patched.setattr(Study, "close", closing)
        tracemalloc.start()
        try:
            backtest.run(folder / "out", lambda done, said: None)
        finally:
            tracemalloc.stop()
    return held[0]


def test_more_days_of_the_same_people_take_no_more_memory(
    rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = _held_by_the_report(rules, tmp_path, 2, monkeypatch)
    many = _held_by_the_report(rules, tmp_path, 10, monkeypatch)
    quarters = 8 * 4 * 7  # of 8 more days, with offers of a rule: each is one number in a counter
    assert many < few + quarters * 200
    assert many < 3 * few
