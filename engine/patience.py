"""How long the dispatcher waits for what, and how much it takes at a time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the dispatcher waits for what, and how much it takes at a time. Times in µs."""

    claim_us: int = 600_000_000
    """From the claim to its end as `indeterminate`, if nothing was heard."""
    unmatched_us: int = 600_000_000
    """How long a receipt waits for its decision to be known."""
    retry_us: int = 500_000
    """First pause after an error; doubled up to `retry_most_us`."""
    retry_most_us: int = 30_000_000
    sweep_us: int = 5_000_000
    """Between two looks for what is overdue."""
    keep_us: int = 1_000_000
    """Between two writes of how far the queue was sent."""
    submit_s: float = 30
    """Seconds until the answer to a submit is given up: its fate is then unknown."""
    batch: int = 64
    """Offers per pass."""
    at_a_time: int = 64
    """Submits under way at once."""
    waiting: int = 100_000
    """Offers held in memory: beyond it no more are taken."""
