"""A role that is killed leaves nothing on the disk: a container that starts it again must not fill."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.deployment import Deployment
from tests.testdata import CHECKOUT


def test_a_killed_role_leaves_no_files(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary, home = tmp_path / "temporary", tmp_path / "home"
    for name, folder in (("TMPDIR", temporary), ("HOME", home)):
        folder.mkdir()
        monkeypatch.setenv(name, str(folder))
    deployment.command("rules", "publish", CHECKOUT / "rules", "--by", "a test")
    roles = [deployment.start("engine"), deployment.start("dispatcher")]
    deployment.wait(lambda: all(role.page("readyz") == 200 for role in roles), "both roles to be ready")
    for role in roles:
        role.kill()
    assert [*temporary.rglob("*"), *home.rglob("*")] == []
