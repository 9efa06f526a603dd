"""`report.html` in a browser: Chromium reads it from disk, also as narrow as a phone. Skipped without one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from tests.unit.backtest.world import events, profiles, write_rules
from tests.unit.cli.support import write_lines

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PLAIN = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--hide-scrollbars"),
)
PROBE = "<script>document.title = `${document.documentElement.scrollWidth} of ${window.innerWidth}`</script>"
"""Says how wide the page is; only a copy without its policy runs it."""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


def dom(page: Path, profile: Path, width: int) -> str:
    """Return the page as the browser has it."""
    words = [f"--user-data-dir={profile}", f"--window-size={width},900", "--dump-dom", page.as_uri()]
    done = subprocess.run(
        [str(CHROMIUM), *PLAIN, *words], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def test_it_fits_a_phone_and_runs_no_script(tmp_path: Path) -> None:
    files = (
        *("--events", str(write_lines(tmp_path / "events.jsonl", events()))),
        *("--profiles", str(write_lines(tmp_path / "profiles.jsonl", profiles()))),
    )
    rules = str(write_rules(tmp_path / "rules"))
    words = ["replay", "--rules", rules, *files, "--against", rules, "--out", str(tmp_path / "out")]
    assert CliRunner().invoke(app, words).exit_code == 0
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    copy = tmp_path / "copy.html"

    copy.write_text(page.replace("</body>", f"{PROBE}</body>"), encoding="utf-8")
    assert "<title>touchpoint backtest</title>" in dom(copy, tmp_path / "profile", 500)

    free = page.replace("default-src 'none'", "default-src 'unsafe-inline'")
    copy.write_text(free.replace("</body>", f"{PROBE}</body>"), encoding="utf-8")
    assert "<title>500 of 500</title>" in dom(copy, tmp_path / "profile", 500)
