"""`report.html`: the report as one page that needs nothing else, readable on a phone."""

from __future__ import annotations

from typing import Any

from engine.backtest.markup import STYLE, Raw, Right, Wide, bar, bars, fold, table, text, tiles
from engine.backtest.report import OUTCOMES, Report
from engine.backtest.versions import versions

_HEAD = (
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
)
_SHOWN = 20
"""Hours in the table of the busiest."""


def page(report: Report) -> str:
    """Return the page. The same report gives the same page."""
    against = report["against"]
    parts = [
        _head(report),
        versions(against, report["totals"]) if against is not None else "",
        _rules(report),
        _hours(report),
        _reasons(report),
        _overlap(report),
        "<h2>Rule by rule</h2>",
        *(_rule(rule) for rule in report["rules"] if "matches" in rule),
    ]
    body = "\n".join(part for part in parts if part)
    return (
        f'<!doctype html>\n<html lang="en"><head>{_HEAD}<title>touchpoint backtest</title>'
        f"<style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def yuan(amount: float | None) -> str | None:
    """Write an amount of money with two decimals at least."""
    if amount is None:
        return None
    return f"{amount:,.2f}" if round(amount, 2) == amount else f"{amount:,.4f}"


def _head(report: Report) -> str:
    totals, records = report["totals"], report["records"]
    span = f"{report['first']} to {report['last']}" if report["first"] else "no records"
    figures: list[tuple[str, object]] = [
        ("records read", records["read"]),
        ("subscribers", report["subscribers"]),
        ("matches", totals["matches"]),
        ("offers", totals["offer"]),
        ("subscribers with an offer", totals["subscribers_offered"]),
        ("parts of SMS", totals["sms_parts"]),
    ]
    if totals["cost"] is not None:
        figures.append(("yuan for messages", yuan(totals["cost"])))
    lost = [
        f"{records[fate]:,} records {said}"
        for fate, said in (("refused", "were refused: deadletters.jsonl"), ("late", "came too late"))
        if records[fate]
    ]
    unread = f'<p class="warn">{"; ".join(lost)}</p>' if lost else ""
    return (
        f"<h1>Backtest</h1><p class=soft>{text(span)} · {text(report['timezone'])} · rules "
        f"<code>{text(report['rules_hash'])}</code></p>{unread}{tiles(figures)}"
    )


def _rules(report: Report) -> str:
    most = max((rule.get("offer", 0) for rule in report["rules"]), default=0)
    priced = report["totals"]["cost"] is not None
    rows: list[list[object]] = []
    for rule in report["rules"]:
        if "matches" not in rule:
            rows.append([rule["rule"], rule["status"], *[None] * (6 + len(OUTCOMES) + priced)])
            continue
        row = [rule["rule"], rule["status"], bar(rule["offer"], most)]
        row += [rule[outcome] for outcome in OUTCOMES]
        row += [rule["refused"], rule["matches"], rule["subscribers_matched"], rule["subscribers_offered"]]
        rows.append([*row, rule["sms_parts"], *([Right(yuan(rule["cost"]) or "?")] if priced else [])])
    head = ["rule", "status", "", *OUTCOMES, "refused", "matches", "by", "offered to", "SMS parts"]
    return "<h2>Rules</h2>" + table([*head, *(["yuan"] if priced else [])], rows)


def _hours(report: Report) -> str:
    if not report["hours"]:
        return "<h2>Offers by hour</h2><p class=soft>no offers</p>"
    top = sorted(report["hours"], key=lambda hour: (-hour["offers"], hour["hour"]))[:_SHOWN]
    most = top[0]["offers"]
    rows = [
        [hour["hour"], hour["offers"], bar(hour["offers"], most), Wide(_listed(hour["rules"]))]
        for hour in top
    ]
    return (
        "<h2>Offers by hour</h2>"
        + bars(report["hours_of_day"], "offers by hour of the day")
        + table(["busiest hours", "offers", "", "by rule"], rows)
    )


def _reasons(report: Report) -> str:
    refused = report["totals"]["refused_by"]
    if not refused:
        return ""
    most = max(refused.values())
    return "<h2>Refused because</h2>" + table(
        ["reason", "times", ""], [[reason, n, bar(n, most)] for reason, n in refused.items()]
    )


def _overlap(report: Report) -> str:
    if not report["overlap"]:
        return "<h2>Overlap</h2><p class=soft>no two rules passed at one moment</p>"
    names = sorted({name for pair in report["overlap"] for name in pair["rules"]})
    cells: dict[tuple[str, str], str] = {}
    for pair in report["overlap"]:
        one, other = pair["rules"]
        for row, column in ((one, other), (other, one)):
            cells[row, column] = f"{pair['won'][row]:,} of {pair['together']:,}"
    rows = [
        [row, *("·" if row == column else cells.get((row, column), "") for column in names)] for row in names
    ]
    said = "How often the rule of the line won over that of the column, of the moments at which both passed."
    return f"<h2>Overlap</h2><p class=soft>{said}</p>" + table(["", *names], rows)


def _rule(rule: dict[str, Any]) -> str:
    parts = [f"<p>{text(rule['title'])}</p>", _funnel(rule)]
    if rule["lost_to"]:
        rows = [[lost["rule"], lost["outcome"], lost["times"]] for lost in rule["lost_to"]]
        parts.append("<h3>Lost to</h3>" + table(["rule taken instead", "as", "times"], rows))
    if rule["blocked_by"]:
        rows = [[block["gate"], block["rule"], block["times"]] for block in rule["blocked_by"]]
        parts.append("<h3>Blocked by earlier offers</h3>" + table(["gate", "an offer of", "refusals"], rows))
    parts += [_near(near) for near in rule["near"]]
    parts.append(_sends(rule))
    return fold(f"{rule['rule']}: {rule['matches']:,} matches, {rule['offer']:,} offers", "".join(parts))


def _funnel(rule: dict[str, Any]) -> str:
    start = rule["matches"] + rule["hold_ends"]
    if not start:
        return "<p class=soft>no match</p>"
    ends = f" and {rule['hold_ends']:,} hold ends" if rule["hold_ends"] else ""
    rows: list[list[object]] = [[f"matches{ends}", None, start, bar(start, start)]]
    rows += [
        [step["gate"], step["refused"], step["left"], bar(step["left"], start)] for step in rule["funnel"]
    ]
    return "<h3>Gates</h3>" + table(["gate", "refused", "left", ""], rows)


def _near(near: dict[str, Any]) -> str:
    head = f"<h3>Near: <code>{text(near['where'])}: {text(near['pattern'])}</code></h3>"
    if not near["near"]:
        return head + "<p class=soft>nobody stayed below the mark</p>"
    most = max(row["subscribers"] for row in near["near"])
    timed = any("times" in row for row in near["near"])
    rows = [
        [row["text"], row["subscribers"], bar(row["subscribers"], most), *([row["times"]] if timed else [])]
        for row in near["near"]
    ]
    what = {"stays": "visits", "waits": "waits"}.get(near["kind"], "")
    shown = table(["came as far as", "subscribers", "", *([what] if timed else [])], rows)
    if near["what_if"]:
        ifs = [[row["text"], Raw(f"+{row['more']:,}")] for row in near["what_if"]]
        shown += table(["if it were", "matches"], ifs)
    return head + shown


def _sends(rule: dict[str, Any]) -> str:
    holdout = rule["holdout"]
    number = holdout["control"] + holdout["treatment"]
    found = "nobody yet" if holdout["found"] is None else f"{holdout['found']:.2%} of {number:,}"
    odd = ' <span class="warn">unlikely by chance</span>' if holdout["unlikely"] else ""
    sent = f"Sent by: {_listed(rule['channels'])}" if rule["channels"] else "Nothing sent"
    split = ", ".join(f"{offers:,} of {parts} parts" for parts, offers in rule["parts"].items())
    return (
        f"<h3>Sends</h3><p>{text(sent)}{'; SMS: ' + text(split) if split else ''}</p>"
        f"<p>Held out: {text(found)}; configured {holdout['configured']:.2%}{odd}</p>"
        + (bars(rule["hours_of_day"], "offers by hour of the day") if rule["offer"] else "")
    )


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
