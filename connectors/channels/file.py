"""A channel that writes messages as JSON lines and answers with receipts of its own: the embedded run's."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import IO

import orjson

from engine.ports import Message, Receipt


class FileChannel:
    """Writes to one file; every message is accepted at once and delivered at the next call of `receipts`.

    `append`: to what is there already, as a role does that is started again.

    The file holds phone numbers, as an SMS centre would see them: it stands for the network and is no log.
    """

    name = "file"

    def __init__(self, path: Path, *, append: bool = False) -> None:
        self.path = path
        self._mode = "ab" if append else "wb"
        self._file: IO[bytes] | None = None
        self._pending: list[Receipt] = []

    async def submit(self, message: Message) -> Receipt:
        """Write one message."""
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open(self._mode)
        line = {
            "decision": message.decision,
            "channel": message.channel,
            "to": message.to,
            "subject": message.subject,
            "text": message.text,
        }
        self._file.write(orjson.dumps({k: v for k, v in line.items() if v is not None}) + b"\n")
        self._file.flush()
        self._pending.append(Receipt(message.decision, "delivered"))
        return Receipt(message.decision, "accepted")

    async def receipts(self) -> list[Receipt]:
        """Return the deliveries since the last call."""
        pending, self._pending = self._pending, []
        return pending

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> FileChannel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
