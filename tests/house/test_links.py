"""Links of the pages: every relative one leads to a file that is there, every anchor to a heading of it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from tests.house.sources import files
from tests.testdata import CHECKOUT

PAGES = [str(path) for path in files() if path.suffix == ".md"]
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]+`")
_LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
_NAMED = re.compile(r"<a (?:id|name)=\"([^\"]+)\"")


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return the anchors of a page, as GitHub makes them of headings; one that comes again is numbered."""
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    found: dict[str, int] = {}
    for heading in _HEADING.findall(text):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        found[name] = found.get(name, -1) + 1
        if found[name]:
            found[f"{name}-{found[name]}"] = 0
    return frozenset((*found, *_NAMED.findall(text)))


def wrong(page: Path) -> list[str]:
    """Return the links of a page that lead nowhere."""
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    found = []
    for link in _LINK.findall(_CODE.sub("", text)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    assert wrong(CHECKOUT / page) == []


def test_what_leads_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A `b` c, d\n## Twice\n## Twice\n[ok](#a-b-c-d) [ok](#twice-1) [ok](page.md#twice) [ok](https://x.y/z)\n"
        "`[no](code.md)`\n```\n[no](fenced.md)\n```\n[x](gone.md) [y](#gone) [z](page.md#twice-2)\n"
    )
    assert wrong(page) == ["gone.md", "#gone", "page.md#twice-2"]


def test_a_column_map_is_explained_by_the_page_on_maps() -> None:
    for page in PAGES:
        text = (CHECKOUT / page).read_text(encoding="utf-8")
        told = re.findall(r"\[column maps?\]\(([^)]+)\)", text)
        assert [link for link in told if not link.split("#")[0].endswith("maps.md")] == [], page
