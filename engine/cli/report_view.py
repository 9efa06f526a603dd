"""The report of a replay as tables in the terminal."""

from __future__ import annotations

from typing import Any

from engine.backtest.page import yuan
from engine.backtest.report import OUTCOMES, Report
from engine.cli.console import say, table

_ROWS = 12
"""Rows of a list; report.json has them all."""
_WIDE = 24
"""Blocks of the longest bar."""

Row = list[object]


def show_report(report: Report) -> None:
    """Print the report, the comparison last."""
    _rules(report)
    _reasons(report)
    _funnels(report)
    _hours(report)
    _overlap(report)
    _blocked(report)
    _near(report)
    _holdouts(report)
    if report["against"] is not None:
        _against(report)


def _rules(report: Report) -> None:
    priced = report["totals"]["cost"] is not None
    rows: list[Row] = []
    for rule in report["rules"]:
        if "matches" in rule:
            row = [rule["rule"], rule["matches"], rule["subscribers_matched"]]
            row += [rule[outcome] for outcome in OUTCOMES]
            row += [rule["refused"], rule["subscribers_offered"], rule["sms_parts"]]
            rows.append([*row, *([yuan(rule["cost"]) or "?"] if priced else [])])
    if not rows:
        say("no rule is live or in shadow")
        return
    totals = report["totals"]
    last = ["all rules", totals["matches"], totals["subscribers_judged"]]
    last += [totals[outcome] for outcome in OUTCOMES]
    last += [totals["refused"], totals["subscribers_offered"], totals["sms_parts"]]
    rows.append([*last, *([yuan(totals["cost"])] if priced else [])])
    head = ["rule", "matches", "by", *OUTCOMES, "refused", "offered to", "SMS parts"]
    table([*head, *(["yuan"] if priced else [])], rows)


def _reasons(report: Report) -> None:
    refused = report["totals"]["refused_by"]
    if refused:
        say()
        _list(("refused because", "number"), [[reason, number] for reason, number in refused.items()])


def _funnels(report: Report) -> None:
    rows: list[Row] = []
    for rule in report["rules"]:
        name = rule["rule"]
        for step in rule.get("funnel", ()):
            rows.append([name, step["gate"], step["refused"], step["left"]])
            name = ""
    if rows:
        say()
        table(("gate by gate", "gate", "refused", "left"), rows)


def _hours(report: Report) -> None:
    busiest = report["busiest"]
    if busiest is None:
        return
    say()
    each = report["hours_of_day"]
    most = max(each)
    table(
        ("hour of the day", "offers", ""),
        [[f"{hour:02}:00", n, "█" * max(round(_WIDE * n / most), 1)] for hour, n in enumerate(each) if n],
    )
    say(f"busiest: {busiest['hour']}, {busiest['offers']:,} offers ({_listed(busiest['rules'])})")


def _overlap(report: Report) -> None:
    if not report["overlap"]:
        return
    say()
    rows: list[Row] = []
    for pair in report["overlap"]:
        one, other = pair["rules"]
        rows.append([f"{one} + {other}", pair["together"], pair["won"][one], pair["won"][other]])
    _list(("both passed", "times", "first won", "second won"), rows)


def _blocked(report: Report) -> None:
    rows: list[Row] = []
    for rule in report["rules"]:
        for lost in rule.get("lost_to", ()):
            rows.append([rule["rule"], "arbitration", f"{lost['rule']} ({lost['outcome']})", lost["times"]])
        for block in rule.get("blocked_by", ()):
            rows.append([rule["rule"], block["gate"], f"{block['rule']} (offer)", block["times"]])
    if rows:
        say()
        _list(("lost by", "gate", "to", "times"), rows)


def _near(report: Report) -> None:
    rows: list[Row] = []
    lower: list[Row] = []
    for rule in report["rules"]:
        for near in rule.get("near", ()):
            label = f"{rule['rule']}, {near['where']}"
            for row in near["near"][:3]:
                rows.append([label, row["text"], row["subscribers"]])
                label = ""
            if near["what_if"]:
                first = near["what_if"][0]
                lower.append([rule["rule"], near["where"], first["text"], f"+{first['more']:,}"])
    if rows:
        say()
        table(("nearest misses", "came as far as", "subscribers"), rows)
    if lower:
        say()
        table(("if it were lower", "where", "", "matches"), lower)


def _holdouts(report: Report) -> None:
    rows: list[Row] = []
    for rule in report["rules"]:
        holdout = rule.get("holdout")
        if holdout and holdout["found"] is not None:
            found, share = f"{holdout['found']:.1%}", f"{holdout['configured']:.1%}"
            odd = "unlikely by chance" if holdout["unlikely"] else ""
            rows.append([rule["rule"], holdout["treatment"], holdout["control"], found, share, odd])
    if rows:
        say()
        table(("subscribers of", "treatment", "control", "held out", "configured", ""), rows)


def _against(report: Report) -> None:
    against: dict[str, Any] = report["against"]
    people = against["subscribers"]
    say(f"\nagainst {against['folder']}:")
    say(
        f"{against['offers_before']:,} offers before, {against['offers']:,} now; subscribers: "
        f"{people['gain']:,} gain, {people['lose']:,} lose, {people['both']:,} do both, "
        f"{people['moved']:,} get them at other moments"
    )
    before, now = against["totals_before"], report["totals"]
    if before["cost"] is not None and now["cost"] is not None:
        say(f"{yuan(before['cost'])} yuan before, {yuan(now['cost'])} now")
    rows: list[Row] = [
        [rule["rule"], rule["offers_before"], rule["offers"], rule["gain"], rule["lose"], rule["moved"]]
        for rule in against["rules"]
        if rule["offers"] or rule["offers_before"]
    ]
    if rows:
        table(("offers of", "before", "now", "gain", "lose", "moved"), rows)
    why: list[Row] = []
    for rule in against["rules"]:
        why += [[rule["rule"], "gain", f"before: {other}", n] for other, n in rule["gained_over"].items()]
        why += [[rule["rule"], "lose", f"now: {other}", n] for other, n in rule["lost_to"].items()]
    if why:
        say()
        _list(("instants of", "", "the other version said", "number"), why)
    _changes(against["changes"])


def _changes(files: list[dict[str, Any]]) -> None:
    if not files:
        say("\nno file says anything else")
        return
    rows: list[Row] = []
    for file in files:
        if not file["lines"]:
            rows.append([file["file"], file["status"], "", ""])
        for line in file["lines"]:
            place = f"{file['file']}:{line['line']}"
            rows.append([place, line["key"], line["before"] or "", line["after"] or ""])
    say()
    _list(("changed", "key", "before", "now"), rows)


def _list(head: tuple[str, ...], rows: list[Row]) -> None:
    table(head, rows[:_ROWS])
    if len(rows) > _ROWS:
        say(f"and {len(rows) - _ROWS:,} more in report.json")


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
