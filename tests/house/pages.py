"""Pages of the documentation as tests read them: fenced blocks, commands to run, output that a page shows."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.testdata import CHECKOUT

PROGRAM = [sys.executable, "-P", "-c", "from engine.cli.main import main; main()"]
LIMITS = ["--for", "6s", "--speed", "0", "--subscribers", "600"]
"""What the demo gets in place of the time a page gives it: a small city, as fast as it goes."""
SECONDS = 120
"""A command that takes longer hangs."""

_NUMBER = re.compile(r"\d(?:[\d,.]*\d)?")
_TICKS = re.compile("✓+")
_RATE = re.compile(r"in [\d.]+ s: [\d,]+ per second")
_NAMED = re.compile(r"# (\S+\.(?:ya?ml|csv|geojson))\n")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: what stands behind the fence, the text inside, its first line in the page."""

    page: str
    info: str
    text: str
    line: int

    @property
    def file(self) -> str:
        """The file that the block's first line names (`# rules/policy.yaml`), or nothing."""
        named = _NAMED.match(self.text)
        return named[1] if named else ""

    @property
    def body(self) -> str:
        """The text without the line that names the file."""
        return _NAMED.sub("", self.text, count=1)

    @property
    def whole(self) -> str:
        """The file's text: only in YAML the line that names it is a comment, and counts as a line of it."""
        return self.text if self.file.endswith((".yaml", ".yml")) else self.body

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page of the repository, top to bottom."""
    text = (CHECKOUT / page).read_text(encoding="utf-8")
    fenced = re.finditer(r"^```([^\n`]*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [Block(page, m[1].strip(), m[2], text.count("\n", 0, m.start()) + 2) for m in fenced]


def commands(block: Block) -> list[list[str]]:
    """Return the commands of a shell block, each as its words."""
    lines = block.text.replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def program_arguments(words: list[str]) -> list[str] | None:
    """Say what `./run …` or `touchpoint …` gives to the program; None for what `./run` does by itself.

    The demo gets `LIMITS`. Raises ValueError for any other command: a page may only show what a test can run.
    """
    match words:
        case ["touchpoint", *rest] | ["./run", "touchpoint", *rest]:
            return rest
        case ["./run"]:
            return ["run", *LIMITS]
        case ["./run", first, *_] if first.startswith("-"):
            return ["run", *words[1:], *LIMITS]
        case ["./run", *_]:
            return None
    raise ValueError(f"expected ./run or touchpoint, was {shlex.join(words)}")


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the program in a folder, with default settings."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("TOUCHPOINT_")}
    return subprocess.run(
        [*PROGRAM, *arguments],
        cwd=folder,
        env={**plain, "PYTHONPATH": str(CHECKOUT), "PYTHONUTF8": "1", "COLUMNS": "80"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )


def missing(shown: str, actual: str, *, loose: bool = False) -> list[str]:
    """Return the lines that a page shows and a command did not print, in this order.

    Spaces count once, and seconds and rates of a machine for any others; `loose`: any number does, and any
    number of ticks, for what is another at every run. A page may leave lines out; it marks that by a line
    `…`, and the cut end of a line by ` …`.
    """
    lines = [_plain(line, loose) for line in actual.splitlines()]
    gone: list[str] = []
    for line in shown.splitlines():
        wanted = _plain(line, loose)
        if wanted in ("", "…"):
            continue
        cut = wanted.endswith(" …")
        wanted = wanted.removesuffix(" …")
        found = next((n for n, had in enumerate(lines) if had == wanted), None)
        if cut:
            found = next((n for n, had in enumerate(lines) if had.startswith(wanted)), None)
        if found is None:
            gone.append(line)
        else:
            lines = lines[found + 1 :]
    return gone


def _plain(line: str, loose: bool) -> str:
    line = _RATE.sub("in 0 s: 0 per second", " ".join(line.split()))
    return _TICKS.sub("✓", _NUMBER.sub("0", line)) if loose else line
