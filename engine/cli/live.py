"""What `touchpoint run` shows: a live table on a terminal, plain lines elsewhere, a summary at the end."""

from __future__ import annotations

import time
from collections import Counter, deque
from datetime import datetime
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from engine.app import MORNING, Embedded
from engine.emit import Decision

OUTCOMES = ("offer", "held", "control", "shadow", "refused")
_STYLES = {"offer": "green", "held": "yellow", "control": "cyan", "shadow": "magenta", "refused": "dim"}
_BALANCED = "every record and every offer is accounted for"
LINES_PER_PASS = 5
"""Offers printed per pass where the output is no terminal: a log for people, the rest is in the files."""


class Screen(Console):
    """A console that leaves it to the program what a reader who has gone means (exit code 141)."""

    def on_broken_pipe(self) -> None:
        """Go on raising what was caught."""
        raise BrokenPipeError


class Display:
    """Follows a run: feed it decisions, call `refresh` after each slice."""

    def __init__(self, run: Embedded, console: Console) -> None:
        self.run = run
        self.console = console
        self.offers: deque[Decision] = deque(maxlen=8)
        self.fresh: list[Decision] = []
        self.began = time.monotonic()
        self.live: Live | None = None
        self._refreshed = 0.0

    def __enter__(self) -> Display:
        if self.console.is_terminal:
            self.live = Live(self._screen(), console=self.console, refresh_per_second=8)
            self.live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live is not None:
            self.live.update(self._screen(), refresh=True)
            self.live.__exit__(None, None, None)

    def decided(self, decisions: list[Decision]) -> None:
        """Take in committed decisions."""
        for decision in decisions:
            if decision["outcome"] == "offer":
                self.offers.append(decision)
                self.fresh.append(decision)

    def refresh(self) -> None:
        """Show where the run stands: at most eight times a second."""
        now = time.monotonic()
        if self.live is None:
            for decision in self.fresh[:LINES_PER_PASS]:
                self.console.print(line_of(decision), markup=False, highlight=False, soft_wrap=True)
            if len(self.fresh) > LINES_PER_PASS:
                more = len(self.fresh) - LINES_PER_PASS
                self.console.print(f"              … and {more} more offers", markup=False)
            self.fresh.clear()
        elif now - self._refreshed > 0.125:
            self._refreshed = now
            self.live.update(self._screen())

    def tell(self, text: str) -> None:
        """Print something beside the offers, at once."""
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _screen(self) -> Group:
        seconds = max(time.monotonic() - self.began, 0.001)
        outcomes = self.run.outcomes
        head = Text.assemble(
            ("touchpoint ", "bold"),
            f"city clock {clock(self.run.now)}  ·  {self.run.read:,} records, "
            f"{self.run.read / seconds:,.0f}/s"
            f"  ·  late {outcomes['late']:,}, copies {outcomes['duplicate']:,}"
            f"  ·  {self.run.dispatcher.statuses['delivered']:,} of {self.run.dispatcher.taken:,} delivered",
        )
        side = Table.grid(padding=(0, 2))
        rows = max(4, self.console.size.height - 15)
        side.add_row(rules_table(self.run.counts, rows), reasons_table(self.run.counts, rows))
        offers = "\n".join(line_of(d) for d in self.offers) or "(quiet until 09:00; offers are held)"
        return Group(
            head, side, Panel(Text(offers, no_wrap=True, overflow="ellipsis"), title="latest offers")
        )


def clock(time_us: int) -> str:
    """Write a time of the city, Shanghai."""
    return datetime.fromtimestamp(time_us / 1e6, MORNING.tzinfo).strftime("%a %H:%M:%S")


def line_of(decision: Decision) -> str:
    """One offer in one line: when, rule, place, channel, text, and why."""
    values = decision["values"]
    why = ", ".join(f"{k.removeprefix('who.')}={v}" for k, v in values.items() if k.startswith("who."))
    place = f" @{decision['place']}" if decision["place"] else ""
    text = (decision["text"] or "").replace("\n", " ")
    head = f"{clock(decision['at'])} {decision['rule']}{place} [{decision['channel']}]"
    return f"{head} {text}  ({why or 'anyone'})"


def rules_table(counts: Counter[tuple[str, str]], rows: int | None = None) -> Table:
    """Decisions by rule and outcome, most offers first."""
    table = Table(title="decisions by rule", title_justify="left", box=None, padding=(0, 1))
    table.add_column("rule")
    for outcome in OUTCOMES:
        table.add_column(outcome, justify="right", style=_STYLES[outcome])
    per_rule: dict[str, Counter[str]] = {}
    for (rule, fate), count in counts.items():
        per_rule.setdefault(rule, Counter())[fate.partition(":")[0]] += count
    ranked = sorted(per_rule.items(), key=lambda item: (-item[1]["offer"], item[0]))
    for rule, by in ranked[:rows]:
        table.add_row(rule, *(f"{by[outcome]:,}" if by[outcome] else "" for outcome in OUTCOMES))
    return table


def reasons_of(counts: Counter[tuple[str, str]]) -> Counter[str]:
    """Refusals by reason, over all rules."""
    reasons: Counter[str] = Counter()
    for (_, fate), count in counts.items():
        if fate.startswith("refused:"):
            reasons[fate.removeprefix("refused:")] += count
    return reasons


def reasons_table(counts: Counter[tuple[str, str]], rows: int | None = None) -> Table:
    """Refusals by reason, most first."""
    table = Table(title="refused because", title_justify="left", box=None, padding=(0, 1))
    table.add_column("reason")
    table.add_column("", justify="right")
    for reason, count in reasons_of(counts).most_common(rows):
        table.add_row(reason, f"{count:,}")
    return table


def summary_of(run: Embedded, seconds: float) -> dict[str, Any]:
    """Return the closing figures; `balanced` says that nothing went missing on the way."""
    outcomes, statuses = run.outcomes, run.dispatcher.statuses
    fates: Counter[str] = Counter()
    for (_, fate), count in run.counts.items():
        fates[fate.partition(":")[0]] += count
    refused = sum(run.intake.refused.values())
    # beside the feed's records the log holds profiles, receipts, and in every partition ticks and switches
    own = outcomes["ticks"] + run.profiles + run.dispatcher.receipts + run.changes * len(run.lanes)
    applied = outcomes["applied"] - own
    records = {
        "read": run.read,
        "applied": applied,
        "duplicate": outcomes["duplicate"],
        "late": outcomes["late"],
        "refused": refused,
    }
    offers = run.dispatcher.taken
    balanced = (
        run.read == applied + outcomes["duplicate"] + outcomes["late"] + refused
        and fates["offer"] == offers
        and offers == sum(statuses.values()) + len(run.dispatcher.open)
    )
    people, size = run.store.size()
    return {
        "city_clock": clock(run.now),
        "seconds": round(seconds, 1),
        "records_per_second": round(run.read / seconds) if seconds else 0,
        "records": records,
        "decisions": dict(fates),
        "offers_by_end": {**statuses, "open": len(run.dispatcher.open)},
        "rules_with_offers": len({rule for (rule, fate) in run.counts if fate == "offer"}),
        "refusal_reasons": len(reasons_of(run.counts)),
        "subscribers": people,
        "state_bytes_mean": round(size / people) if people else 0,
        "balanced": balanced,
    }


def print_summary(run: Embedded, summary: dict[str, Any], console: Console) -> None:
    """Print the closing figures for people."""
    records, ends = summary["records"], summary["offers_by_end"]
    if not console.is_terminal:
        console.print()
        console.print(rules_table(run.counts))
        console.print(reasons_table(run.counts, 30))
    console.print()
    lines = (
        f"city clock  {summary['city_clock']} after {summary['seconds']} s, "
        f"{summary['records_per_second']:,} records/s",
        f"records     read {records['read']:,} = applied {records['applied']:,} + duplicate "
        f"{records['duplicate']:,} + late {records['late']:,} + refused {records['refused']:,}",
        "decisions   " + ", ".join(f"{name} {count:,}" for name, count in summary["decisions"].items()),
        "offers      "
        + ", ".join(f"{name} {count:,}" for name, count in ends.items() if count)
        + f"; by {summary['rules_with_offers']} rules, {summary['refusal_reasons']} reasons of refusal",
        f"state       {summary['subscribers']:,} subscribers, {summary['state_bytes_mean']:,} bytes each",
        f"balance     {_BALANCED if summary['balanced'] else 'DOES NOT ADD UP'}",
        f"files       {run.out}/messages.jsonl decisions.jsonl deadletters.jsonl summary.json",
    )
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
