"""What a planted fault is, and how it is written into a source."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault in one file of the engine."""

    name: str
    file: str
    """Relative to the checkout."""
    old: str
    """Must be found exactly once."""
    new: str
    sentence: str
    """What it breaks: the number and the words of the semantics page."""
    focus: tuple[str, ...] = ()
    """What cases should lean towards: names of `generator.FOCI`; cases without any are tried as well."""
    also: tuple[tuple[str, str], ...] = ()
    """More (old, new) of the same fault in the same file."""
    tests: str = ""
    """A test file to run first: for what random cases do not reach."""


class Misfit(Exception):
    """A mutant does not fit the source: a snippet is not there exactly once, or the result is no Python."""


def plant(mutant: Mutant, source: str) -> str:
    """Return the source with the fault in it; raises `Misfit`."""
    for old, new in ((mutant.old, mutant.new), *mutant.also):
        found = source.count(old)
        if found != 1:
            raise Misfit(f"{mutant.name}: expected once in {mutant.file}, was {found} times: {old!r}")
        if old == new:
            raise Misfit(f"{mutant.name}: expected a change in {mutant.file}, was none: {old!r}")
        source = source.replace(old, new)
    try:
        compile(source, mutant.file, "exec")
    except SyntaxError as error:
        raise Misfit(f"{mutant.name}: expected Python, was {error}") from error
    return source
