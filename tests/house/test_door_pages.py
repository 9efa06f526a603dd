"""The pages about doors that others push into: feeds are opened, commands sent, records come."""

from __future__ import annotations

import asyncio
import contextlib
import io
import re
import shlex
import shutil
import socket
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from connectors.door import House
from connectors.push.camara import EVENTS
from connectors.push.door import PushDoor
from engine.deployment.feeds.build import lives_of
from engine.deployment.feeds.look import problems_of
from engine.deployment.feeds.read import load_feeds
from engine.identity import Identity
from engine.treatments.registry import Around
from tests.house.pages import Block, blocks
from tests.testdata import CHECKOUT
from tests.unit.collector.support import KEY, World
from tests.unit.push.support import FAST, TLS, collecting

WEBHOOKS, TCP = "docs/doors/webhooks.md", "docs/doors/tcp.md"
SENT = ("sh", "python")


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


def examples(page: str) -> list[tuple[Block, Block, Block, Block]]:
    """Return (feeds, what is sent, what is answered, records) of each example of a page."""
    found = blocks(page)
    shown = []
    for at, block in enumerate(found):
        if block.info in SENT:
            near = found[at - 1 : at] if block.info == "sh" else found[at + 1 : at + 2]
            after = found[at + (1 if block.info == "sh" else 2) :]
            shown.append((near[0], block, after[0], after[1]))
    return shown


def house_of(folder: Path) -> None:
    """Put the files that the feeds name beside them."""
    for name in ("cert.pem", "key.pem"):
        shutil.copy(TLS / name, folder / name)
    for name in ("camara-tokens", "amf-tokens", "nef-tokens", "tokens"):
        (folder / name).write_text("example-token-0001\n", encoding="utf-8")
    (folder / "keys").write_text("example-key-000001\n", encoding="utf-8")


@pytest.mark.parametrize("page", [WEBHOOKS, TCP])
def test_feeds_of_the_pages_have_no_mistake(page: str, tmp_path: Path) -> None:
    house_of(tmp_path)
    shown = [block for block in blocks(page) if block.info == "yml"]
    assert shown
    for block in shown:
        path = tmp_path / "feeds.yaml"
        path.write_text(block.text, encoding="utf-8")
        feeds = load_feeds(path)
        assert [str(found) for found in feeds.problems] == [], str(block)
        assert [str(found) for found in problems_of(feeds, House(), Identity(KEY), {})] == [], str(block)


@pytest.mark.parametrize(
    "example", [*examples(WEBHOOKS), *examples(TCP)], ids=lambda example: str(example[1])
)
async def test_what_is_sent_is_answered_and_makes_the_records(
    example: tuple[Block, Block, Block, Block], tmp_path: Path
) -> None:
    feeds, sent, answered, records = example
    assert (feeds.info, answered.info, records.info) == ("yml", "text", "json")
    house_of(tmp_path)
    [shown] = set(re.findall(r":(\d{4})\b", feeds.text))
    port = str(free_port())
    path = tmp_path / "feeds.yaml"
    path.write_text(feeds.text.replace(shown, port), encoding="utf-8")
    world = World()
    [live] = lives_of(load_feeds(path), House(), Around(Identity(KEY)))
    assert isinstance(live.source, PushDoor)
    async with collecting(world.collector(live, pace=FAST)):
        text = sent.text.replace(f"127.0.0.1:{shown}", f"127.0.0.1:{port}").replace(f" {shown}", f" {port}")
        said = await _send(Block(sent.page, sent.info, text, sent.line), tmp_path)
        assert said.strip() == answered.text.strip()
        expected = [orjson.loads(line) for line in records.text.splitlines()]
        found = await world.records()
        assert [
            {name: record[name] for name in record if name in wanted}
            for record, wanted in zip(found, expected, strict=True)
        ] == expected


async def _send(block: Block, folder: Path) -> str:
    """Do what a block does, without the programs it names."""
    if block.info == "python":
        out = io.StringIO()

        def run() -> None:
            with contextlib.redirect_stdout(out):
                exec(compile(block.text, str(block), "exec"), {})  # noqa: S102 - our own page

        await asyncio.to_thread(run)
        return out.getvalue()
    words = shlex.split(block.text.replace("\\\n", " "))
    return await (_curl(words, folder) if words[0] == "curl" else _netcat(words))


async def _curl(words: list[str], folder: Path) -> str:
    headers: dict[str, str] = {}
    options: dict[str, Any] = {"http1": "--http2-prior-knowledge" not in words}
    options["http2"] = not options["http1"]
    rest = iter(words[1:])
    url, body = "", ""
    for word in rest:
        if word == "-H":
            name, _, value = next(rest).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(rest)
        elif word == "--cacert":
            options["verify"] = ssl.create_default_context(cafile=str(folder / next(rest)))
        elif not word.startswith("-"):
            url = word
    async with httpx.AsyncClient(trust_env=False, **options) as client:
        said = await client.post(url, content=body, headers=headers)
    return f"{said.status_code}\n{said.text}"


async def _netcat(words: list[str]) -> str:
    bar = words.index("|")
    form, *values = words[1:bar]
    assert words[bar + 1 : bar + 3] == ["nc", "-N"]
    host, port = words[bar + 3 :]
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write((form.replace("\\n", "\n") % tuple(values)).encode())
    writer.write_eof()
    said = (await asyncio.wait_for(reader.read(), 5)).decode()
    writer.close()
    await writer.wait_closed()
    # numbers may be skipped: the last one counts
    return said.splitlines()[-1]


def test_subscriptions_are_json_with_the_addresses_of_the_feeds() -> None:
    page = blocks(WEBHOOKS)
    addresses = []
    for block in page:
        if block.info == "json" and "kind" not in block.text:
            shown: Mapping[str, Any] = orjson.loads(block.text)
            inner = shown.get("subscription", shown)
            addresses.append(
                next(
                    inner[key]
                    for key in ("sink", "eventNotifyUri", "notificationDestination")
                    if key in inner
                )
            )
    ports = [re.findall(r":(\d{4})\b", block.text)[0] for block in page if block.info == "yml"]
    assert [re.findall(r":(\d{4})/", address)[0] for address in addresses] == ports[:3]


def test_every_event_of_camara_is_in_its_table() -> None:
    text = (CHECKOUT / WEBHOOKS).read_text(encoding="utf-8")
    assert [name for name in EVENTS if f"`{name.partition('.')[2]}`" not in text] == []


def test_every_counter_is_in_the_table() -> None:
    counted = set()
    for path in (CHECKOUT / "connectors" / "push").glob("*.py"):
        counted |= set(re.findall(r"counts\[\"(\w+)\"\] \+=", path.read_text(encoding="utf-8")))
    part = (CHECKOUT / WEBHOOKS).read_text(encoding="utf-8").split("\n## Counters\n")[1].split("\n## ")[0]
    listed = {
        name
        for line in re.findall(r"^\| (`.*?`) \|", part, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", line)
    }
    assert listed - {"fate"} == counted
