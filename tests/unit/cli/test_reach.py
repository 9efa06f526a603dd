"""`touchpoint reach`: its counts against the gates themselves, lines put together, and what it says."""

from __future__ import annotations

import gzip
import random
from pathlib import Path
from typing import Any

import orjson
import pytest

from engine.cli import reach as module
from engine.cli.inputs import load_rules
from engine.cli.reach import compiled
from engine.decision import Candidate, refuse
from engine.reach import Reach
from engine.rulebook import Rulebook
from engine.settings import load_settings
from engine.snapshot import Subscriber
from tests.unit.cli.support import FILES, Touchpoint, profile, write_lines

RULE = FILES["team/hall-visit.yaml"]
BROAD = RULE.replace("hall-visit", "broad").replace(
    "who: {tier: [gold, vip]}", "who: {tier: [gold, vip], arpu: over 50 yuan}\nexcept: {tags: staff}"
)
BROAD = BROAD.replace("{channel: sms,", "{channel: sms, if: {arpu: under 90 yuan},")
BROAD = BROAD.replace("status: live", "status: draft").replace("priority: 50", "priority: 40")
FIELDS = FILES["catalog/fields.yaml"] + "tags: {type: set, say: t}\n"
TIERS, ARPUS, TAGS = ["ordinary", "gold", "vip", None], [20, 50, 51, 95, None], [[], ["staff"], ["x"], None]
CONSENTS = (True, True, True, True, True, False, None)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """The world of the commands with one rule more: a draft."""
    folder = tmp_path / "rules"
    for name, text in {**FILES, "catalog/fields.yaml": FIELDS, "team/broad.yaml": BROAD}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def people(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Random profiles, of whom little is known."""
    rng = random.Random(seed)
    return [
        {
            "subscriber": f"s{number}",
            "tier": rng.choice(TIERS),
            "arpu": rng.choice(ARPUS),
            "tags": rng.choice(TAGS),
            "consent": {purpose: rng.choice(CONSENTS) for purpose in ("marketing", "profiling", "location")},
        }
        for number in range(count)
    ]


def state(line: dict[str, Any]) -> Subscriber:
    sub = Subscriber(line["subscriber"])
    sub.profile = {n: v for n, v in line.items() if n in ("tier", "arpu", "tags") and v is not None}
    sub.consent = {purpose: given for purpose, given in line["consent"].items() if given is not None}
    return sub


def test_each_subscriber_is_counted_where_the_gates_refuse_them(rules: Path) -> None:
    settings = load_settings()
    ruleset = load_rules(rules, settings)
    rule = compiled(ruleset, "broad", settings)
    book = Rulebook(ruleset, settings.key_bytes)
    counts = Reach(rule)
    refused: dict[str | None, int] = {}
    for number, line in enumerate(people(2_000)):
        sub = state(line)
        sub.suppressed = number % 9 == 0
        now = rule.span[0]
        candidate = Candidate(rule, rule.name, now, now, None, None, ("", None, ""), None)
        reason = refuse(book, sub, candidate, now)
        # what comes after the channel is not of who somebody is: quiet time at midnight
        reason = None if reason == "send_within" else reason
        refused[reason] = refused.get(reason, 0) + 1
        assert counts.take(sub) is (reason is None)
    assert len(refused) == len(counts.lines) + 1
    left = counts.subscribers
    for count in counts.lines:
        assert count.passed + count.refused + count.unknown == counts.subscribers
        assert left - count.left == refused[count.name]
        left = count.left
    assert left == counts.reached == refused[None] > 0
    assert counts.dearest is not None


def test_without_a_line_so_many_more_are_reached(rules: Path, touchpoint: Touchpoint, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "profiles.jsonl", people(500))

    def told() -> dict[str, Any]:
        result = touchpoint("reach", "broad", "--rules", rules, "--profiles", file, "--json")
        assert result.exit_code == 0, result.output
        found: dict[str, Any] = orjson.loads(result.stdout)
        return found

    before = told()
    path = rules / "team/broad.yaml"
    by_file = touchpoint("reach", path, "--rules", rules, "--profiles", file, "--json")
    assert orjson.loads(by_file.stdout) == before
    [line] = [line for line in before["lines"] if line["line"] == "who.tier"]
    path = rules / "team/broad.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("tier: [gold, vip], ", ""), encoding="utf-8")
    assert told()["reached"] - before["reached"] == line["costs"] > 0


def test_the_table_names_the_line_that_costs_most(
    rules: Path, touchpoint: Touchpoint, tmp_path: Path
) -> None:
    lines = [profile("a"), profile("b", "ordinary"), profile("c", "vip"), profile("d", consent={})]
    lines += [profile("e", "ordinary"), {"subscriber": "f", "consent": {}}]
    file = write_lines(tmp_path / "profiles.jsonl", lines)
    result = touchpoint("reach", "hall-visit", "--rules", rules, "--profiles", file)
    assert result.exit_code == 0, result.output
    assert (
        result.stdout
        == """\
hall-visit: 2 of 6 subscribers pass every line (33.3%)

line               expected     pass  no  unknown  left  share  without it
who.tier           [gold, vip]     3   2        1     3  50.0%  2 more
consent.marketing  yes             4   0        2     2  33.3%
consent.profiling  yes             4   0        2     2  33.3%
consent.location   yes             4   0        2     2  33.3%
suppressed         no              6   0        0     2  33.3%
channel            sms             6   0        0     2  33.3%

costs most: without `who.tier` 2 more
"""
    )


def test_lines_of_one_subscriber_are_put_together_across_files_and_runs_on_disk(
    rules: Path, touchpoint: Touchpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HELD", 3)
    everyone = people(40)
    write_lines(tmp_path / "one.jsonl", everyone)
    later = [{**line, "tier": "gold"} for line in everyone[::2]]
    (tmp_path / "two.jsonl.gz").write_bytes(gzip.compress(b"\n".join(map(orjson.dumps, later))))
    files = [tmp_path / "one.jsonl", tmp_path / "two.jsonl.gz"]
    result = touchpoint("reach", "hall-visit", "--rules", rules, "--profiles", *files, "--json")
    told = orjson.loads(result.stdout)
    assert told["subscribers"] == 40
    tiers = [line["tier"] if number % 2 else "gold" for number, line in enumerate(everyone)]
    assert told["lines"][0]["passed"] == sum(tier in ("gold", "vip") for tier in tiers)
    assert told["lines"][0]["unknown"] == tiers.count(None)


def test_wrong_lines_are_named_and_counted(rules: Path, touchpoint: Touchpoint, tmp_path: Path) -> None:
    lines = [profile("a"), b"{", {"tier": "gold"}, {"subscriber": 7}, *[b"nonsense"] * 30]
    file = write_lines(tmp_path / "profiles.jsonl", lines)
    result = touchpoint("reach", "hall-visit", "--rules", rules, "--profiles", file)
    assert result.exit_code == 0
    assert "hall-visit: 1 of 1 subscribers" in result.stdout
    named = [line for line in result.stderr.splitlines() if "profiles.jsonl:" in line]
    assert len(named) == 20
    assert named[0].startswith("touchpoint: profiles.jsonl:2: expected JSON")
    assert "33 lines of profiles were refused; the first 20 are named above" in result.stderr
    one = write_lines(tmp_path / "one.jsonl", [profile("a"), b"{"])
    result = touchpoint("reach", "hall-visit", "--rules", rules, "--profiles", one, "--json")
    assert orjson.loads(result.stdout)["refused_lines"] == 1


def test_without_a_good_line_there_is_nothing(rules: Path, touchpoint: Touchpoint, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "profiles.jsonl", [b"{"])
    result = touchpoint("reach", "hall-visit", "--rules", rules, "--profiles", file)
    assert result.exit_code == 1
    assert "hall-visit: 0 of 0 subscribers" in result.stdout
    assert "expected at least one profile, was none" in result.stderr


@pytest.mark.parametrize(
    ("rule", "file", "words"),
    [
        ("hall-vist", "profiles.jsonl", "did you mean `hall-visit`?"),
        ("hall-visit", "nobody.jsonl", "nobody.jsonl: expected a file that can be read"),
    ],
)
def test_mistakes_are_said(
    rules: Path, touchpoint: Touchpoint, tmp_path: Path, rule: str, file: str, words: str
) -> None:
    write_lines(tmp_path / "profiles.jsonl", [profile("a")])
    result = touchpoint("reach", rule, "--rules", rules, "--profiles", tmp_path / file)
    assert result.exit_code == 2
    assert words in result.stderr
