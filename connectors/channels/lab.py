"""A simulated SMS centre with faults, for tests and labs; every submit is a line of its evidence file.

What goes wrong is drawn from a seeded generator: answers that are lost, throttling, refusals; and from the
decision's id, so that a centre that reports again reports the same: receipts that come twice, late, or before
the answer to the submit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from random import Random
from types import TracebackType
from typing import IO

import orjson

from engine.errors import ThrottledError
from engine.ports import Message, Receipt


@dataclass(frozen=True, slots=True)
class Faults:
    """Shares from 0 to 1, each drawn by itself; times in seconds."""

    latency: float = 0
    """Mean time from the write to the answer, exponential."""
    throttled: float = 0
    """Nothing is handed over, `ThrottledError`; not a line of the evidence."""
    lost: float = 0
    """The message is taken, the answer is not heard: `ConnectionResetError`."""
    rejected: float = 0
    """Taken by nobody: answered `rejected`."""
    failed: float = 0
    """Ends as `failed`, not as `delivered`."""
    silent: float = 0
    """Never any receipt."""
    early: float = 0
    """The receipt is there before the answer."""
    twice: float = 0
    """The receipt comes twice."""
    late: float = 0
    """The receipt takes `late_by` longer."""
    late_by: float = 60
    receipt_after: float = 0
    """Usual time from the submit to its receipt."""


class LabChannel:
    """Takes messages, answers and reports as `faults` say. `clock`: µs UTC, also for receipts that wait.

    `remember`: the centre outlives who sends to it, and reports that many of its last messages again, as one
    does that had no answer to its receipts.

    The evidence, one JSON object per submit that reached the centre: `at decision channel to text
    valid_until_us answer`. It holds phone numbers, as an SMS centre would; it stands for the network.
    """

    name = "lab"

    def __init__(
        self,
        path: Path,
        clock: Callable[[], int],
        *,
        seed: int = 0,
        faults: Faults | None = None,
        remember: int = 0,
    ) -> None:
        self.path = path
        self.clock = clock
        self.faults = faults or Faults()
        self.throttled = 0
        """Submits that were turned away."""
        self._random = Random(seed)
        self._file: IO[bytes] | None = None
        self._due: list[tuple[int, int, Receipt]] = []
        self._order = count()
        if remember:
            self._report_again(remember)

    async def submit(self, message: Message) -> Receipt:
        """Take one message."""
        faults = self.faults
        if self._draws(faults.throttled):
            self.throttled += 1
            raise ThrottledError(f"channel {message.channel}: expected room, was throttled")
        lost, rejected = self._draws(faults.lost), self._draws(faults.rejected)
        self._write(message, "lost" if lost else "rejected" if rejected else "accepted")
        if not rejected:
            self._report(message.decision)
        if faults.latency:
            await asyncio.sleep(self._random.expovariate(1 / faults.latency))
        if lost:
            raise ConnectionResetError("connection lost before the answer")
        return Receipt(message.decision, "rejected" if rejected else "accepted")

    async def receipts(self) -> list[Receipt]:
        """Return the receipts that are due."""
        now, found = self.clock(), list[Receipt]()
        while self._due and self._due[0][0] <= now:
            found.append(heappop(self._due)[2])
        return found

    def _draws(self, share: float) -> bool:
        return self._random.random() < share

    def _report(self, decision: str) -> None:
        """Plan the receipts of a message that was taken: the same however often it is reported."""
        faults, fate = self.faults, Random(decision)
        if fate.random() < faults.silent:
            return
        receipt = Receipt(decision, "failed" if fate.random() < faults.failed else "delivered")
        after = 0.0 if fate.random() < faults.early else faults.receipt_after
        after += faults.late_by if fate.random() < faults.late else 0
        for _ in range(2 if fate.random() < faults.twice else 1):
            heappush(self._due, (self.clock() + int(after * 1e6), next(self._order), receipt))

    def _report_again(self, messages: int) -> None:
        lines = self.path.read_bytes().split(b"\n") if self.path.exists() else []
        for line in lines[-messages - 1 :]:
            if line.endswith(b"}"):
                taken = orjson.loads(line)
                if taken["answer"] != "rejected":
                    self._report(taken["decision"])

    def _write(self, message: Message, answer: str) -> None:
        """Append to the evidence before anything can fail; flushed, so that it outlives this process."""
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("ab")
        line = {
            "at": self.clock(),
            "decision": message.decision,
            "channel": message.channel,
            "to": message.to,
            "text": message.text,
            "valid_until_us": message.valid_until_us,
            "answer": answer,
        }
        self._file.write(orjson.dumps(line) + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Close the evidence."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> LabChannel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
