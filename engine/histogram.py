"""A histogram that takes a batch of values at a time; prometheus_client's own takes one, under a lock."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry
from prometheus_client.utils import floatToGoString


class BatchHistogram(Collector):
    """Counts values by bucket, for each value of at most one label.

    `bounds`: upper ends of the buckets, ascending, in the unit of the name; values above the last are counted
    in `+Inf`.
    """

    def __init__(
        self, name: str, meaning: str, bounds: Sequence[float], registry: CollectorRegistry, label: str = ""
    ) -> None:
        self._family = (name, meaning, [label] if label else [])
        self._bounds = list(bounds)
        self._ends = [*map(floatToGoString, bounds), "+Inf"]
        self._counts: dict[str, list[int]] = {}
        self._sums: dict[str, float] = {}
        if not label:
            self.observe(())
        registry.register(self)

    def observe(self, values: Iterable[float], of: str = "") -> None:
        """Count a batch of values; `of`: value of the label, if there is one."""
        counts = self._counts.setdefault(of, [0] * len(self._ends))
        total = self._sums.get(of, 0.0)
        bounds = self._bounds
        for value in values:
            counts[bisect_left(bounds, value)] += 1
            total += value
        self._sums[of] = total

    def describe(self) -> Iterator[HistogramMetricFamily]:
        """Yield the family without values: what the registry knows names by."""
        name, meaning, labels = self._family
        yield HistogramMetricFamily(name, meaning, labels=labels)

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield the family with what was counted until now."""
        name, meaning, labels = self._family
        family = HistogramMetricFamily(name, meaning, labels=labels)
        for of, counts in self._counts.items():
            running, buckets = 0, []
            for end, count in zip(self._ends, counts, strict=True):
                running += count
                buckets.append((end, float(running)))
            family.add_metric([of] if labels else [], buckets, self._sums[of])
        yield family
