"""Where the readers of one file put what they find wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from engine.language.problems import Problem
from engine.language.source import Node, Scalar, Source
from engine.language.suggest import did_you_mean


class Report:
    """Collects the problems of one file while it is read.

    Readers report and go on with a harmless value, so one run finds every mistake; what they built is
    thrown away if `failed`. Codes in `ignore` are dropped.
    """

    __slots__ = ("failed", "ignore", "problems", "source")

    def __init__(self, source: Source, ignore: Collection[str] = ()) -> None:
        self.source = source
        self.ignore = ignore
        self.problems: list[Problem] = []
        self.failed = False
        for problem in source.problems:
            self.add(problem)

    def add(self, problem: Problem) -> None:
        """Take a problem made elsewhere."""
        if problem.code in self.ignore:
            return
        self.problems.append(problem)
        self.failed = self.failed or problem.severity == "error"

    def error(self, code: str, where: Node, message: str, hint: str = "") -> None:
        """Report a mistake that keeps the rule from running."""
        self.add(self.source.problem(code, where, message, hint))

    def unknown(self, code: str, where: Node, message: str, word: str, options: Iterable[str]) -> None:
        """Report a word that is not among its options, with the nearest of them."""
        self.error(code, where, message, did_you_mean(word, options))

    def warn(self, code: str, where: Node, message: str, hint: str = "") -> None:
        """Report something that is allowed and probably not meant."""
        self.add(self.source.problem(code, where, message, hint, "warning"))

    def error_inside(
        self, code: str, where: Scalar, part: str, nth: int, message: str, hint: str = ""
    ) -> None:
        """Report a part of a text: its `nth` (from 0) occurrence."""
        self.add(self.source.problem_inside(code, where, part, nth, message, hint))

    def empty(self) -> None:
        """Report a file with nothing in it, unless it is known already why nothing could be read."""
        if not self.problems:
            self.add(Problem(self.source.path, 1, 1, 1, "R001", "this file is empty"))
