"""What the YAML parser complains of, and what an author did."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Complaint:
    """What the parser says, and where, counted from 0. `opened`: where what it was reading began."""

    said: str
    lines: list[str]
    line: int
    column: int
    opened: tuple[int, int] | None = None

    @property
    def text(self) -> str:
        """The line it stopped in."""
        return self.lines[self.line] if self.line < len(self.lines) else ""

    def above(self) -> int | None:
        """Return the nearest line above that holds something."""
        for number in range(min(self.line, len(self.lines)) - 1, -1, -1):
            if self.lines[number].strip() and not self.lines[number].lstrip().startswith("#"):
                return number
        return None

    def first(self) -> int | None:
        """Return the first line that holds something."""
        for number, line in enumerate(self.lines):
            if line.strip() and not line.lstrip().startswith("#"):
                return number
        return None


@dataclass(frozen=True, slots=True)
class Fault:
    """What an author did: the place, counted from 0, what is wrong and how to put it right."""

    line: int
    column: int
    end: int
    said: str
    hint: str = ""
    lines: tuple[int, int] | None = None
    """First line, and the one behind the last, without which the rest can be read; None: the section."""
