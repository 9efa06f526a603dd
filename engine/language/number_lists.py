"""The catalogue's `numbers.yaml` by itself, for feeds: the collector has no rules."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.errors import InputError
from engine.language.catalog import FILES, Names, read_catalog
from engine.language.problems import Problem
from engine.language.report import Report
from engine.language.source import read
from engine.number_classes import NumberClasses

SIZE_AT_MOST: Final = 1 << 24
_NAME: Final = FILES[3]


@dataclass(frozen=True, slots=True)
class NumberLists:
    """Lists of numbers, as text that was read without a mistake."""

    path: Path
    text: str

    def classes(self, home_cc: str) -> NumberClasses:
        """Return the classes, numbers written as at home in a country."""
        catalog = _names(self.path, self.text, home_cc)[0].catalog
        return NumberClasses(catalog.numbers, catalog.prefixes, home_cc)


def load_numbers(path: Path) -> NumberLists:
    """Read the lists; raises InputError with file, line and what was expected for the first mistake."""
    lists, problems = look_at_numbers(path)
    if lists is None:
        problem = next(each for each in problems if each.severity == "error")
        where = f"{path}:{problem.line}:{problem.col}"
        raise InputError(where, "lists of phone numbers without a mistake", problem.message)
    return lists


def look_at_numbers(path: Path) -> tuple[NumberLists | None, list[Problem]]:
    """Read the lists; return them, None if there is an error, and all problems. Raises InputError, too."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(SIZE_AT_MOST + 1)
        text = raw.decode()
    except OSError as error:
        raise InputError(str(path), "lists of phone numbers", error.strerror or str(error)) from None
    except UnicodeDecodeError:
        raise InputError(str(path), "UTF-8", "another encoding") from None
    if len(raw) > SIZE_AT_MOST:
        raise InputError(str(path), f"at most {SIZE_AT_MOST} bytes", "more")
    _, report = _names(path, text, "86")
    is_wrong = any(problem.severity == "error" for problem in report.problems)
    return None if is_wrong else NumberLists(path, text), list(report.problems)


def _names(path: Path, text: str, home_cc: str) -> tuple[Names, Report]:
    report = Report(read(str(path), text))
    return read_catalog({_NAME: report}, {}, home_cc), report
