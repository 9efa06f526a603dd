"""The map of places in a browser: Chromium reads it from disk, also as narrow as a phone."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from engine.cli.main import app
from tests.e2e.test_report_page import PROBE, dom, pytestmark
from tests.testdata import CHECKOUT

__all__ = ["pytestmark"]

COUNT = """<script>
const seen = [...document.querySelectorAll("svg.map")].map(svg => svg.getBoundingClientRect());
document.title = seen.every(box => box.width > 100 && box.height > 100) ? `${seen.length} maps` : "none";
</script>"""
"""Says how many maps there are and have a size; only a copy without its policy runs it."""


def test_it_fits_a_phone_draws_every_map_and_runs_no_script(tmp_path: Path) -> None:
    page = tmp_path / "map.html"
    rules = str(CHECKOUT / "tests" / "examples" / "places")
    assert CliRunner().invoke(app, ["places", "check", rules, "--map", str(page)]).exit_code == 0
    text = page.read_text(encoding="utf-8")
    copy = tmp_path / "copy.html"

    copy.write_text(text.replace("</body>", f"{PROBE}</body>"), encoding="utf-8")
    assert "<title>touchpoint places</title>" in dom(copy, tmp_path / "profile", 500)

    free = text.replace("default-src 'none'", "default-src 'unsafe-inline'")
    copy.write_text(free.replace("</body>", f"{PROBE}</body>"), encoding="utf-8")
    assert "<title>500 of 500</title>" in dom(copy, tmp_path / "profile", 500)
    copy.write_text(free.replace("</body>", f"{COUNT}</body>"), encoding="utf-8")
    assert "<title>8 maps</title>" in dom(copy, tmp_path / "profile", 1200)
