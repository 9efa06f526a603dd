"""Which hour had the most offers."""

from __future__ import annotations

from engine.backtest.hours import busiest


def test_the_busiest_hour_is_the_first_of_those_with_most_offers() -> None:
    hours = [{"hour": name, "offers": offers} for name, offers in (("a", 2), ("b", 5), ("c", 5), ("d", 1))]
    assert busiest(hours) == hours[1]
    assert busiest([]) is None
