"""The simulated SMS centre outlives a dispatcher: it reports again what nobody may have heard."""

from __future__ import annotations

from pathlib import Path

from connectors.channels.lab import Faults, LabChannel
from engine.ports import Message


async def test_receipts_of_the_last_messages_come_again_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "messages.jsonl"
    with LabChannel(path, lambda: 1, faults=Faults()) as first:
        for number in range(5):
            await first.submit(Message(f"d{number}", "sms", "+8613900000000", "text"))
    with path.open("ab") as file:
        file.write(b'{"decision":"cut')
    with LabChannel(path, lambda: 1, remember=3) as again:
        assert [receipt.decision for receipt in await again.receipts()] == ["d2", "d3", "d4"]
    with LabChannel(path, lambda: 1) as forgetful:
        assert await forgetful.receipts() == []


async def test_a_rejected_message_has_no_receipt(tmp_path: Path) -> None:
    path = tmp_path / "messages.jsonl"
    with LabChannel(path, lambda: 1, faults=Faults(rejected=1)) as first:
        await first.submit(Message("d", "sms", "+8613900000000", "text"))
    with LabChannel(path, lambda: 1, remember=3) as again:
        assert await again.receipts() == []
