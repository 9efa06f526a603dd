"""A server process of a test: started in its folder, killed, paused, waited for; it ends with the session."""

from __future__ import annotations

import atexit
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PORTS = range(12_000, 22_000)
"""Ports to draw from: below those that the kernel gives to outgoing connections, so that a server which was
killed finds its port free again. 10,000 above stands the bus of a node of Redis Cluster."""
BUS = 10_000

_drawn: set[int] = set()
_guards: list[subprocess.Popen[bytes]] = []


class NoServerError(Exception):
    """No server of this kind can be had here; says why."""


class ServerError(Exception):
    """A server did not do what it has to; holds the end of its log."""


def free_port() -> int:
    """Draw a port that nobody listens on; its bus port is free, too. Never the same twice in a process."""
    for port in random.SystemRandom().sample(PORTS, 200):
        if port not in _drawn and _is_free(port) and _is_free(port + BUS):
            _drawn.add(port)
            return port
    raise ServerError(f"ports {PORTS.start}-{PORTS.stop}: expected a free one, was none of 200 tried")


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def is_listening(port: int) -> bool:
    """True if somebody accepts connections on this port of 127.0.0.1."""
    with socket.socket() as tried:
        tried.settimeout(1)
        return tried.connect_ex(("127.0.0.1", port)) == 0


def wait_until(check: Callable[[], object], what: str, within: float = 30, every: float = 0.02) -> None:
    """Ask `check` until it says yes; for code without an event loop, `eventually` is for tests with one.

    `within` and `every` are seconds. Raises ServerError with `what` was expected.
    """
    end = time.monotonic() + within
    while not check():
        if time.monotonic() > end:
            raise ServerError(f"expected {what} within {within:g} s")
        time.sleep(every)


def _tell_guard(line: str) -> None:
    """Tell the guard of this process what it has to end; start it at first use."""
    if not _guards:
        guard = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("guard.py"))],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        _guards.append(guard)
        # Closes the pipe, which has the guard end what a test left running.
        atexit.register(guard.communicate)
    pipe = _guards[0].stdin
    assert pipe is not None
    pipe.write(line.encode())
    pipe.flush()


class Process:
    """A server as one process, in a process group of its own.

    `command` runs in `folder`, output goes to `log` there. It ends with the tests, however they end.
    """

    def __init__(
        self, name: str, folder: Path, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.folder = folder
        self.log = folder / "log"
        self._command = list(command)
        self._environment = {**os.environ, **(environment or {})}
        self._running: subprocess.Popen[bytes] | None = None
        self._is_paused = False

    @property
    def pid(self) -> int:
        """Id of the process. Raises ServerError where none is running."""
        if self._running is None:
            raise ServerError(f"{self.name}: expected a running server, was a stopped one")
        return self._running.pid

    @property
    def is_running(self) -> bool:
        """True while the process lives, paused or not."""
        return self._running is not None and self._running.poll() is None

    @property
    def is_paused(self) -> bool:
        """True between `pause` and `resume`."""
        return self._is_paused

    def launch(self) -> None:
        """Start the process, without waiting for anything."""
        if self.is_running:
            raise ServerError(f"{self.name}: expected a stopped server, was a running one")
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                self._command,
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._is_paused = False
        _tell_guard(f"+{self._running.pid}\n")

    def wait_ready(self, check: Callable[[], object], within: float = 30) -> None:
        """Wait until `check` says yes. Raises ServerError with the log's end if it dies or is late."""
        try:
            wait_until(lambda: not self.is_running or check(), "an answer", within)
        except ServerError as error:
            raise ServerError(f"{self.name}: {error}, log:\n{self.last_words()}") from None
        if not self.is_running:
            code = self._running.returncode if self._running else None
            raise ServerError(
                f"{self.name}: expected a running server, was exit code {code}, log:\n{self.last_words()}"
            )

    def kill(self) -> None:
        """End it by SIGKILL and wait for its end: nothing is flushed, nobody is told."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it by SIGTERM and wait for its end; paused or not."""
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        """Stop its clock by SIGSTOP: connections stay open, nothing answers."""
        self._signal(signal.SIGSTOP)
        self._is_paused = True

    def resume(self) -> None:
        """Let it go on by SIGCONT."""
        self._signal(signal.SIGCONT)
        self._is_paused = False

    def last_words(self, lines: int = 20) -> str:
        """The end of its log."""
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def _signal(self, number: signal.Signals) -> None:
        if not self.is_running:
            raise ServerError(f"{self.name}: expected a running server, was a stopped one")
        os.killpg(self.pid, number)

    def _end(self, number: signal.Signals) -> None:
        if self._running is None:
            return
        ending, self._running, self._is_paused = self._running, None, False
        try:
            if ending.poll() is None:
                os.killpg(ending.pid, number)
                os.killpg(ending.pid, signal.SIGCONT)
                ending.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(ending.pid, signal.SIGKILL)
            ending.wait()
            raise ServerError(f"{self.name}: expected an end within 20 s of {number.name}") from None
        finally:
            _tell_guard(f"-{ending.pid}\n")
