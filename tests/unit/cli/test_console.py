"""What commands share: options that take several values, tables, times."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from engine.cli.console import ManyValues, table
from engine.cli.inputs import length_of_time, moment, since_when
from engine.errors import InputError

SHANGHAI = "Asia/Shanghai"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--files", "a", "b", "c", "--name", "n"], "['a', 'b', 'c'] n False"),
        (["--name", "n", "--files", "a", "--flag", "--files", "b", "c"], "['a', 'b', 'c'] n True"),
        (["--files=a", "b", "--name=n"], "['a', 'b'] n False"),
        (["--files", "-odd", "b", "--name", "n"], "['-odd', 'b'] n False"),
    ],
)
def test_an_option_takes_several_values(args: list[str], said: str) -> None:
    app = typer.Typer()

    @app.command(cls=ManyValues)
    def command(
        files: Annotated[list[Path], typer.Option()],
        name: Annotated[str, typer.Option()],
        flag: Annotated[bool, typer.Option("--flag")] = False,
    ) -> None:
        typer.echo(f"{[str(file) for file in files]} {name} {flag}")

    done = CliRunner().invoke(app, args)
    assert (done.exit_code, done.stdout) == (0, said + "\n")


def test_a_value_of_nothing_is_refused() -> None:
    app = typer.Typer()

    @app.command(cls=ManyValues)
    def command(files: Annotated[list[str], typer.Option()]) -> None:
        typer.echo("taken")

    assert CliRunner().invoke(app, ["stray", "--files", "a"]).exit_code == 2


def test_a_table_is_aligned_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    table(("place", "number"), [("营业厅", 1234), ("hall", 5)])
    assert capsys.readouterr().out == "place   number\n营业厅   1,234\nhall         5\n"


@pytest.mark.parametrize(("text", "micros"), [("0", 0), ("90s", 90_000_000), ("1h30m", 5_400_000_000)])
def test_lengths_of_time(text: str, micros: int) -> None:
    assert length_of_time("--disorder", text) == micros


@pytest.mark.parametrize("text", ["", "5", "-5m", "5 m", "soon"])
def test_what_is_no_length_of_time_is_named(text: str) -> None:
    with pytest.raises(InputError, match="--disorder: expected 0 or a length of time"):
        length_of_time("--disorder", text)


@pytest.mark.parametrize(
    "text",
    ["2026-09-07T10:00+08:00", "2026-09-07 10:00", "2026-09-07T02:00:00Z", "1788746400000000"],
)
def test_moments(text: str) -> None:
    assert moment("--until", text, SHANGHAI) == 1_788_746_400_000_000


def test_a_day_begins_at_midnight() -> None:
    assert moment("--until", "20260907", SHANGHAI) == 1_788_710_400_000_000


@pytest.mark.parametrize(
    "text", ["", "noon", "1999-01-01", "2100-01-02", "1788746400", "0001-01-01T00:00+23:59"]
)
def test_what_is_no_moment_is_named(text: str) -> None:
    with pytest.raises(InputError, match="--until: expected ISO time"):
        moment("--until", text, SHANGHAI)


def test_a_wrong_since_is_told_all_its_forms() -> None:
    with pytest.raises(InputError, match=r"--since: expected 30d or 2h \(so long ago\), ISO time"):
        since_when("--since", "nonsense")
