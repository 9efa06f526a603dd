"""Alerts ask for metrics that there are; a page says what to do about each, and each has a test."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from engine.deployment.engine import NO_RULES
from engine.keeper import STUCK
from engine.metrics import LABELS, Metrics
from engine.settings import PREFIX, Settings
from engine.topics import topics
from tests.conftest import stand_on
from tests.house.deployment import ours
from tests.house.promql import asked, problems
from tests.house.sources import text
from tests.testdata import CHECKOUT

FOLDER = CHECKOUT / "deploy" / "prometheus"
ALERTS = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))
TESTS = yaml.safe_load((FOLDER / "alerts.test.yml").read_text(encoding="utf-8"))
CONFIG = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
RULES: list[dict[str, Any]] = [rule for group in ALERTS["groups"] for rule in group["rules"]]
KNOWN = Metrics(CollectorRegistry()).labels
PAGE = "docs/operations.md"


def named(alert: str) -> dict[str, Any]:
    """The first rule of an alert."""
    return next(rule for rule in RULES if rule["alert"] == alert)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_what_there_is(rule: dict[str, Any]) -> None:
    assert problems(rule["expr"], KNOWN) == []
    found = asked(rule["expr"])
    assert all("job" in labels for labels in found.metrics.values()), "another program's series are not ours"
    shown = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    kept = found.groups or {
        *(label for name in found.metrics for label in KNOWN.get(name, ())),
        "job",
        "instance",
        "role",
    }
    assert shown <= kept


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_how_bad_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("page", "ticket")
    page, anchor = rule["annotations"]["runbook"].split("#")
    assert (page, anchor) == (PAGE, rule["alert"].lower())
    section = re.search(rf"^#+ {rule['alert']}\n+((?:(?!#).+\n|\n)+)", text(Path(page)), re.MULTILINE)
    assert section, "the page has no heading of this name"
    assert len(section[1].split()) > 15, "what to do takes more words"


def test_the_page_has_no_alert_too_many() -> None:
    headings = re.findall(r"^#+ (Touchpoint\w+)$", text(Path(PAGE)), re.MULTILINE)
    assert headings == list(dict.fromkeys(rule["alert"] for rule in RULES))


def test_what_numbers_stand_for() -> None:
    hours = Settings.model_fields["events_retention_hours"].default
    assert named("TouchpointLagNearRetention")["expr"].endswith(f"> {hours // 2} * 3600")
    assert named("TouchpointLaneStuck")["expr"].endswith(f"> {STUCK:.0f}")
    hashes = asked(named("TouchpointNoRules")["expr"]).values["touchpoint_rules_info", "hash"]
    assert hashes == {NO_RULES.hash}
    events = topics()["events"].name
    patterns = {
        pattern
        for rule in RULES
        for (_, label), values in asked(rule["expr"]).values.items()
        if label == "topic"
        for pattern in values
    }
    assert patterns
    assert all(re.fullmatch(pattern, events) for pattern in patterns)


def test_prometheus_looks_where_the_roles_are() -> None:
    [job] = CONFIG["scrape_configs"]
    [found] = job["dns_sd_configs"]
    assert {*found["names"]} == {name for name, one in ours().items() if one["command"][0] == "run"}
    assert found["port"] == Settings.model_fields["web_port"].default
    selected = {value for rule in RULES for value in asked(rule["expr"]).values.get(("up", "job"), ())}
    assert selected == {job["job_name"]}
    assert [step["target_label"] for step in job["relabel_configs"]] == ["role"]
    assert "role" not in LABELS
    assert CONFIG["rule_files"] == ["/etc/prometheus/alerts.yml"]


def test_every_alert_is_tested_to_rise_and_to_wait() -> None:
    rises: set[str] = set()
    waits: set[str] = set()
    for test in TESTS["tests"]:
        for case in test["alert_rule_test"]:
            (rises if case.get("exp_alerts") else waits).add(case["alertname"])
    alerts = {rule["alert"] for rule in RULES}
    assert (rises, waits) == (alerts, alerts)


def test_series_of_these_tests_are_real() -> None:
    series = [one["series"] for test in TESTS["tests"] for one in test["input_series"]]
    assert [problem for one in series for problem in problems(one, KNOWN)] == []


def test_a_wrong_metric_or_label_is_noticed() -> None:
    assert problems("rate(touchpoint_evnts_total[5m])", KNOWN) == ["metric touchpoint_evnts_total"]
    assert problems('touchpoint_ready{subscriber="x"}', KNOWN) == ["label subscriber of touchpoint_ready"]
    assert problems("sum by (rul) (touchpoint_offers_total) > 1e3", KNOWN) == ["label rul"]
    assert problems('time() - max by(partition)(touchpoint_subscribers{job=~"a|b"} offset 5m)', KNOWN) == []


@pytest.fixture
def promtool(request: pytest.FixtureRequest) -> str:
    """Prometheus' own tool; Debian has it in the package `prometheus`."""
    found = shutil.which("promtool") or ""
    stand_on(request.node, "tool", "promtool", found)
    if not found:
        pytest.skip("promtool is not on PATH")
    return found


@pytest.mark.parametrize("words", ["check rules alerts.yml", "test rules alerts.test.yml"])
def test_promtool_agrees(promtool: str, words: str) -> None:
    done = subprocess.run([promtool, *words.split()], cwd=FOLDER, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_takes_the_configuration(promtool: str, tmp_path: Path) -> None:
    shutil.copy(FOLDER / "alerts.yml", tmp_path)
    config = {**CONFIG, "rule_files": ["alerts.yml"]}
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [promtool, "check", "config", "prometheus.yml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_tells_every_metric() -> None:
    part = text(Path(PAGE)).split("\n## Metrics\n", 1)[1].split("\n## ", 1)[0]
    told = {
        PREFIX.lower() + name: tuple(re.findall(r"\w+", labels))
        for name, labels in re.findall(r"^\| `(\w+)` \| ([^|]*) \|", part, re.MULTILINE)
    }
    histograms = {name.removesuffix("_bucket") for name in KNOWN if name.endswith("_bucket")}
    expected = {
        name: labels
        for name, labels in KNOWN.items()
        if not any(name.startswith(one + "_") for one in histograms)
    }
    expected |= {name: KNOWN[name + "_sum"] for name in histograms}
    assert told == expected
