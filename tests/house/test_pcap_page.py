"""The page about packet captures: its commands print what it shows, its feed is one, its lists are whole."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from connectors.pcap import attachments, nas, tcap
from engine.deployment.feeds.read import load_feeds
from tests.house.pages import blocks, commands, missing, program_arguments, run
from tests.house.sources import text
from tests.unit.pcap.packets import pcap
from tests.unit.pcap.world import made

PAGE = "docs/doors/pcap.md"


def test_the_commands_print_what_the_page_shows(tmp_path: Path) -> None:
    (tmp_path / "lab.pcap").write_bytes(pcap(made()))
    found = blocks(PAGE)
    checked = 0
    for block, shown in pairwise(found):
        if block.info != "sh" or "touchpoint pcap" not in block.text:
            continue
        [command] = commands(block)
        arguments = program_arguments(command)
        assert arguments is not None
        done = run(arguments, tmp_path)
        assert done.returncode == 1, done.stderr
        assert missing(shown.text, done.stdout) == []
        checked += 1
    assert checked == 2


def test_the_feed_of_the_page_is_one(tmp_path: Path) -> None:
    [block] = [block for block in blocks(PAGE) if block.info == "yml"]
    path = tmp_path / "feeds.yaml"
    path.write_text(block.text, encoding="utf-8")
    assert [problem.pretty() for problem in load_feeds(path).problems] == []


def test_all_procedures_are_on_the_page() -> None:
    page = text(Path(PAGE))
    begun = {name for name, _ in attachments._BEGINS.values()}
    assert begun <= {"attach", "tracking area update", "service request"} | {
        "extended service request",
        "control plane service request",
    }
    assert [tcap.NAMES[code] for code in tcap._RECORDS if tcap.NAMES[code] not in page] == []
    assert set(nas._IDENTITY) <= set(nas.NAMES)
