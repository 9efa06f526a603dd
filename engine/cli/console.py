"""What the commands share: plain lines and tables, progress, options that take several values."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import typer
from typer.core import TyperCommand

from engine.errors import InputError
from engine.language.problems import width

Advance = Callable[[int, str], None]
"""Tell how far a long work is: (steps done, a short note)."""


class ManyValues(TyperCommand):
    """A command whose repeatable options take several values at once: `--events a.gz b.gz`, as a shell's
    `*.gz` gives them. Only for commands without positional arguments."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the option before each of its values, then parse as usual."""
        names = {name for param in self.params if getattr(param, "multiple", False) for name in param.opts}
        spread: list[str] = []
        option = ""
        expects = False
        for place, arg in enumerate(args):
            if arg == "--":
                spread += args[place:]
                break
            if arg.startswith("-") and arg != "-" and not expects:
                name, given, _ = arg.partition("=")
                option = name if name in names else ""
                expects = bool(option) and not given
            elif option and not expects:
                spread.append(option)
            else:
                expects = False
            spread.append(arg)
        return super().parse_args(ctx, spread)


def say(text: str = "") -> None:
    """Print to stdout: the result."""
    typer.echo(text)


def note(text: str) -> None:
    """Print to stderr: what is worth knowing beside the result."""
    typer.echo(f"touchpoint: {text}", err=True)


def say_json(value: Any) -> None:
    """Print a value as indented JSON."""
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table: drawn on a terminal, aligned columns otherwise. Numbers go to the right."""
    cells = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    right = [all(isinstance(row[column], int) for row in rows) for column in range(len(head))]
    if sys.stdout.isatty():
        _draw(head, cells, right)
        return
    widths = [max(width(line[column]) for line in [list(head), *cells]) for column in range(len(head))]
    for line in [list(head), *cells]:
        parts = []
        for text, wide, to_right in zip(line, widths, right, strict=True):
            pad = " " * (wide - width(text))
            parts.append(pad + text if to_right else text + pad)
        say("  ".join(parts).rstrip())


def _draw(head: Sequence[str], cells: list[list[str]], right: list[bool]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for name, to_right in zip(head, right, strict=True):
        drawn.add_column(name, justify="right" if to_right else "left", overflow="fold")
    for row in cells:
        drawn.add_row(*map(Text, row))
    Console().print(drawn)


@contextmanager
def progress(title: str, total: int | None) -> Iterator[Advance]:
    """Show a bar on stderr while the block runs, if that is a terminal. `total`: None = unknown."""
    if not sys.stderr.isatty():
        yield lambda done, said: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total, said="")
        yield lambda done, said: bar.update(task, completed=done, said=said)


def make_folder(path: Path) -> None:
    """Make a folder for output; raise InputError if that can't be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, "a folder", error) from None


def unwritable(path: Path, what: str, error: OSError) -> InputError:
    """Return the error for output that can't be written; `what`: `a file`, `a folder`."""
    return InputError(str(path), f"{what} that can be written", error.strerror or str(error))
