"""`touchpoint`: the commands at a glance. A command's module is imported when the command is called.

A module of `engine/cli` offers its command as a function for typer, named below; `COMMAND_CLASS` in it, if
there, is typer's class for it. Exit codes of all commands: 0 ok; 1 the thing checked has problems, or nothing
was found; 2 a mistake in the arguments, the settings or the input; 130 stopped by Ctrl-C. A mistake of the
user is one message on stderr, never a traceback.
"""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from engine.errors import RulesError, TouchpointError
from engine.language.problems import Problem

COMMANDS: dict[str, tuple[str, str, str]] = {
    "run": (
        "run",
        "command",
        "The whole thing in one process with a simulated city; or a role of a deployment.",
    ),
    "check": ("check", "command", "Read rules and report every mistake with file, line and column."),
    "places check": (
        "places",
        "check_command",
        "Hold places against the network's cells, each other and the rules; draw a map.",
    ),
    "approve": ("approve", "command", "Record that somebody approves a rule as it stands."),
    "test": ("test", "command", "Run the tests that stand beside the rules."),
    "story": ("story", "command", "Say in plain words what a rule does, with the cases at its edges."),
    "simulate": ("simulate", "command", "Write the events, profiles and truth of a simulated city."),
    "simulate profiles": ("simulate", "profiles", "Write made-up profiles for the subscribers of a feed."),
    "replay": ("replay", "command", "Run recorded events through rules: decisions, summary, dead letters."),
    "explain": ("explain", "command", "Say why one subscriber did or did not get an offer, line by line."),
    "reach": ("reach", "command", "Say how many subscribers of a file pass each line of a rule."),
    "map check": (
        "map_check",
        "command",
        "Say what a map makes of a sample of rows or messages, and what fails.",
    ),
    "pcap": ("pcap", "command", "Show what packet captures hold: records of S1AP, NAS and MAP."),
    "load": (
        "load",
        "command",
        "Put profiles, consents, opt-outs or complaints into the log of a deployment.",
    ),
    "feeds check": ("feeds", "check_command", "Show what each feed of a feeds file will do, and what can't."),
    "topics": ("topics", "command", "Make and check the topics of a deployment."),
    "rules publish": ("rules", "publish_command", "Publish a folder of rules: every engine changes to it."),
    "rules switch": (
        "rules",
        "switch_command",
        "Have every engine change to a published set: back, or to all.",
    ),
    "rules watch": (
        "rules_watch",
        "command",
        "Publish a folder of rules at every change that passes its tests.",
    ),
    "rules history": ("rules", "history_command", "List who changed the rules in force, when, and what."),
    "rules published": ("rules", "published_command", "List the sets of rules that were published."),
    "history": ("history", "command", "Say what was decided about one subscriber, why, what became of it."),
    "verify": ("verify", "command", "Fold the log once more and hold each decision against the one made."),
    "forget": ("forget", "command", "Remove everything that is known of one subscriber."),
    "deadletters list": ("deadletters", "list_command", "List records that were refused, and why."),
    "deadletters requeue": ("deadletters", "requeue_command", "Bring refused records into the log again."),
    "schema": (
        "schema",
        "command",
        "Write JSON Schema of records or, for editors, of rule files; or what stands in which topic.",
    ),
}
"""Command -> module of `engine.cli`, function in it, what it does in one line."""

USAGE, BROKEN_PIPE = 2, 141
EXIT_CODES = """

Exit codes: 0 ok; 1 the thing checked has problems, or nothing was found;
2 a mistake in the arguments, the settings or the input; 130 stopped by Ctrl-C.
"""


class Commands(TyperGroup):
    """The commands of the table above, found without importing any but the one called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a stand-in that has the name and the line of help."""
        if cmd_name not in COMMANDS:
            return None
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name][2])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return name, command and remaining arguments; two words before one: `simulate profiles`."""
        for words in (2, 1):
            name = " ".join(args[:words])
            if len(args) >= words and name in COMMANDS:
                return name, load(name), args[words:]
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; turn an error raised on purpose into its message and exit code."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except TouchpointError as error:
            typer.echo(f"touchpoint: {_message(error)}", err=True)
            raise typer.Exit(USAGE) from None
        except BrokenPipeError:
            # Whoever read us has gone: let the last flush of the interpreter go nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            raise typer.Exit(BROKEN_PIPE) from None
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            typer.echo(f"touchpoint: stdout: expected room for the output, was: {error.strerror}", err=True)
            raise typer.Exit(USAGE) from None
        return result


def _message(error: TouchpointError) -> str:
    if not isinstance(error, RulesError):
        return str(error)
    shown = [problem.pretty() if isinstance(problem, Problem) else str(problem) for problem in error.problems]
    return "\n\n".join([f"expected rules without errors, was {len(shown)}:", *shown])


def load(name: str) -> Any:
    """Import a command and return it."""
    module, function, _ = COMMANDS[name]
    loaded = import_module(f"engine.cli.{module}")
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    single.command(name, cls=getattr(loaded, "COMMAND_CLASS", None))(getattr(loaded, function))
    return typer.main.get_command(single)


app = typer.Typer(
    cls=Commands,
    help="Watch a mobile network's signaling and make the right offer at the right moment." + EXIT_CODES,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _root() -> None:
    """Hold the group: typer wants a function to hang the commands on."""


def main() -> int:
    """Run the program with the arguments of the process and leave with its exit code."""
    app(prog_name="touchpoint")
    return 0
