"""The metrics: names, labels and values as they stand on the page."""

from __future__ import annotations

from collections import Counter

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from engine.metrics import LABELS, Metrics


class Page:
    """Metrics and the page they make."""

    def __init__(self) -> None:
        self.metrics = Metrics(CollectorRegistry(), "1.2.3")

    def samples(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """(name, labels) -> value, as Prometheus would read it."""
        text = generate_latest(self.metrics.registry).decode()
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float | None:
        """One value, None if it is not shown."""
        return self.samples().get((f"touchpoint_{name}", tuple(sorted(labels.items()))))


@pytest.fixture
def page() -> Page:
    return Page()


def use_all(metrics: Metrics) -> None:
    """Call every method once."""
    metrics.ready(ready=True)
    metrics.events({"applied": 5, "late": 1})
    metrics.decisions(Counter({("welcome", "offer"): 2, ("welcome", "held"): 1, ("bye", "refused:quiet"): 4}))
    metrics.offer_delays([0.004, 0.04, 400])
    metrics.commits({"ok": 3, "fenced": 1})
    metrics.progress(3, 1_788_000_000.5)
    metrics.state(3, 820.5)
    metrics.subscribers(3, 1000)
    metrics.rules("abc", "def")
    metrics.rules_reload(success=False)
    metrics.rebuilds(1, 7)
    metrics.lag("touchpoint.events.v1", 3, 12, 0.5)
    metrics.log_appends("touchpoint.events.v1", 9)
    metrics.redis_op("commit", 0.001, 0.002)
    metrics.evicted_keys(0)
    metrics.dead_letters({"json": 2})
    metrics.collector_rows({("gn", "taken"): 8, ("gn", "time"): 1})
    metrics.collector_files({("gn", "done"): 2, ("gn", "again"): 1})
    metrics.collector_damaged({("gn", "imei"): 3})
    metrics.collector_treated({("gn", "duplicates.dropped"): 4})
    metrics.collector_pushed("webhook", {"requests": 3, "strangers": 1}, 5)
    metrics.feed("gn", live=True, watermark=1.5, parked=3, missing=2)
    metrics.deliveries({("sms", "delivered"): 3, ("sms", "indeterminate"): 1})
    metrics.deliveries_open(4)
    metrics.optouts({"reply": 2})
    metrics.presence({"doubted": 3})


def test_what_was_counted_is_on_the_page(page: Page) -> None:
    use_all(page.metrics)
    use_all(page.metrics)
    assert page.value("events_total", outcome="applied") == 10
    assert page.value("offers_total", rule="welcome", outcome="offer") == 4
    assert page.value("offers_total", rule="welcome", outcome="held") == 2
    assert page.value("suppressed_total", reason="quiet") == 8
    assert page.value("commits_total", result="fenced") == 2
    assert page.value("rebuilds_total") == 2
    assert page.value("rebuild_suppressed_total") == 14
    assert page.value("log_appends_total", topic="touchpoint.events.v1") == 18
    assert page.value("dead_letters_total", reason="json") == 4
    assert page.value("collector_rows_total", source="gn", fate="time") == 2
    assert page.value("collector_files_total", source="gn", fate="again") == 2
    assert page.value("collector_damaged_total", source="gn", column="imei") == 6
    assert page.value("collector_treated_total", source="gn", treatment="duplicates", fate="dropped") == 8
    assert page.value("feed_live", source="gn") == 1
    assert page.value("feed_watermark_timestamp_seconds", source="gn") == 1.5
    assert page.value("feed_parked", source="gn") == 3
    assert page.value("feed_missing_files", source="gn") == 2
    assert page.value("collector_pushed_total", source="webhook", fate="requests") == 6
    assert page.value("collector_pushed_waiting", source="webhook") == 5
    assert page.value("deliveries_total", channel="sms", status="delivered") == 6
    assert page.value("deliveries_total", channel="sms", status="indeterminate") == 2
    assert page.value("indeterminate_total") == 2
    assert page.value("optouts_total", source="reply") == 4
    assert page.value("presence_total", fate="doubted") == 6


def test_what_is_is_on_the_page(page: Page) -> None:
    use_all(page.metrics)
    assert page.value("lane_progress_timestamp_seconds", partition="3") == 1_788_000_000.5
    assert page.value("subscribers", partition="3") == 1000
    assert page.value("state_bytes", partition="3") == 820.5
    assert page.value("consumer_lag_records", topic="touchpoint.events.v1", partition="3") == 12
    assert page.value("consumer_lag_seconds", topic="touchpoint.events.v1", partition="3") == 0.5
    assert page.value("rules_reload_success") == 0
    assert page.value("evicted_keys") == 0
    assert page.value("deliveries_open") == 4
    assert page.value("build_info", version="1.2.3") == 1


def test_histograms(page: Page) -> None:
    use_all(page.metrics)
    page.metrics.offer_delays([0.01])
    name = "event_to_offer_seconds"
    ends = {"0.01": 2, "0.025": 2, "0.05": 3, "300.0": 3, "+Inf": 4}
    assert {end: page.value(f"{name}_bucket", le=end) for end in ends} == ends
    assert page.value(f"{name}_count") == 4
    assert page.value(f"{name}_sum") == pytest.approx(400.054)
    assert page.value("redis_op_seconds_bucket", op="commit", le="0.001") == 1
    assert page.value("redis_op_seconds_count", op="commit") == 2


def test_an_alert_can_count_on_what_has_not_happened_yet(page: Page) -> None:
    for result in ("ok", "fenced", "error"):
        assert page.value("commits_total", result=result) == 0
    for name in ("indeterminate_total", "rebuilds_total", "rebuild_suppressed_total", "evicted_keys"):
        assert page.value(name) == 0
    assert page.value("event_to_offer_seconds_count") == 0
    assert page.value("rules_reload_success") == 1


def test_a_process_is_not_ready_until_it_says_so(page: Page) -> None:
    assert page.value("ready") == 0
    page.metrics.ready(ready=True)
    assert page.value("ready") == 1


def test_only_the_rules_in_force_are_shown(page: Page) -> None:
    page.metrics.rules("one")
    page.metrics.rules("two")
    assert page.value("rules_info", hash="one") is None
    assert page.value("rules_info", hash="two") == 1
    page.metrics.rules("two", "three")
    assert (page.value("rules_info", hash="two"), page.value("canary_info", hash="three")) == (1, 1)
    page.metrics.rules("three")
    assert page.value("canary_info", hash="three") is None


def test_a_partition_that_is_lost_is_shown_no_longer(page: Page) -> None:
    use_all(page.metrics)
    page.metrics.progress(4, 1.0)
    page.metrics.lag("touchpoint.offers.v1", 3, 1, 1)
    page.metrics.lane_lost(3)
    page.metrics.lag_lost("touchpoint.events.v1", 3)
    shown = [(name, dict(labels)) for name, labels in page.samples() if "partition" in dict(labels)]
    assert shown == [
        ("touchpoint_consumer_lag_records", {"topic": "touchpoint.offers.v1", "partition": "3"}),
        ("touchpoint_consumer_lag_seconds", {"topic": "touchpoint.offers.v1", "partition": "3"}),
        ("touchpoint_lane_progress_timestamp_seconds", {"partition": "4"}),
    ]


def test_names_and_labels_are_those_declared(page: Page) -> None:
    use_all(page.metrics)
    shown = {(name, tuple(sorted(label for label, _ in labels))) for name, labels in page.samples()}
    assert shown == {(name, tuple(sorted(labels))) for name, labels in page.metrics.labels.items()}
    assert {label for _, labels in shown for label in labels} - {"le"} == LABELS


def test_no_label_holds_a_number_of_a_person(page: Page) -> None:
    imsi = "460001234567890"
    metrics = page.metrics
    metrics.events({imsi: 1})
    metrics.decisions({(imsi, imsi): 1, ("r", f"refused:{imsi}"): 1})
    metrics.dead_letters({imsi: 1})
    metrics.collector_rows({(imsi, imsi): 1})
    metrics.deliveries({(imsi, imsi): 1})
    metrics.optouts({imsi: 1})
    metrics.redis_op(imsi, 0.1)
    text = generate_latest(metrics.registry).decode()
    assert imsi not in text
    assert text.count("<digits>") >= 7


def test_two_processes_do_not_share_what_they_count() -> None:
    one, two = Page(), Page()
    one.metrics.events({"applied": 1})
    assert two.value("events_total", outcome="applied") is None


def test_each_record_counts_under_one_outcome() -> None:
    page = Page()
    counts = {"applied": 20, "ticks": 4, "applied late": 6, "beyond patience": 2, "late": 1, "duplicate": 3}
    page.metrics.events(counts)
    told = {
        "applied": 10,
        "ticks": 4,
        "applied late": 4,
        "beyond patience": 2,
        "late": 1,
        "duplicate": 3,
    }
    assert {name: page.value("events_total", outcome=name) for name in told} == told
    page.metrics.events({"applied": 5, "ticks": 5})
    assert (page.value("events_total", outcome="applied"), page.value("events_total", outcome="ticks")) == (
        10,
        9,
    )
