"""R001: the file is YAML. What the parser complains of is put in the words of an author."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from engine.language.checks.code import Check
from engine.language.complaint import Complaint, Fault
from engine.language.outer_form import OUTER, long_key
from engine.language.suggest import LOOK_ALIKES, look_alike

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
            The report shows where the mistake is, or the place where reading could not go on; then it stands
            just before. The section with it has not been checked further, so check again after the
            correction. The usual causes:

            - a tab, or a key that does not start in the column of its neighbours: indent with spaces
            - no space after `:` or after the `-` of a list
            - a wide `：` or `，`, a curly `“`, a space that is none: Chinese keyboards and word processors
              write them where YAML wants its own `:`, `,`, `"` and space
            - text with `: ` in it, or that starts with `{`, `[`, `@`, `%`, `*` or `&`: put it in quotes
            - a quote, `{` or `[` that is never closed
            - `>` or `>=`: comparisons are written in words, `at least 58 yuan`
            """,
    ),
)


def diagnose(complaint: Complaint) -> Fault:
    """Find what an author probably did."""
    for ask in _DOCTORS:
        fault = ask(complaint)
        if fault is not None:
            return fault
    return Fault(complaint.line, complaint.column, complaint.column, complaint.said)


_COMPARISON = re.compile(r"[:\[,{]\s*[<>]=?\s*[0-9]")
_NO_SPACE = re.compile(r"\s*(?:- +)*[\w.]+(:)[^\s:/]")
_NO_SPACE_DASH = re.compile(r"\s*(?:- +)*(-)[^\s\-0-9]")
_KEY = re.compile(r"\s*(?:- +)*[^\s#\"'{}\[\]][^:#]*:(?:\s|$)")
_CONFLICT = re.compile(r"(?:<{7}|={7}|>{7})(?:\s|$)")
_CUT = re.compile(r"\s(#)[^\s#]")
_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{0,2}|u[0-9a-fA-F]{0,4}|U[0-9a-fA-F]{0,8}|[^xuU])")
_HEX_DIGITS: Final = {"x": 2, "u": 4, "U": 8}
_BLOCK_TEXT = re.compile(r"[:\-] [|>][-+0-9]*[ \t]+[^\s#]")


def _conflict(at: Complaint) -> Fault | None:
    for number in _around(at):
        if _CONFLICT.match(at.lines[number]):
            said = "this line is left over from a conflict between two versions"
            return Fault(number, 0, 7, said, "keep one of the two versions and delete the marks")
    return None


def _comparison(at: Complaint) -> Fault | None:
    found = _COMPARISON.search(at.text)
    if found is None or found.start() > at.column:
        return None
    hint = "write comparisons in words: `at least 58`, `at most 20%`, `not GoTone`"
    return Fault(at.line, at.column, at.column, "`>` and `<` are signs of YAML itself", hint)


def _tab(at: Complaint) -> Fault | None:
    tab = at.text.find("\t", 0, at.column + 1)
    if tab < 0 or at.text[:tab].strip():
        return None
    return Fault(at.line, tab, tab + 1, "a tab stands where the line is indented", "indent with spaces")


def _wide(at: Complaint) -> Fault | None:
    """A character that only looks like one of YAML's own, where that one belongs."""
    for number in _around(at):
        stop = at.column if number == at.line and "expected ',' or" in at.said else None
        found = look_alike(at.lines[number], stop)
        if found is not None:
            char = at.lines[number][found]
            mark, name = LOOK_ALIKES[char]
            said = f"`{char}` (U+{ord(char):04X}) is {name}" if char.isprintable() else f"here is {name}"
            space = " and a space" if mark in ":-" else ""
            hint = f"write `{mark}`{space}" if mark.strip() else "write a plain space"
            return Fault(number, found, found + 1, said, hint if mark else "delete it")
    return None


def _no_space(at: Complaint) -> Fault | None:
    if "mapping values" not in at.said and "':'" not in at.said and "'-'" not in at.said:
        return None
    for number in _around(at):
        for pattern, said in ((_NO_SPACE, "a key needs a space after its `:`"),
                              (_NO_SPACE_DASH, "a list needs a space after its `-`")):  # fmt: skip
            found = pattern.match(at.lines[number])
            if found is not None:
                return Fault(number, found.start(1), found.end(1), said, "put a space there")
    return None


def _no_colon(at: Complaint) -> Fault | None:
    """A line without a key, which YAML takes for text that goes on below."""
    if "mapping values" not in at.said and "':'" not in at.said:
        return None
    suspects = _around(at) if "':'" in at.said else [at.above()]
    for number in suspects:
        line = at.lines[number] if number is not None else ""
        if (
            number is not None
            and line.strip()
            and not _KEY.match(line)
            and not line.lstrip().startswith("- ")
        ):
            start = len(line) - len(line.lstrip())
            said = "this line is no key with a value"
            return Fault(number, start, len(line.rstrip()), said, "write `KEY: VALUE`, with `:` and a space")
    return None


def _colon_in_text(at: Complaint) -> Fault | None:
    if "mapping values" not in at.said:
        return None
    if re.search(r":\s", at.text[: at.column]):
        said = "this `:` stands in the middle of a text"
        hint = "text with `: ` in it must be quoted, or start on the next line after `|`"
        return Fault(at.line, at.column, at.column + 1, said, hint)
    hint = "the keys of one mapping start in one column"
    start = len(at.text) - len(at.text.lstrip())
    return Fault(at.line, start, start, "this line is indented deeper than its neighbours", hint)


def _quotes(at: Complaint) -> Fault | None:
    if "quoted scalar" in at.said or "end of stream" in at.said:
        where = at.opened or (at.line, at.column)
        return Fault(*where, where[1] + 1, "a quote is opened here and not closed", "close it")
    if "escape" in at.said or "hexdecimal" in at.said:
        return _escape(at)
    before = at.text[: at.column].rstrip()
    if "expected key" not in at.said or not before or before[-1] not in "\"'}]":
        return None
    if at.text[at.column : at.column + 1] in ("}", "]"):
        return Fault(
            at.line, at.column, at.column + 1, f"this `{at.text[at.column]}` closes nothing", "delete it"
        )
    if before[-1] in "}]":
        start = "{" if before[-1] == "}" else "["
        hint = f"text that starts with `{start}` must be quoted"
        return Fault(at.line, at.column, at.column, f"here text goes on behind the `{before[-1]}`", hint)
    said = "the quoted text ends before this, but the line goes on"
    hint = "quote the whole text; a quote inside is written twice (`''`), or `\\\"` between double quotes"
    return Fault(at.line, at.column, at.column, said, hint)


def _escape(at: Complaint) -> Fault:
    """What follows a `\\` and is none of YAML's escapes, or one that stands for nothing."""
    found = next((each for each in _ESCAPE.finditer(at.text) if each.start() <= at.column < each.end() + 1),
                 None)  # fmt: skip
    start, end = (at.column, at.column + 2) if found is None else found.span()
    written = at.text[start:end]
    digits = _HEX_DIGITS.get(written[1:2])
    if digits is None:
        hint = "write `\\\\` for a backslash, or use single quotes"
        return Fault(at.line, start, end, f"`{written}` means nothing between double quotes", hint)
    if len(written) < digits + 2:
        said = f"`{written[:2]}` needs {digits} digits, was `{written}`"
        return Fault(at.line, start, end, said, "write the character itself; `\\\\` is a backslash")
    said = f"`{written}` stands for no character"
    return Fault(at.line, start, end, said, "delete it, or write the character itself")


def _brackets(at: Complaint) -> Fault | None:
    if "node content" in at.said and at.text[at.column : at.column + 1] in (",", "]", "}"):
        said = f"there is nothing before this `{at.text[at.column]}`"
        return Fault(at.line, at.column, at.column + 1, said, "delete the comma, or write what is missing")
    if "expected ',' or" not in at.said:
        return None
    quote = "text with `{`, `[` or `,` in it must be quoted"
    if at.opened is not None and (at.opened[0] < at.line or at.column >= len(at.text.rstrip())):
        line, column = at.opened
        char = at.lines[line][column]
        cut = _CUT.search(at.lines[line], column)
        if cut is not None:
            said = f"this `#` opens a comment, so the `{char}` before it is not closed"
            return Fault(line, cut.start(1), cut.end(1), said, "text with ` #` in it must be quoted")
        return Fault(line, column, column + 1, f"this `{char}` is not closed", f"close it; {quote}")
    return Fault(at.line, at.column, at.column, "a comma is missing before this", f"write it; {quote}")


def _signs(at: Complaint) -> Fault | None:
    """Text that starts with a sign of YAML."""
    if _BLOCK_TEXT.search(at.text) and "comment or line break" in at.said:
        said = "a text after `|` or `>` starts on the next line"
        return Fault(at.line, at.column, at.column, said, "go on below, indented deeper")
    if "start any token" in at.said:
        return _no_text(at, at.line, at.column)
    if "alphabetic or numeric" in at.said and at.opened is not None:
        return _no_text(at, *at.opened)
    return None


def _no_text(at: Complaint, line: int, column: int) -> Fault:
    char = at.lines[line][column : column + 1]
    named = "a backtick" if char == "`" else f"`{char}`"
    hint = f"text that starts with {named} must be quoted"
    return Fault(line, column, column + 1, f"no text starts with {named}", hint)


def _columns(at: Complaint) -> Fault | None:
    """Lines that start in a column of their own."""
    if "'-'" in at.said:
        said = "a list goes on here, but this line has no `-`"
        hint = "start a new member with `- `, or put the key under the first key of its member"
        return Fault(at.line, at.column, at.column, said, hint)
    if "expected key" in at.said and at.text[at.column : at.column + 1] == ":":
        return Fault(at.line, at.column, at.column + 1, "there is no key before this `:`", "write the key")
    if "expected key" in at.said or "block" in at.said:
        said = "this line starts in a column where none of the keys around it starts"
        return Fault(at.line, at.column, at.column, said, "the keys of one mapping start in one column")
    return None


_DOCTORS: Final[tuple[Callable[[Complaint], Fault | None], ...]] = (
    _conflict, _comparison, _tab, _wide, long_key, _no_space, _no_colon, _colon_in_text, _quotes,
    _brackets, _signs, *OUTER, _columns,
)  # fmt: skip
"""In this order: what can be seen for sure comes before what is concluded from the parser's words."""


def _around(at: Complaint) -> list[int]:
    """The lines in which the mistake may be: where the parser began, the one above, where it stopped."""
    opened = at.opened[0] if at.opened is not None and "':'" in at.said else None
    found = [
        number for number in (opened, at.above(), at.line) if number is not None and number < len(at.lines)
    ]
    return list(dict.fromkeys(found))
