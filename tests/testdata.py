"""Real data that tests read in place: where it is, and how a test says that it needs some.

The data is not part of the repository. `$TOUCHPOINT_TESTDATA` names its folder, else `../shared` beside the
checkout. A test that needs `PATH` below it is marked `@pytest.mark.testdata("PATH")` or asks the fixture
`testdata` for it; without the data it is skipped, and the table at the end says `not run: no test data`.
"""

from __future__ import annotations

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
RULE_SETS = {
    "rules": CHECKOUT / "rules",
    "examples": CHECKOUT / "tests" / "examples" / "rules",
    "every-word": CHECKOUT / "tests" / "data" / "every-word",
}
"""Folders of rules without a mistake, which tests damage, or hold to be right. The last has every word."""
VARIABLE = "TOUCHPOINT_TESTDATA"
MISSING = "no test data"
"""How the reason of every such skip begins."""


def folder() -> Path:
    """The folder of the real data, there or not."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else CHECKOUT.parent / "shared"


def find(path: str) -> Path | None:
    """The file or folder `path` of the real data, or None where it is missing."""
    found = folder() / path
    return found if found.exists() else None
