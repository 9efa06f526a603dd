"""Schema registries of tests: a twin by the documented API, served over HTTP, and a real one if it is there.

The real one is Apicurio Registry by its Confluent-compatible API: `$TEST_REGISTRY_URL`, else the app in
`.cache/registry`, which `python -m tests.servers.registry` gets by Maven once (140 MB, needs Java 17).
"""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import tarfile
import threading
from base64 import b64encode
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from urllib.request import Request, urlopen

from tests.servers.process import NoServerError, free_port, is_listening, wait_until
from tests.testdata import CHECKOUT

URL = "TEST_REGISTRY_URL"
CACHE = CHECKOUT / ".cache" / "registry"
VERSION = "2.6.13.Final"
"""The last line of releases that runs on Java 17."""
RUNNER = f"apicurio-registry-app-{VERSION}-runner.jar"
TYPE = "application/vnd.schemaregistry.v1+json"
Answer = tuple[int, Any]


@dataclass
class Twin:
    """A registry in this process. `Confluent Schema Registry API Reference`, as much of it as is used."""

    tls: ssl.SSLContext | None = None
    wanted: str = ""
    """What `Authorization` has to be; empty: anything."""
    status: int = 200
    """Another one: every request is answered by it."""
    hangs: threading.Event | None = None
    """Requests wait for it."""
    asked: Counter[str] = field(default_factory=Counter)
    """Requests by path."""
    _subjects: dict[str, list[int]] = field(default_factory=dict)
    _deleted: set[str] = field(default_factory=set)
    _schemas: dict[int, dict[str, Any]] = field(default_factory=dict)

    def start(self) -> Twin:
        """Listen; also again, at the same port, after `stop`."""
        twin = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # one packet per answer: two of them would wait for each other

            def do_GET(self) -> None:
                self._answer(*twin._get(self.path, self.headers.get("Authorization", "")))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self._answer(*twin._register(unquote(self.path.split("/")[2]), body))

            def _answer(self, status: int, content: Any) -> None:
                raw = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", TYPE)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, format: str, *args: object) -> None:
                """Be quiet."""

        port = getattr(self, "port", 0)
        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Go down: connections are refused from now on."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http{'' if self.tls is None else 's'}://127.0.0.1:{self.port}"

    def delete(self, subject: str, *, permanent: bool = False) -> None:
        """Delete a subject, softly unless `permanent`: then its schemas are gone."""
        self._deleted.add(subject)
        if permanent:
            for number in self._subjects.pop(subject):
                del self._schemas[number]

    def _register(self, subject: str, body: dict[str, Any]) -> Answer:
        number = max(self._schemas, default=0) + 1
        self._schemas[number] = {name: value for name, value in body.items() if value != []}
        self._subjects.setdefault(subject, []).append(number)
        return 200, {"id": number}

    def _get(self, path: str, authorization: str) -> Answer:
        self.asked[path] += 1
        if self.hangs is not None:
            self.hangs.wait(30)
        if self.status != 200:
            return self.status, {"error_code": self.status * 100 + 99, "message": "told to"}
        if self.wanted and authorization != self.wanted:
            return 401, {"error_code": 401, "message": "Unauthorized"}
        parts = urlsplit(path)
        match [unquote(step) for step in parts.path.split("/")[1:]]:
            case ["schemas", "ids", number]:
                found = self._schemas.get(int(number))
                return (200, found) if found else (404, {"error_code": 40403, "message": "Schema not found"})
            case ["subjects", subject, "versions", version]:
                hidden = subject in self._deleted and parse_qs(parts.query).get("deleted") != ["true"]
                numbers = self._subjects.get(subject, [])
                if hidden or not numbers:
                    return 404, {"error_code": 40401, "message": "Subject not found."}
                return 200, {"subject": subject, **self._schemas[numbers[int(version) - 1]]}
        return 404, {"error_code": 404, "message": "HTTP 404 Not Found"}


def register(
    url: str, subject: str, schema: str | dict[str, Any], type: str = "AVRO", **references: str
) -> int:
    """Register a schema as a producer does; return its id. `references`: name -> subject, of version 1."""
    body = {
        "schema": schema if isinstance(schema, str) else json.dumps(schema),
        "schemaType": type,
        "references": [
            {"name": name, "subject": subject, "version": 1} for name, subject in references.items()
        ],
    }
    request = Request(
        f"{url}/subjects/{subject}/versions", json.dumps(body).encode(), {"Content-Type": TYPE}, method="POST"
    )
    with urlopen(request, timeout=20) as answer:
        return int(json.loads(answer.read())["id"])


def basic(username: str, password: str) -> str:
    """Return the header of basic authentication."""
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode()


class Apicurio:
    """A real registry as a process, its schemas in memory."""

    def __init__(self, folder: Path) -> None:
        """Raise NoServerError if the app is not there."""
        if not (CACHE / RUNNER).exists():
            raise NoServerError(f"no ${URL}, no app in .cache/registry: python -m {__name__}")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/apis/ccompat/v7"
        with (folder / "registry.log").open("wb") as log:
            command = ["java", "-Xmx256m", f"-Dquarkus.http.port={self.port}", "-jar", str(CACHE / RUNNER)]
            self._process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        wait_until(lambda: is_listening(self.port), "the registry listens", within=60)

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(20)


def outside() -> str:
    """Return the address of a registry that is given; empty: none."""
    return os.environ.get(URL, "")


def fetch() -> None:
    """Get the app by Maven and unpack it into the cache."""
    artifact = f"io.apicurio:apicurio-registry-app:{VERSION}:tar.gz:all"
    CACHE.mkdir(parents=True, exist_ok=True)
    copy = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={CACHE}"]
    subprocess.run(copy, check=True)
    [packed] = CACHE.glob("*.tar.gz")
    with tarfile.open(packed) as archive:
        archive.extractall(CACHE, filter="data")
    packed.unlink()


if __name__ == "__main__":
    fetch()
    sys.exit(0)
