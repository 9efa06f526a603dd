"""What the tests of the landing directory begin with."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty landing directory."""
    made = tmp_path / "landing"
    made.mkdir()
    return made
