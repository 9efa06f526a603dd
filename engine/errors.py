"""Every error the program raises on purpose.

    TouchpointError                 base: the message is for the user, no traceback is shown
    ├── SettingsError               environment or settings file: each mistake named with its variable
    ├── InputError                  a file, record or argument is not what it has to be: where, expected, was
    ├── RulesError                  rules, catalogue or policy have problems: carries all of them
    ├── RuleTestsError              rules fail their own tests: carries what each case that failed shows
    ├── StateError                  stored state can't be decoded: damaged, or of a newer version
    ├── LogError                    the log can't be read or written
    ├── StoreError                  the store can't be read or written
    │   └── FencedError             a commit was refused: another owner has the lane, rewind
    └── ThrottledError              a channel takes no more for now: nothing was handed over

Catch `TouchpointError` at the edge (the CLI, the lane's runner) and nothing wider: all other exceptions are
bugs and keep their traceback. Messages read `WHERE: expected X, was Y`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

SHOWN_AT_MOST = 80
"""Characters of a wrong value that a message repeats: enough to find it, never a whole record."""


class TouchpointError(Exception):
    """Base of every error raised on purpose."""


class SettingsError(TouchpointError):
    """One or more settings are wrong.

    `problems`: one sentence per mistake, each opening with the variable: `TOUCHPOINT_SALT: expected …`.
    Values of secrets are never part of it.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class InputError(TouchpointError):
    """Input is not what was expected.

    `where`: file and line, or the name of an argument or field; `expected`: in plain words; `was`: the value
    found, shortened in the message. Never pass an IMSI, IMEI or phone number as `was`: describe it, as in
    "14 digits".
    """

    def __init__(self, where: str, expected: str, was: object) -> None:
        self.where = where
        self.expected = expected
        self.was = was
        super().__init__(f"{where}: expected {expected}, was {shorten(was)}")


class RulesError(TouchpointError):
    """Rules, catalogue or policy have problems.

    `problems`: all of them, as `engine.language` reports them (position, code, text); `str` gives one line.
    """

    def __init__(self, problems: Iterable[Any]) -> None:
        self.problems: tuple[Any, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class RuleTestsError(TouchpointError):
    """Rules fail the tests that stand beside them.

    `failures`: a block of lines for each case that failed.
    """

    def __init__(self, failures: Iterable[str], cases: int) -> None:
        self.failures: tuple[str, ...] = tuple(failures)
        said = f"rule tests: expected {cases} cases to pass, was {cases - len(self.failures)}"
        super().__init__("\n\n".join([said, *self.failures]))


class StateError(TouchpointError):
    """Stored state can't be decoded: damaged, or written by a newer version of the program."""


class LogError(TouchpointError):
    """The log can't be read or written."""


class StoreError(TouchpointError):
    """The store can't be read or written."""


class FencedError(StoreError):
    """A commit was refused: another owner committed to this lane meanwhile.

    The lane throws its cached state away, reloads it and rewinds to the committed position.
    """


class ThrottledError(TouchpointError):
    """A channel takes no more for now: nothing was handed over, the same message may be tried again."""


def shorten(value: object) -> str:
    """Render a wrong value for a message: `repr`, cut after `SHOWN_AT_MOST` characters."""
    text = repr(value)
    return text if len(text) <= SHOWN_AT_MOST else text[: SHOWN_AT_MOST - 1] + "…"
