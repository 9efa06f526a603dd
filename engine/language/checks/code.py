"""What a check tells about itself: its code, an example, and what to do.

Every check is a module of this package that offers `CHECKS`, a tuple with one `Check` for each of its
codes; `codes` collects them. From them come the pages in `docs/rules/problems/`
(`python -m tools.problem_pages`) and the rules of a SARIF report. A test runs every example: `bad` is
reported with the code, at a place that the example shows; `good` has no problem at all.

How an example is written. It is the YAML of one file or several; a line `# PATH` opens a file, and without
one the first is `r.yaml`. Files are laid over the small set in `tools/problem_base/`, so only what matters is
written:

- a rule, a test file, `policy.yaml` or a file of the catalogue: the top keys given replace those of the base;
  `KEY: ~` takes one out
- a rule that the base does not have starts as a copy of its `r.yaml` with a name of its own, and takes its
  place: `r.yaml` and its test are there only if the example names them or no other rule
- any other file (`approvals.yaml`, a CSV, GeoJSON) is taken as it stands
- `# PATH as CHARSET` writes the file in another character set

    Check(
        code="R401",
        meaning="a group that is not in policy.yaml",
        bad="limits: {priority: 5, only_one_of: upsel, at_most: 1 in 14d, send_within: 1h, holdout: 5%}",
        good="limits: {priority: 5, only_one_of: upsell, at_most: 1 in 14d, send_within: 1h, holdout: 5%}",
        advice="Write a group of `policy.yaml`, or add the group there with its `cooldown`.",
    )
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent
from typing import Final

from engine.language.problems import Severity

PLACES_CHECK: Final = "places check"
"""The command that finds what is only worth a look."""


@dataclass(frozen=True, slots=True)
class Check:
    """One code of problems. Texts may be indented; if so, from a line break on."""

    code: str
    meaning: str
    """One line, without a full stop: what a problem of this code is."""
    bad: str
    """An example that has the problem."""
    good: str
    """The same, put right."""
    advice: str
    """What to do, in Markdown."""
    level: Severity = "error"
    """How bad it is, mostly; a problem may say otherwise."""
    command: str = "check"
    """Which command finds it."""

    def __post_init__(self) -> None:
        for name in ("bad", "good", "advice"):
            object.__setattr__(self, name, dedent(getattr(self, name)).strip("\n") + "\n")
