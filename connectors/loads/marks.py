"""Where something stands in a YAML file: the tree of its nodes, asked by path."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from engine.errors import InputError
from engine.language.source import Mapping, Node, Scalar, plain, read
from engine.language.source import Sequence as List

Loc = Sequence[str | int]


class Marks:
    """A YAML file as plain data, every scalar as text, and the place of each of its parts.

    `data`: what it holds. Raises InputError if it can't be read, is no YAML or no mapping; so does `model`
    for the first mistake that pydantic finds.
    """

    def __init__(self, path: Path, what: str) -> None:
        self.path = path
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise InputError(str(path), f"{what} that can be read", error.strerror or str(error)) from None
        except UnicodeDecodeError as error:
            raise InputError(str(path), "UTF-8", f"not from byte {error.start}") from None
        source = read(str(path), text)
        if source.problems:
            first = source.problems[0]
            raise InputError(f"{path}:{first.line}:{first.col}", what, first.message)
        if not isinstance(source.root, Mapping):
            raise InputError(f"{path}:1:1", f"{what}: names with a colon each", "something else")
        self._root: Node = source.root
        self.text = text
        self.data: Any = plain(source.root)

    def wrong(self, loc: Loc, expected: str, was: object, *, name: bool = False) -> InputError:
        """Return the error for what stands at a path; the nearest part above, where there is none.

        `name`: it is the name that is wrong, not what stands behind it.
        """
        mark = self._mark(loc, name)
        said = ".".join(str(step) for step in loc)
        where = f"{self.path}:{mark.line + 1}:{mark.column + 1}"
        return InputError(f"{where}: {said}" if said else where, expected, was)

    def first(self, error: ValidationError, models: Sequence[str] = ()) -> InputError:
        """Return the first mistake of a model, with how many more there are.

        `models`: names that pydantic puts into the path where a part may have several shapes.
        """
        problems = error.errors(include_url=False, include_context=False)
        problem = problems[0]
        loc = [step for step in problem["loc"] if step not in models]
        was: object = problem["input"]
        if problem["type"] == "missing":
            expected, was = "a value", "nothing"
        elif problem["type"] == "extra_forbidden":
            expected, was = "a known key", loc[-1]
        elif problem["type"] == "value_error":
            expected, _, was = problem["msg"].removeprefix("Value error, expected ").partition(", was ")
        else:
            said = problem["msg"].removeprefix("Input should be ")
            expected = said.removeprefix("String should match pattern ").replace(
                "a valid boolean", "yes or no"
            )
        if len(problems) > 1:
            expected += f" (and {len(problems) - 1} more mistakes)"
        return self.wrong(loc, expected, was, name=problem["type"] == "extra_forbidden")

    def _mark(self, loc: Loc, name: bool) -> Any:
        node, mark = self._root, self._root.start
        for step in loc:
            if isinstance(node, Mapping) and isinstance(step, str) and step in node.entries:
                key, node = node.entries[step]
                mark = (node if isinstance(node, Scalar) and not name else key).start
            elif isinstance(node, List) and isinstance(step, int) and step < len(node.items):
                node = node.items[step]
                mark = node.start
            else:
                break
        return mark
