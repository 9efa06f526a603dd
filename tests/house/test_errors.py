"""The tree of errors and what their messages say."""

from __future__ import annotations

import re

import engine.errors
from engine.errors import FencedError, InputError, RulesError, SettingsError, StoreError, TouchpointError


def drawn() -> list[tuple[int, str]]:
    """The tree of the docstring: (depth, name), top to bottom."""
    lines = re.findall(
        r"^ {4}((?:[│ ]{4})*(?:[├└]── )?)(\w+Error)\b", engine.errors.__doc__ or "", re.MULTILINE
    )
    return [(len(branch) // 4, name) for branch, name in lines]


def grown(kind: type[TouchpointError] = TouchpointError, depth: int = 0) -> list[tuple[int, str]]:
    """The tree as the classes of the module have it."""
    tree = [(depth, kind.__name__)]
    for below in kind.__subclasses__():
        if below.__module__ == engine.errors.__name__:
            tree += grown(below, depth + 1)
    return tree


def test_the_drawn_tree_is_the_real_one() -> None:
    assert sorted(drawn()) == sorted(grown())
    assert len(drawn()) > 5


def test_an_input_error_says_where_what_and_what_was() -> None:
    error = InputError("feed.csv:7", "a time in µs", "yesterday")
    assert str(error) == "feed.csv:7: expected a time in µs, was 'yesterday'"


def test_a_message_never_repeats_a_whole_record() -> None:
    assert len(str(InputError("here", "a number", "9" * 10_000))) < 200


def test_rules_and_settings_carry_every_problem() -> None:
    assert RulesError(iter(["a", "b"])).problems == ("a", "b")
    assert str(SettingsError(["A: x", "B: y"])) == "A: x\nB: y"


def test_a_refused_commit_is_an_error_of_the_store() -> None:
    assert issubclass(FencedError, StoreError)
