"""Which schema is for which files, and how an editor is told.

approvals.yaml has none: a program writes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.language.approvals import PATH as APPROVALS_PATH
from engine.language.catalog import FILES, FOLDER
from engine.language.editor.cases import cases_file
from engine.language.editor.house import catalog_file, policy_file
from engine.language.editor.rule import rule
from engine.language.editor.scalars import Schema
from engine.language.editor.vocabulary import Vocabulary
from engine.language.loader import YAML
from engine.language.policy import PATH as POLICY_PATH
from engine.language.testing import SUFFIXES

DIALECT: Final = "http://json-schema.org/draft-07/schema#"
RULE, TESTS, POLICY = "rule", "tests", "policy"
SHAPES: Final = (RULE, TESTS, POLICY, *FILES)
"""Of what there is a schema."""


@dataclass(frozen=True, slots=True)
class Association:
    """A schema and the files it is for, as patterns below the folder of rules; `!` takes out."""

    shape: str
    patterns: tuple[str, ...]


def associations() -> tuple[Association, ...]:
    """Say which files each schema is for."""
    tests = tuple(f"**/*{suffix}" for suffix in SUFFIXES)
    others = (*tests, POLICY_PATH, APPROVALS_PATH, f"{FOLDER}**")
    rules = (*(f"**/*{suffix}" for suffix in YAML), *(f"!{pattern}" for pattern in others))
    catalog = [Association(name, tuple(f"{FOLDER}{name}{suffix}" for suffix in YAML)) for name in FILES]
    return (
        Association(RULE, rules),
        Association(TESTS, tests),
        Association(POLICY, (POLICY_PATH,)),
        *catalog,
    )


def schema(shape: str, known: Vocabulary) -> Schema:
    """Return the schema of one of `SHAPES`."""
    made = _made(shape, known)
    return {"$schema": DIALECT, "title": f"touchpoint {shape}", **made}


def _made(shape: str, known: Vocabulary) -> Schema:
    if shape == RULE:
        return rule(known)
    if shape == TESTS:
        return cases_file(known)
    if shape == POLICY:
        return policy_file(known)
    return catalog_file(shape, known)


def settings(folder: str, schemas: str) -> dict[str, dict[str, list[str]]]:
    """Write the setting of VS Code and other clients of yaml-language-server.

    `folder`: of the rules, `schemas`: of the schemas, both as they are seen from the editor's workspace.
    """
    here = "" if schemas.startswith("/") else "./"
    below = "" if folder == "." else f"{folder}/"
    return {
        "yaml.schemas": {
            f"{here}{schemas}/{each.shape}.json": [
                f"!{below}{pattern[1:]}" if pattern.startswith("!") else f"{below}{pattern}"
                for pattern in each.patterns
            ]
            for each in associations()
        }
    }
