"""Where documents, keys and what stands in braces begin and end: what the parser says, in plain words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from engine.language.complaint import Complaint, Fault

MARK: Final = re.compile(r"(---|\.\.\.)(?:\s|$)")
"""A line that begins or ends a document."""
LONGEST_KEY: Final = 1_024
"""Characters in which libyaml looks for the `:` of a key."""

_FLOW = re.compile(r"\s*(?:- +)*(?:[^\s#][^#]*?:\s+)?(?=[\[{])")
_TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"\\]|\\.)*"|(?:(?<=\s)|^)#.*|[\[\]{}]""")
_ONE_COLUMN: Final = "the keys of one mapping start in one column"


def _mark(at: Complaint) -> Fault | None:
    """A `---` or `...` in the middle; without it the file may well be one document."""
    number = at.line
    if "document start" in at.said:
        number = next((n for n in range(at.line - 1, -1, -1) if at.lines[n].startswith("...")), at.line)
    found = MARK.match(at.lines[number]) if number < len(at.lines) else None
    if found is None:
        return None
    does = "starts" if found[1] == "---" else "ends"
    said = f"`{found[1]}` {does} a document here, in the middle of the file"
    return Fault(number, 0, 3, said, "delete this line", (number, number + 1))


def _directive(at: Complaint) -> Fault | None:
    """A `%` in the first column."""
    for number in (at.line, at.opened[0] if at.opened is not None else at.line):
        if number < len(at.lines) and at.lines[number].startswith("%"):
            hint = "delete it; text that starts with `%` must be quoted"
            return Fault(number, 0, 1, "no line starts with `%`", hint, (number, number + 1))
    return None


def _first_column(at: Complaint) -> Fault | None:
    """The first lines are indented and those below are not, or the other way round."""
    first = at.first()
    if "document start" not in at.said or first is None or first >= at.line:
        return None
    column = _indent(at.lines[first])
    if column <= at.column:
        return None
    above = sum(_indent(line) == column for line in at.lines[first : at.line])
    below = [n for n in range(at.line, len(at.lines)) if _indent(at.lines[n]) == at.column]
    if above > len(below):
        end = next((n for n in range(at.line + 1, len(at.lines)) if _indent(at.lines[n]) == column), None)
        said = "this line is not indented, but those above it are"
        return Fault(at.line, at.column, at.column, said, _ONE_COLUMN, (at.line, end or len(at.lines)))
    said = f"this line is indented, but line {at.line + 1} and what follows are not"
    return Fault(first, 0, column, said, "delete the spaces before it", (first, at.line))


def _closed_before(at: Complaint) -> Fault | None:
    """What the file holds ended above: it is one text or list, and no mapping."""
    first = at.first()
    if "document start" not in at.said or first is None:
        return None
    char = at.lines[first].lstrip()[:1]
    if first < at.line and char in "[{":
        said = f"what opens with this `{char}` ends before line {at.line + 1}, but the file goes on"
    elif first < at.line:
        said = f"this line is no key with a value, and line {at.line + 1} goes on without it"
    else:
        said = "the text ends before this, but the line goes on"
        return Fault(at.line, at.column, at.column, said, "a file starts with `KEY: VALUE`")
    column = _indent(at.lines[first])
    end = len(at.lines[first].rstrip())
    return Fault(first, column, end, said, "a file starts with `KEY: VALUE`", (first, at.line))


def _in_braces(at: Complaint) -> Fault | None:
    """What stands between braces and is no value."""
    if "node content" not in at.said:
        return None
    opener = unclosed(at.lines, at.line, at.column)
    char = at.text[at.column : at.column + 1]
    if opener is not None and (opener[0] < at.line or not char):
        line, column = opener
        sign = at.lines[line][column]
        hint = "close it; text with `{`, `[` or `,` in it must be quoted"
        return Fault(line, column, column + 1, f"this `{sign}` is not closed", hint)
    if char == ":":
        return Fault(at.line, at.column, at.column + 1, "there is no key before this `:`", "write the key")
    if char in ("-", "?"):
        around = at.lines[opener[0]][opener[1]] if opener is not None else "{"
        said = f"a `{char}` can't stand alone between `{around}` and `{_CLOSES[around]}`"
        hint = "delete it, or quote it; members between braces are parted by commas"
        return Fault(at.line, at.column, at.column + 1, said, hint)
    return Fault(at.line, at.column, at.column, "here a value is missing", "write it, or quote a text")


_CLOSES: Final = {"{": "}", "[": "]"}


def unclosed(lines: list[str], line: int, column: int) -> tuple[int, int] | None:
    """Find the innermost `{` or `[` that is open at a place: its line and column, or None."""
    if line >= len(lines):
        line, column = len(lines) - 1, len(lines[-1])
    start = next((n for n in range(line, -1, -1) if re.match(r"\w", lines[n])), 0)
    stack: list[tuple[int, int]] = []
    for number in range(start, line + 1):
        text = lines[number][: column if number == line else None]
        begin = 0
        if not stack:
            opened = _FLOW.match(text)
            if opened is None:
                continue
            begin = opened.end()
        for token in _TOKEN.finditer(text, begin):
            if token[0] in _CLOSES:
                stack.append((number, token.start()))
            elif token[0] in ("}", "]") and stack:
                stack.pop()
    return stack[-1] if stack else None


def long_key(at: Complaint) -> Fault | None:
    """A key so long that its `:` is not taken for one."""
    if "mapping values" not in at.said and "':'" not in at.said:
        return None
    line, column = at.opened if at.opened is not None else (at.line, _indent(at.text))
    if at.line != line or at.column - column <= LONGEST_KEY:
        return None
    said = f"a key is at most {LONGEST_KEY:,} characters long"
    return Fault(line, column, column, said, "shorten it, or write `KEY: VALUE`")


def _no_key(at: Complaint) -> Fault | None:
    """A line that was to be a key and has no `:`."""
    if "':'" not in at.said or at.opened is None:
        return None
    line, column = at.opened
    end = len(at.lines[line].rstrip())
    return Fault(line, column, end, "this line is no key with a value", "write `KEY: VALUE`")


def _tag(at: Complaint) -> Fault | None:
    """A `!` that names no tag, or is one that YAML can't read."""
    if at.opened is None or at.lines[at.opened[0]][at.opened[1] : at.opened[1] + 1] != "!":
        return None
    line, column = at.opened
    hint = "text that starts with `!` must be quoted"
    return Fault(line, column, column + 1, "no text starts with `!`", hint)


def _sign(at: Complaint) -> Fault | None:
    """A `|`, `>` or `?` of YAML where a text, a key or a list was meant."""
    if "mapping keys are not allowed" in at.said:
        hint = "delete it; text that starts with `?` must be quoted"
        return Fault(at.line, at.column, at.column + 1, "no text starts with `?`", hint)
    behind = "comment or line break" in at.said or "indentation indicator" in at.said
    if not behind or at.opened is None:
        return None
    line, column = at.opened
    char = at.lines[line][column : column + 1]
    said = f"behind this `{char}` nothing may stand in its line"
    hint = f"delete it; a text after `{char}` starts on the next line, one with `{char}` itself is quoted"
    return Fault(line, column, column + 1, said, hint)


def _indent(line: str) -> int:
    """Return the column in which a line starts; -1 if it holds nothing."""
    text = line.lstrip(" ")
    return len(line) - len(text) if text.strip() and not text.startswith("#") else -1


OUTER: Final[tuple[Callable[[Complaint], Fault | None], ...]] = (
    _mark, _directive, _first_column, _closed_before, _in_braces, _no_key, _tag,
    _sign,
)  # fmt: skip
