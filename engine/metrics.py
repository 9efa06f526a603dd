"""Metrics of a role (facts/reliability.md): set once per batch with what was counted in it, never per event.

All names begin with `touchpoint_` and end with their base unit. Labels are those of `LABELS`: never a
subscriber. Series of partitions that a process has lost are removed (`lane_lost`, `lag_lost`): a lag that
nobody updates would alarm for ever.

Left out: `rule_seconds_total{rule}`. The engine takes no time per rule, so there is nothing to show
(docs/decisions/0015-no-time-per-rule.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, disable_created_metrics

from engine import __version__
from engine.histogram import BatchHistogram
from engine.presence import DEEDS
from engine.refusals import redact

PREFIX: Final = "touchpoint_"
LABELS: Final = frozenset(
    "topic partition rule channel reason outcome status fate result source treatment op hash version "
    "column".split()
)
LABEL_AT_MOST: Final = 100
"""Characters of a label's value."""

WITHIN: Final = {"ticks": "applied", "applied late": "applied", "beyond patience": "applied late"}
"""Outcome of the fold -> the one that counts the same records, too."""
REFUSED: Final = "refused:"
"""Begins the fate of a candidate that a gate stopped."""

OFFER_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
REDIS_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)


class Metrics:
    """The metrics of one process. `version`: of the program.

    Methods take what was counted since their last call; gauges take what is. Names with labels are shown once
    they have a value.
    """

    def __init__(self, registry: CollectorRegistry, version: str = __version__) -> None:
        # It would add a second series beside every counter, which nobody asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry
        self.labels: dict[str, tuple[str, ...]] = {}
        """Name, as it stands on the page -> its labels: what alerts and dashboards may ask for."""
        self._events = self._counter("events", "Records folded, by what became of them", "outcome")
        self._offers = self._counter("offers", "Decisions other than refusals", "rule", "outcome")
        self._suppressed = self._counter("suppressed", "Refusals by gates, by reason", "reason")
        self._dead = self._counter("dead_letters", "Records refused by intake, by reason", "reason")
        self._commits = self._counter("commits", "Commits of lanes: ok, fenced, error", "result")
        for result in ("ok", "fenced", "error"):
            self._commits.labels(result)
        self._rebuilds = self._counter("rebuilds", "Partitions rebuilt from the log after a lost store")
        self._rebuild_suppressed = self._counter(
            "rebuild_suppressed", "Offers not sent because a rebuild can't know whether they were"
        )
        self._deliveries = self._counter(
            "deliveries", "Decisions that ended in the dispatcher, by how", "channel", "status"
        )
        self._indeterminate = self._counter(
            "indeterminate", "Messages of which nobody can say whether they were sent: never sent again"
        )
        self._optouts = self._counter(
            "optouts", "Opt-outs that were taken, by the kind of record that brought them", "source"
        )
        self._presence = self._counter(
            "presence",
            "What became of visits at places that are left late, or have cells around them",
            "fate",
        )
        for deed in DEEDS:
            self._presence.labels(deed)
        self._rows = self._counter(
            "collector_rows", "Records of the collector's feeds, by what became of them", "source", "fate"
        )
        self._files = self._counter(
            "collector_files", "Files of landing directories, by what became of them", "source", "fate"
        )
        self._damaged = self._counter(
            "collector_damaged",
            "Rows with other text in a column than the feed's map says",
            "source",
            "column",
        )
        self._pushed = self._counter(
            "collector_pushed", "What came through doors that others push into, by its fate", "source", "fate"
        )
        self._pushed_waiting = self._gauge(
            "collector_pushed_waiting", "Records that were pushed and are not yet durable", "source"
        )
        self._treated = self._counter(
            "collector_treated", "What treatments did to records of a feed", "source", "treatment", "fate"
        )
        self._appends = self._counter("log_appends", "Records appended, by topic", "topic")

        self._lag_records = self._gauge(
            "consumer_lag_records",
            "Messages that wait to be read, of one record or many",
            "topic",
            "partition",
        )
        self._lag_seconds = self._gauge(
            "consumer_lag_seconds", "Age of the oldest record that waits", "topic", "partition"
        )
        self._progress = self._gauge(
            "lane_progress_timestamp_seconds", "When a lane last ended a step, Unix time", "partition"
        )
        self._subscribers = self._gauge("subscribers", "Subscribers that have state", "partition")
        self._state_bytes = self._gauge(
            "state_bytes", "Bytes of a subscriber's state, mean of the last commit", "partition"
        )
        self._open = self._gauge("deliveries_open", "Messages that wait for their last receipt")
        self._evicted = self._gauge(
            "evicted_keys", "Keys that Redis threw away for want of memory: any is lost state"
        )
        self._rules = self._gauge("rules_info", "1 for the hash of the rule set in force", "hash")
        self._canary = self._gauge("canary_info", "1 for the hash of the set that a canary is on", "hash")
        self._reload = self._gauge("rules_reload_success", "1 unless the last rule set could not be taken")
        self._reload.set(1)
        self._feed_live = self._gauge("feed_live", "1 unless a feed is silent", "source")
        self._feed_watermark = self._gauge(
            "feed_watermark_timestamp_seconds", "Time of the newest record of a feed, Unix time", "source"
        )
        self._feed_parked = self._gauge("feed_parked", "Records that treatments keep back", "source")
        self._feed_missing = self._gauge(
            "feed_missing_files", "Files of a sequence that were passed over and have not come", "source"
        )
        self._ready = self._gauge("ready", "1 if /readyz answers 200")
        self._gauge("build_info", "1 for the version of the program", "version").labels(version).set(1)

        self._delay = self._histogram(
            "event_to_offer_seconds",
            "From the append of a record to the publication of its offer",
            OFFER_SECONDS,
        )
        self._redis = self._histogram("redis_op_seconds", "Round trips to Redis", REDIS_SECONDS, "op")

    # -- any role --------------------------------------------------------------------------------------------

    def ready(self, ready: bool) -> None:
        """Say whether the process can do its work, as `/readyz` does."""
        self._ready.set(1 if ready else 0)

    # -- engine ----------------------------------------------------------------------------------------------

    def events(self, outcomes: Mapping[str, int]) -> None:
        """Count folded records: outcome -> records (`Fold.outcomes`, since the last call).

        The fold counts a record under each of its names, `applied late` also under `applied`; here each
        counts once, under the narrowest, so that outcomes can be added up.
        """
        for outcome, count in apart(outcomes).items():
            self._events.labels(_value(outcome)).inc(count)

    def decisions(self, fates: Mapping[tuple[str, str], int]) -> None:
        """Count decisions: (rule, fate) -> decisions (`Fold.counts`, since the last call).

        Fate `refused:REASON` counts as suppressed for this reason, any other as an offer's outcome.
        """
        for (rule, fate), count in fates.items():
            if fate.startswith(REFUSED):
                self._suppressed.labels(_value(fate.removeprefix(REFUSED))).inc(count)
            else:
                self._offers.labels(_value(rule), _value(fate)).inc(count)

    def offer_delays(self, seconds: Iterable[float]) -> None:
        """Count how long offers took from the append of their record to their publication."""
        self._delay.observe(seconds)

    def commits(self, results: Mapping[str, int]) -> None:
        """Count commits: `ok`, `fenced` or `error` (the store did not take it, or did not say) -> commits."""
        for result, count in results.items():
            self._commits.labels(_value(result)).inc(count)

    def progress(self, partition: int, at: float) -> None:
        """Say when a lane last ended a step, also one that found nothing: Unix seconds."""
        self._progress.labels(str(partition)).set(at)

    def state(self, partition: int, mean_bytes: float) -> None:
        """Say the mean size of the states that a lane committed last."""
        self._state_bytes.labels(str(partition)).set(mean_bytes)

    def subscribers(self, partition: int, subscribers: int) -> None:
        """Say how many subscribers of a partition have state in the store, whoever holds them in memory."""
        self._subscribers.labels(str(partition)).set(subscribers)

    def lane_lost(self, partition: int) -> None:
        """Remove what was said about the lane of a partition that this process no longer has."""
        for gauge in (self._progress, self._subscribers, self._state_bytes):
            gauge.remove_by_labels({"partition": str(partition)})

    def rules(self, hash: str, canary: str | None = None) -> None:
        """Say which rule set is in force, and on which a canary is; those before are no longer shown."""
        for gauge, shown in ((self._rules, hash), (self._canary, canary)):
            gauge.clear()
            if shown is not None:
                gauge.labels(shown[:LABEL_AT_MOST]).set(1)

    def rules_reload(self, success: bool) -> None:
        """Say whether the last rule set that was published could be taken."""
        self._reload.set(1 if success else 0)

    def optouts(self, sources: Mapping[str, int]) -> None:
        """Count opt-outs that were folded: the kind of record that brought them -> opt-outs."""
        for source, count in sources.items():
            self._optouts.labels(_value(source)).inc(count)

    def presence(self, deeds: Mapping[str, int]) -> None:
        """Count what places that are left late did (`engine.presence.DEEDS`)."""
        for deed, count in deeds.items():
            self._presence.labels(deed).inc(count)

    def rebuilds(self, partitions: int, suppressed: int) -> None:
        """Count partitions that were rebuilt, and offers that were therefore not sent."""
        self._rebuilds.inc(partitions)
        self._rebuild_suppressed.inc(suppressed)

    # -- log and store ---------------------------------------------------------------------------------------

    def lag(self, topic: str, partition: int, records: int, seconds: float) -> None:
        """Say how far a consumer is behind: messages that wait, and the age of their oldest (0: none)."""
        self._lag_records.labels(topic, str(partition)).set(records)
        self._lag_seconds.labels(topic, str(partition)).set(seconds)

    def lag_lost(self, topic: str, partition: int) -> None:
        """Remove the lag of a partition that this process no longer reads."""
        for gauge in (self._lag_records, self._lag_seconds):
            gauge.remove_by_labels({"topic": topic, "partition": str(partition)})

    def log_appends(self, topic: str, records: int) -> None:
        """Count records that were appended to a topic."""
        self._appends.labels(topic).inc(records)

    def redis_op(self, op: str, *seconds: float) -> None:
        """Count round trips: `op` is a script, or a word for plain commands (`lane_commit read holds …`)."""
        self._redis.observe(seconds, _value(op))

    def evicted_keys(self, keys: int) -> None:
        """Say what Redis' `evicted_keys` says."""
        self._evicted.set(keys)

    # -- collector and dispatcher ----------------------------------------------------------------------------

    def dead_letters(self, reasons: Mapping[str, int]) -> None:
        """Count records that intake refused: reason -> records."""
        for reason, count in reasons.items():
            self._dead.labels(_value(reason)).inc(count)

    def collector_rows(self, fates: Mapping[tuple[str, str], int]) -> None:
        """Count rows of sources: (source, fate) -> rows."""
        for (source, fate), count in fates.items():
            self._rows.labels(_value(source), _value(fate)).inc(count)

    def collector_damaged(self, rows: Mapping[tuple[str, str], int]) -> None:
        """Count damage that refuses no row: (source, name in `watch` of its map) -> rows."""
        for (source, column), count in rows.items():
            self._damaged.labels(_value(source), _value(column)).inc(count)

    def collector_files(self, fates: Mapping[tuple[str, str], int]) -> None:
        """Count files of landing directories: (source, fate as in `Landing.counts`) -> files."""
        for (source, fate), count in fates.items():
            self._files.labels(_value(source), _value(fate)).inc(count)

    def collector_pushed(self, source: str, counts: Mapping[str, int], waiting: int) -> None:
        """Count what was pushed, as `PushDoor.counts`; `waiting`: records that are not yet durable."""
        for fate, count in counts.items():
            self._pushed.labels(_value(source), _value(fate)).inc(count)
        self._pushed_waiting.labels(_value(source)).set(waiting)

    def collector_treated(self, deeds: Mapping[tuple[str, str], int]) -> None:
        """Count what treatments did: (source, `TREATMENT.DEED`) -> records."""
        for (source, what), count in deeds.items():
            treatment, _, deed = what.partition(".")
            self._treated.labels(_value(source), _value(treatment), _value(deed)).inc(count)

    def feed(self, source: str, *, live: bool, watermark: float | None, parked: int, missing: int) -> None:
        """Say where a feed stands; `watermark`: Unix seconds of its newest record, None before the first."""
        name = _value(source)
        self._feed_live.labels(name).set(1 if live else 0)
        if watermark is not None:
            self._feed_watermark.labels(name).set(watermark)
        self._feed_parked.labels(name).set(parked)
        self._feed_missing.labels(name).set(missing)

    def deliveries(self, statuses: Mapping[tuple[str, str], int]) -> None:
        """Count decisions that ended: (channel, status) -> decisions; `indeterminate` ones twice."""
        for (channel, status), count in statuses.items():
            self._deliveries.labels(_value(channel), _value(status)).inc(count)
            if status == "indeterminate":
                self._indeterminate.inc(count)

    def deliveries_open(self, messages: int) -> None:
        """Say how many messages wait for their last receipt."""
        self._open.set(messages)

    # -- declarations ----------------------------------------------------------------------------------------

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        self._declare(f"{name}_total", labels)
        return Counter(PREFIX + name, f"{meaning}.", labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        self._declare(name, labels)
        return Gauge(PREFIX + name, f"{meaning}.", labels, registry=self.registry)

    def _histogram(
        self, name: str, meaning: str, bounds: tuple[float, ...], label: str = ""
    ) -> BatchHistogram:
        labels = (label,) if label else ()
        for end in ("_bucket", "_sum", "_count"):
            self._declare(name + end, (*labels, "le") if end == "_bucket" else labels)
        return BatchHistogram(PREFIX + name, f"{meaning}.", bounds, self.registry, label)

    def _declare(self, name: str, labels: tuple[str, ...]) -> None:
        assert LABELS.issuperset({*labels} - {"le"}), name
        self.labels[PREFIX + name] = labels


def apart(outcomes: Mapping[str, int]) -> dict[str, int]:
    """Return counts of the fold so that each record counts once: a part is taken out of its whole."""
    found = dict(outcomes)
    for part, whole in WITHIN.items():
        if part in outcomes and whole in found:
            found[whole] -= outcomes[part]
    return {outcome: count for outcome, count in found.items() if count}


@lru_cache(4096)
def _value(text: str) -> str:
    """Return the value of a label: whatever a caller hands in, no number of a person gets onto the page."""
    return redact(text)[:LABEL_AT_MOST]
