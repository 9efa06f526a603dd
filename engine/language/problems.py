"""Problems: what is wrong in which line, and how that is shown.

A problem carries its source line, so that it can be printed without the file. Lines and columns count from
1, in characters; the caret is placed by display width, which is two for the wide characters of East Asia
(UAX #11).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

Severity = Literal["error", "warning"]

SHOWN_LINE: Final = 160
"""Characters of a source line that are shown; of a longer one the part around the caret."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake of an author, at one place.

    `end` is the column after the last marked character, on the same line; equal to `col` where only a point
    can be named. `source` is the whole line. `code` is empty in files other than those of rules.
    """

    path: str
    line: int
    col: int
    end: int
    code: str
    message: str
    hint: str = ""
    severity: Severity = "error"
    source: str = ""

    def __str__(self) -> str:
        """The one-line form: `file:line:col: what is wrong [code]`."""
        warning = "warning: " if self.severity == "warning" else ""
        code = f" [{self.code}]" if self.code else ""
        return f"{self.path}:{self.line}:{self.col}: {warning}{_visible(self.message)}{code}"

    @property
    def order(self) -> tuple[str, int, int, str, str]:
        """Sort key: by file, then position."""
        return (self.path, self.line, self.col, self.code, self.message)

    def pretty(self) -> str:
        """Show the problem with its source line, a caret under the marked part, and the hint."""
        lines = [str(self)]
        if self.source:
            text, col, end = _window(self.source, self.col - 1, self.end - 1)
            gutter = " " * len(str(self.line))
            marked = text[col:end]
            caret = "^" + "~" * (width(marked) - 1) if marked else "^"
            pad = "".join("\t" if char == "\t" else " " * char_width(char) for char in text[:col])
            lines += [f"{self.line} | {text}", f"{gutter} | {pad}{caret}"]
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """The problem as plain data, for `--json`."""
        return asdict(self)


def _visible(text: str) -> str:
    """Write characters that can't be seen as their numbers."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else f"<U+{ord(char):04X}>" for char in text)


def char_width(char: str) -> int:
    """Columns a character takes on a terminal: 0, 1 or 2."""
    if char < "\u0300":
        return 1
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def width(text: str) -> int:
    """Columns a text takes on a terminal."""
    return sum(map(char_width, text))


def render(problems: Iterable[Problem], rules: int) -> str:
    """Show all problems, a blank line between two, and end with the count."""
    blocks = [problem.pretty() for problem in problems]
    blocks.append(f"{_plural(rules, 'rule')}, {_plural(len(blocks), 'problem')}")
    return "\n\n".join(blocks) + "\n"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _window(source: str, col: int, end: int) -> tuple[str, int, int]:
    """Cut a long line around the marked part and make control characters harmless to a terminal."""
    text = "".join(c if c == "\t" or c.isprintable() else "\N{MIDDLE DOT}" for c in source)
    if len(text) <= SHOWN_LINE:
        return text, col, end
    start = max(0, min(col - SHOWN_LINE // 3, len(text) - SHOWN_LINE))
    cut = text[start : start + SHOWN_LINE]
    if start + SHOWN_LINE < len(text):
        cut = cut[:-1] + "…"
    if start:
        cut = "…" + cut[1:]
    return cut, col - start, min(end - start, len(cut))
