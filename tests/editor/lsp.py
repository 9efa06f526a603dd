"""A small client of the Language Server Protocol over stdin and stdout: what an editor does, as functions.

JSON-RPC 2.0 behind `Content-Length` headers. One thread reads; whoever asks waits for the answer.
"""

from __future__ import annotations

import queue
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import orjson

Json = dict[str, Any]

PATIENCE = 60.0
"""Seconds that an answer may take on a busy machine; it takes milliseconds."""


class Editor:
    """A running language server and the documents that are open in it."""

    def __init__(self, command: Sequence[str], folder: Path, settings: Json) -> None:
        self.settings = settings
        self.folder = folder
        self._server = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder
        )
        self._inbox: queue.Queue[Json | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._asked = 0
        self._versions: dict[str, int] = {}
        self._marks: dict[str, list[Json]] = {}

    def __enter__(self) -> Editor:
        uri = self.folder.as_uri()
        completion = {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}}
        capabilities = {
            "textDocument": {"completion": completion, "hover": {"contentFormat": ["markdown"]}},
            "workspace": {"configuration": True, "workspaceFolders": True},
        }
        folders = [{"uri": uri, "name": self.folder.name}]
        self.ask(
            "initialize",
            {"processId": None, "rootUri": uri, "capabilities": capabilities, "workspaceFolders": folders},
        )
        self.tell("initialized", {})
        self.tell("workspace/didChangeConfiguration", {"settings": self.settings})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._server.poll() is None and kind is None:
                self.ask("shutdown", None)
                self.tell("exit", None)
                self._server.wait(PATIENCE)
        finally:
            self._server.kill()
            self._server.wait()
            self._reader.join()
            assert self._server.stdin is not None
            assert self._server.stdout is not None
            self._server.stdin.close()
            self._server.stdout.close()

    # -- what an editor does -----------------------------------------------------------------------

    def open(self, uri: str, text: str) -> None:
        """Open a document, or put another text into one that is open."""
        self._marks.pop(uri, None)
        version = self._versions[uri] = self._versions.get(uri, 0) + 1
        if version == 1:
            document = {"uri": uri, "languageId": "yaml", "version": version, "text": text}
            self.tell("textDocument/didOpen", {"textDocument": document})
        else:
            change = {"textDocument": {"uri": uri, "version": version}, "contentChanges": [{"text": text}]}
            self.tell("textDocument/didChange", change)

    def marks(self, uri: str) -> list[Json]:
        """Return what the server marks in a document since it was last opened; waits for it."""
        while uri not in self._marks:
            self._take()
        return self._marks[uri]

    def complete(self, uri: str, line: int, character: int) -> list[Json]:
        """Return what is offered at a position, counted from 0."""
        answer = self.ask("textDocument/completion", _at(uri, line, character))
        items: list[Json] = answer["items"] if isinstance(answer, dict) else answer or []
        return items

    def hover(self, uri: str, line: int, character: int) -> str:
        """Return what is shown when the mouse rests on a position, as Markdown; empty if nothing is."""
        answer = self.ask("textDocument/hover", _at(uri, line, character))
        return str(answer["contents"]["value"]) if answer else ""

    # -- the wire ----------------------------------------------------------------------------------

    def ask(self, method: str, params: Any) -> Any:
        """Send a request and wait for its result."""
        self._asked += 1
        self._send({"id": self._asked, "method": method, "params": params})
        while True:
            message = self._take()
            if message.get("id") == self._asked and "method" not in message:
                if "error" in message:
                    raise AssertionError(f"{method}: {message['error']}")
                return message.get("result")

    def tell(self, method: str, params: Any) -> None:
        """Send a notification."""
        self._send({"method": method, "params": params})

    def _send(self, message: Json) -> None:
        body = orjson.dumps({"jsonrpc": "2.0", **message})
        assert self._server.stdin is not None
        self._server.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._server.stdin.flush()

    def _take(self) -> Json:
        """Take the next message; answer what the server asks, keep what it marks."""
        try:
            message = self._inbox.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError(f"the language server said nothing for {PATIENCE:.0f} s") from None
        if message is None:
            raise AssertionError(f"the language server ended with {self._server.wait()}")
        method = message.get("method")
        if method == "textDocument/publishDiagnostics":
            params = message["params"]
            if params.get("version", 0) in (0, self._versions.get(params["uri"])):
                self._marks[params["uri"]] = params["diagnostics"]
        elif method is not None and "id" in message:
            self._send({"id": message["id"], "result": self._answer(method, message.get("params"))})
        return message

    def _answer(self, method: str, params: Any) -> Any:
        if method != "workspace/configuration":
            return None
        return [self.settings.get(str(item.get("section"))) for item in params["items"]]

    def _read(self) -> None:
        assert self._server.stdout is not None
        stream: BinaryIO = self._server.stdout  # type: ignore[assignment]
        while True:
            length = 0
            while line := stream.readline().strip():
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if not length:
                break
            self._inbox.put(orjson.loads(stream.read(length)))
        self._inbox.put(None)


def _at(uri: str, line: int, character: int) -> Json:
    return {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}
