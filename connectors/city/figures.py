"""Measured figures behind the city: shapes by hour, distances, stays, lags. Shares are percent of a day."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, inf
from typing import Final

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

T3412: Final = 54 * MINUTE
"""Periodic update timer (3GPP TS 24.301, default): an idle phone reports itself after this much silence."""

# Calls and messages by hour 00 to 23: Nodobo (alisdair/nodobo-release; its licence stands beside the data),
# nodobo_hourly-weekday.csv and nodobo_hourly-weekend.csv, rounded to two decimals.
CALLS_WEEKDAY: Final = (
    1.41, 0.43, 0.27, 0.08, 0.02, 0.26, 1.50, 4.28, 4.48, 1.79, 2.29, 3.52,
    5.01, 5.00, 7.75, 9.86, 11.10, 9.42, 8.34, 6.21, 4.72, 4.10, 3.82, 4.35,
)  # fmt: skip
CALLS_WEEKEND: Final = (
    3.43, 3.02, 1.89, 0.79, 0.52, 0.23, 0.14, 0.61, 0.95, 2.19, 5.30, 5.98,
    5.98, 6.52, 6.99, 6.70, 9.38, 9.32, 7.85, 7.11, 3.88, 3.81, 3.81, 3.61,
)  # fmt: skip
TEXTS_WEEKDAY: Final = (
    2.54, 0.99, 0.51, 0.38, 0.30, 0.36, 0.75, 2.13, 3.37, 2.64, 3.94, 4.39,
    4.84, 4.71, 5.06, 6.70, 7.38, 7.61, 7.65, 7.08, 7.23, 7.11, 6.86, 5.48,
)  # fmt: skip
TEXTS_WEEKEND: Final = (
    3.84, 2.36, 1.13, 0.67, 0.35, 0.30, 0.36, 0.60, 0.92, 1.77, 3.75, 5.71,
    5.79, 6.61, 6.20, 7.04, 7.39, 7.59, 6.60, 6.91, 6.90, 6.45, 6.17, 4.60,
)  # fmt: skip

# Data by hour: measured 1.6 to 2.2 % at 1 to 5 h, 6 % at 7 h, about 5.2 % at 9 to 19 h, 3.7 % at 22 h; the
# hours between are interpolated. Updates, handovers and service requests follow the same shape.
DATA: Final = (
    2.6, 2.2, 1.9, 1.6, 1.6, 1.9, 3.6, 6.0, 5.4, 5.2, 5.2, 5.2,
    5.2, 5.2, 5.2, 5.2, 5.2, 5.2, 5.2, 5.2, 4.8, 4.4, 3.7, 3.1,
)  # fmt: skip
BUSY: Final = max(DATA)
"""Share of the busy hour: rates "per busy hour" are scaled by DATA[hour] / BUSY."""
ABOUT: Final[tuple[float, ...]] = tuple((share / BUSY) ** 6.5 for share in DATA)
"""Handovers by hour, of those of the busy hour: people who are up and about change cells, those at rest do
not. Stays at one cell are measured, too: 3, 12, 46, 150 min (p25, p50, p75, p90). That is some 25 changes of
cell a day, of which the busy hour has 3 or more: with as many in every hour stays would be far shorter."""

RESTLESS: Final = ((0.7, 1.2), (inf, 0.45))
"""How ready a phone is to change its cell again, by how long ago it did: (up to here, readiness), both
against a phone that is as ready at any time. So handovers come in rows, with longer stays between."""


def mean_rest(table: Sequence[tuple[float, float]]) -> float:
    """Return the mean time between two changes at the readiness of a table, in its units."""
    mean, start, left = 0.0, 0.0, 1.0
    for until, ready in table:
        after = left * exp(-ready * (until - start))
        mean += (left - after) / ready
        start, left = until, after
    return mean


# Quantile tables: (share of cases at or below, value). Between two rows values are interpolated.
Quantiles = Sequence[tuple[float, float]]

STEP_KM: Final[Quantiles] = (
    (0.0, 0.1), (0.25, 0.4), (0.5, 1.25), (0.75, 3.0), (0.84, 7.0), (0.9, 16.0), (1.0, 22.0),
)  # fmt: skip
"""Distance between two sites used one after the other, as it is drawn. Measured: 1.2, 2.5, 6, 15 km (p25,
p50, p75, p90); the table is lower, for where masts are far apart the next one is farther than that."""

STAY_MINUTES: Final[Quantiles] = (
    (0.0, 0.8),
    (0.25, 2.4),
    (0.5, 9.0),
    (0.75, 40.0),
    (0.9, 175.0),
    (1.0, 330.0),
)
"""How long an errand takes, as it is drawn. Measured: 3, 12, 46, 150 min (p25, p50, p75, p90). Shorter below
and longer above, for in a mall or at a station people are for 10 minutes at least, and what does not fit
into a day is left out."""

LAG_SECONDS: Final[Quantiles] = (
    (0.0, 0.2), (0.25, 1.0), (0.5, 4.7), (0.75, 37.0), (0.9, 270.0),
    (0.93, 430.0), (0.97, 1450.0), (0.99, 3500.0), (1.0, 7000.0),
)  # fmt: skip
"""How far a record that comes out of order lies behind. Measured between neighbours: p50 8.8 s, p90 280 s,
p99 54 min; short lags of the table are shorter, for one below the gap to the neighbour does not show."""

SESSION_SECONDS: Final[Quantiles] = (
    (0.0, 0.1),
    (0.5, 1.5),
    (0.75, 10.0),
    (0.9, 31.0),
    (0.99, 1020.0),
    (1.0, 5400.0),
)
"""Length of a data session record (measured p50 1.5 s, p99 17 min)."""

SESSION_BYTES: Final[Quantiles] = (
    (0.0, 4e3), (0.25, 6e4), (0.5, 4e5), (0.75, 3e6), (0.9, 1.5e7), (0.99, 1.2e8), (1.0, 4e8),
)  # fmt: skip
"""Bytes of a session. Assumed: some 0.3 GB a day; the measured set of 2015 is a thousand times smaller."""

CALL_SECONDS: Final[Quantiles] = (
    (0.0, 2.0),
    (0.25, 20.0),
    (0.5, 45.0),
    (0.75, 120.0),
    (0.95, 600.0),
    (1.0, 3600.0),
)
"""Length of an answered call (assumed)."""


def pick(table: Quantiles, u: float) -> float:
    """Read a quantile table at share `u` (0 to 1), straight lines between its rows."""
    low, at_low = table[0]
    for high, at_high in table:
        if u <= high:
            if high == low:
                return at_high
            return at_low + (at_high - at_low) * (u - low) / (high - low)
        low, at_low = high, at_high
    return at_low


def spread(table: Quantiles, rows: int = 1000) -> tuple[float, ...]:
    """Unroll a table into `rows` equally likely values: one index instead of a search per draw."""
    return tuple(pick(table, (i + 0.5) / rows) for i in range(rows))
