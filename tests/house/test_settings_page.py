"""The page about settings is what the declarations make of it."""

from __future__ import annotations

import re

from engine.settings import PREFIX, Settings
from tools.settings_page import PAGE, page


def test_the_committed_page_is_the_generated_one() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tools.settings_page"


def test_every_setting_has_one_row_of_five_cells() -> None:
    rows = [line.split(" | ") for line in page().splitlines() if line.startswith(f"| `{PREFIX}")]
    assert {len(row) for row in rows} == {5}
    assert [re.sub(rf"\W+{PREFIX}|`", "", row[0]).lower() for row in rows] == list(Settings.model_fields)
