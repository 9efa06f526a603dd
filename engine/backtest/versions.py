"""The part of the page that holds two versions of the rules against each other."""

from __future__ import annotations

from typing import Any

from engine.backtest.markup import Raw, Wide, fold, table, text, tiles

_LINES = 60
"""Lines shown of one file; report.json has them all."""


def versions(against: dict[str, Any], totals: dict[str, Any]) -> str:
    """Return the comparison; `totals`: of the new version."""
    people, before = against["subscribers"], against["totals_before"]
    head = (
        f"<h2>Against {text(against['folder'])}</h2>"
        f"<p class=soft>rules <code>{text(against['rules_hash'])}</code></p>"
    )
    figures: list[tuple[str, object]] = [
        ("offers", Raw(f"{against['offers_before']:,} → {against['offers']:,}")),
        ("subscribers gain", people["gain"]),
        ("subscribers lose", people["lose"]),
        ("gain one rule's, lose another's", people["both"]),
        ("same number, other moments", people["moved"]),
        ("parts of SMS", Raw(f"{before['sms_parts']:,} → {totals['sms_parts']:,}")),
    ]
    if totals["cost"] is not None and before["cost"] is not None:
        figures.append(("yuan", Raw(f"{before['cost']:,.2f} → {totals['cost']:,.2f}")))
    rows = [
        [
            rule["rule"],
            _status(rule),
            rule["offers_before"],
            rule["offers"],
            Raw(f'<span class="gain">+{rule["gain"]:,}</span>' if rule["gain"] else ""),
            Raw(f'<span class="loss">−{rule["lose"]:,}</span>' if rule["lose"] else ""),
            rule["moved"],
            Wide(_listed(rule["gained_over"])),
            Wide(_listed(rule["lost_to"])),
        ]
        for rule in against["rules"]
        if rule["offers"] or rule["offers_before"] or rule["status"] != rule["status_before"]
    ]
    names = ["rule", "status", "before", "now", "gain", "lose", "moved", "was there before", "is there now"]
    return head + tiles(figures) + table(names, rows) + _changes(against["changes"])


def _status(rule: dict[str, Any]) -> str:
    before, now = rule["status_before"] or "none", rule["status"] or "none"
    return before if before == now else f"{before} → {now}"


def _changes(files: list[dict[str, Any]]) -> str:
    if not files:
        return "<p class=soft>no file says anything else</p>"
    found = []
    for file in files:
        lines = file["lines"]
        inner = table(
            ["line", "key", "before", "now"],
            [[line["line"], line["key"], line["before"], line["after"]] for line in lines[:_LINES]],
        )
        more = f"<p class=soft>and {len(lines) - _LINES} more lines</p>" if len(lines) > _LINES else ""
        found.append(fold(f"{file['file']}: {file['status']}", inner + more if lines else ""))
    return "<h3>What was changed</h3>" + "".join(found)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
