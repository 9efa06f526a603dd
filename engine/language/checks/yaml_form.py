"""R001: the file is YAML. What the parser complains of is put in the words of an author."""

from __future__ import annotations

import re
from typing import Final

from engine.language.checks.code import Check

CHECKS: Final = (
    Check(
        code="R001",
        meaning="the file is not valid YAML, or empty",
        bad="""
            who:
              arpu: >= 58 yuan
            """,
        good="""
            who:
              arpu: at least 58 yuan
            """,
        advice="""
            The report shows the place where reading stopped; what is wrong stands there or just before it.
            Nothing else of the file has been checked yet, so check again after the correction. The usual
            causes:

            - a tab, or a key that does not start in the column of its neighbours: indent with spaces
            - no space after `:`, or a wide `：`, `，`, `“` or `【` of a Chinese keyboard where YAML wants
              its own `:`, `,` and `"`
            - text with `: ` or ` #` in it, or that starts with `{`, `[`, `@`, `%`, `*` or `&`: put it in
              quotes
            - a quote, `{` or `[` that is never closed
            - `>` or `>=`: comparisons are written in words, `at least 58 yuan`
            """,
    ),
)

_COMPARISON = re.compile(r"[:\[,{]\s*[<>]=?")


def explain_yaml(said: str, line: str, column: int) -> str:
    """Say what an author probably did, from the parser's complaint and the line it stopped in."""
    if _COMPARISON.search(line[: column + 1]):
        return "write comparisons in words: `at least 58`, `at most 20%`, `not GoTone`"
    if "mapping values are not allowed" in said and ": " not in line[:column]:
        return "this line is indented deeper than its neighbours: the keys of one mapping start in one column"
    if "mapping values are not allowed" in said:
        return "text with `: ` in it must be quoted, or start on the next line after `|`"
    if "tab character" in said or "\t" in line[: column + 1] or "cannot start any token" in said:
        if "\t" in line[: column + 1]:
            return "indent with spaces, not with tabs"
        return "text that starts with a special character must be quoted"
    if "expected ',' or" in said:
        quote = "text with `{`, `[` or `,` in it must be quoted"
        return f"a `{{` or `[` is not closed, or a comma is missing; {quote}"
    if "quoted scalar" in said or "end of stream" in said:
        return "a quote is opened and not closed"
    if "':'" in said:
        return "a key needs `:` and a space after it"
    if "block mapping" in said or "expected <block end>" in said or "block end" in said:
        return "keys of one mapping must start in the same column"
    return ""
