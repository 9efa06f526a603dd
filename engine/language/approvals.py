"""`approvals.yaml`: who approved which rule, and what it said then. Written by `touchpoint approve`.

    RULE: {at: 2026-09-01T08:00:00Z, by: NAME, hash: 32 hex digits}

The hash is over what a rule file holds, not over how it is written: comments, quotes, line breaks and the
order of keys may change; `status` and `approved_by` may, too, because they say how far the rule has come.
Everything else asks for a new approval. Not in it: what the rule names. Prices, cells and house limits have
owners of their own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

import yaml

from engine.language.checks import shape
from engine.language.report import Report
from engine.language.source import Mapping as MappingNode
from engine.language.source import Node, Scalar, plain
from engine.language.words import Unreadable

PATH: Final = "approvals.yaml"
KEYS: Final = ("at", "by", "hash")
NOT_APPROVED: Final = ("status", "approved_by")
"""Keys of a rule that an approval is not about."""

HEAD: Final = """\
# Who approved which rule. Written by `touchpoint approve RULE --by NAME`; the newest approval counts.
# `hash` is over all that the rule's file says but its `status` and `approved_by`: after any other change
# `touchpoint check` calls the approval stale.
"""

_HASH_DIGITS: Final = 32


@dataclass(frozen=True, slots=True)
class Approval:
    """One entry. `at`: ISO time, UTC; `hash`: of the content that was approved."""

    by: str
    at: str
    hash: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An approval, and where it stands."""

    approval: Approval
    key: Scalar
    by: Node


@dataclass(frozen=True, slots=True)
class Approvals:
    """What the file holds: by rule; `broken`: rules whose lines can't be read, which is told there."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()


def content_hash(root: MappingNode) -> str:
    """Hash what a rule file says, without `status` and `approved_by`; 32 hex digits."""
    content = {key.text: plain(value) for key, value in root if key.text not in NOT_APPROVED}
    # ASCII, because an escape may have brought half a surrogate pair into a text
    text = json.dumps(content, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=_HASH_DIGITS // 2).hexdigest()


def read_approvals(report: Report) -> Approvals:
    """Read the file; what is broken in it is reported and left out. An empty file is good."""
    root = report.source.root
    body = shape.mapping(report, root, "the name of a rule on each line") if root is not None else None
    found: dict[str, Entry] = {}
    for key, node in body or ():
        line = shape.mapping(report, node, "`{at: …, by: …, hash: …}`")
        if line is None:
            continue
        shape.keys(report, line, key, f"the approval of `{key.text}`", KEYS, ())
        by, at, digest = (line.get(name) for name in ("by", "at", "hash"))
        approval = Approval(
            shape.text(report, by, "who approved the rule"),
            shape.value(report, at, "the time of the approval", _moment, "", "R108"),
            shape.value(report, digest, "the hash of the rule", _digest, "", "R108"),
        )
        if by is not None and approval.by and approval.at and approval.hash:
            found[key.text] = Entry(approval, key, by)
    return Approvals(found, frozenset(key.text for key, _ in body or ()) - found.keys())


def written(approvals: Mapping[str, Approval]) -> str:
    """Write the file: an entry on each line, sorted, so that two people's approvals merge."""
    entries = {
        name: {"at": one.at, "by": one.by, "hash": one.hash} for name, one in sorted(approvals.items())
    }
    lines = [
        yaml.dump({name: entry}, Dumper=_Plain, default_flow_style=None, allow_unicode=True, width=100_000)
        for name, entry in entries.items()
    ]
    return HEAD + "".join(lines)


class _Plain(yaml.SafeDumper):
    """Quotes only what the syntax wants quoted: to our reader every scalar is text."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012 - as PyYAML declares it


def _moment(text: str) -> str:
    try:
        aware = datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        aware = False
    if not aware:
        raise Unreadable(f"`{text}` is not a time such as `2026-09-01T08:00:00Z`")
    return text


def _digest(text: str) -> str:
    if len(text) != _HASH_DIGITS or set(text) - set("0123456789abcdef"):
        raise Unreadable(
            f"expected {_HASH_DIGITS} digits of 0 to 9 and a to f, was `{text}`",
            "approvals are written by `touchpoint approve`, not by hand",
        )
    return text
