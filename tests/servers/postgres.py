"""A PostgreSQL for tests: Debian's, else that of the wheel pgserver. It refuses root: then as nobody."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.servers.process import NoServerError, Process, free_port

NAME = "PostgreSQL"
USER, PASSWORD = "touchpoint", "a password: of tests"
NOBODY = 65_534


@dataclass(frozen=True, slots=True)
class FoundPostgres:
    """Where its programs are."""

    folder: Path
    version: str
    how: str
    prefix: tuple[str, ...]
    """What makes a command one of an unprivileged user."""


def find_postgres() -> FoundPostgres:
    """Find programs that run here; raise NoServerError saying why there are none."""
    prefix: tuple[str, ...] = ()
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            raise NoServerError("PostgreSQL refuses root, and there is no setpriv to be another user")
        prefix = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    on_path = shutil.which("postgres")
    found = [Path(on_path).resolve()] if on_path else []
    found += sorted(Path("/").glob("usr/lib/postgresql/*/bin/postgres"))
    found += Path(sysconfig.get_path("purelib")).glob("pgserver/pginstall/bin/postgres")
    for program in found:
        if not (program.parent / "initdb").exists():
            continue
        asked = subprocess.run([*prefix, program, "--version"], capture_output=True, text=True, check=False)
        if asked.returncode == 0:
            version = asked.stdout.split("(PostgreSQL)")[-1].split()[0]
            return FoundPostgres(program.parent, f"{NAME} {version}", str(program), prefix)
    raise NoServerError("no postgres and initdb on PATH, in /usr/lib/postgresql or of the wheel pgserver")


class PostgresServer:
    """One server with a user and a password. `folder`: its own, which an unprivileged user can reach."""

    def __init__(self, folder: Path, found: FoundPostgres) -> None:
        self.port = free_port()
        self._folder = folder
        data, password = folder / "data", folder / "password"
        password.write_text(PASSWORD, encoding="utf-8")
        if found.prefix:
            for path in (folder, password):
                os.chown(path, NOBODY, NOBODY)
        subprocess.run(
            [
                *found.prefix,
                found.folder / "initdb",
                *("-D", data, "-U", USER, f"--pwfile={password}"),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        options = (
            f"-p{self.port}",
            "-clisten_addresses=127.0.0.1",
            f"-k{folder}",
            "-cfsync=off",
            "-clog_statement=all",
        )
        self._process = Process(
            NAME, folder, [*found.prefix, str(found.folder / "postgres"), "-D", str(data), *options]
        )

    @property
    def url(self) -> str:
        """Its address, without the password."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/postgres"

    @property
    def log(self) -> str:
        """What it has logged: every statement."""
        return self._process.log.read_text(encoding="utf-8", errors="replace")

    def start(self) -> PostgresServer:
        """Start it."""
        self._process.launch()
        self._process.wait_ready(self._answers)
        return self

    def kill(self) -> None:
        """End it and remove what it kept."""
        self._process.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def run(self, statement: str, *values: object) -> None:
        """Run a statement and commit."""
        with psycopg.connect(self.url, password=PASSWORD) as connection:
            connection.execute(statement.encode(), values or None)

    def _answers(self) -> bool:
        try:
            self.run("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True
