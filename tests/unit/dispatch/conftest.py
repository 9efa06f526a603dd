"""A desk for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.dispatch.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Give a desk at noon, with rules `text`, `visit` and `soon`."""
    desk = Desk(tmp_path)
    yield desk
    desk.channel.close()
