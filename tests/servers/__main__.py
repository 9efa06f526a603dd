"""`./run servers [FOLDER]`: a real Kafka and Redis on this machine to try a deployment on, until Ctrl-C."""

from __future__ import annotations

import argparse
import fcntl
import signal
import sys
import threading
from pathlib import Path
from shlex import quote

from tests.servers.kafka import KafkaServer
from tests.servers.process import NoServerError, ServerError
from tests.servers.redis import RedisServer

VARIABLES = "servers.env"
LOCK = "lock"


def main(arguments: list[str]) -> int:
    """Start both, write the variables by which roles find them, wait.

    Exit codes: 1 one could not be had, or the folder is in use; 2 usage. A folder may be started again: its
    data is there, the ports are others.
    """
    parser = argparse.ArgumentParser(prog="./run servers", description=__doc__)
    parser.add_argument(
        "folder", nargs="?", default="out/servers", metavar="FOLDER", help="their data, kept (out/servers)"
    )
    # whole, since each server is started in a folder of its own, and roles wherever their user stands
    folder = Path(parser.parse_args(arguments).folder).resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("w")
    except OSError as error:
        why = (error.strerror or "not to be made").lower()
        parser.error(f"FOLDER: expected a folder that can be written, was '{folder}' ({why})")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(
                f"servers: {folder}: expected a folder that no other servers use, was in use", file=sys.stderr
            )
            return 1
        return _serve(folder)


def _serve(folder: Path) -> int:
    """Do so in a folder that is ours."""
    (folder / VARIABLES).unlink(missing_ok=True)  # of a run before: nobody listens there
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        redis, kafka = RedisServer(folder / "redis"), KafkaServer(folder / "kafka")
        redis.start()
        kafka.start()
    except (NoServerError, ServerError) as error:
        print(f"servers: {error}", file=sys.stderr)
        return 1
    lines = {
        "TOUCHPOINT_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "TOUCHPOINT_REDIS_URL": redis.url,
        "TOUCHPOINT_LANDING": str(folder / "landing"),
        "TOUCHPOINT_DEMO_SECRETS": "yes",
    }
    (folder / "landing").mkdir(exist_ok=True)
    text = "".join(f"export {name}={quote(value)}\n" for name, value in lines.items())
    (folder / VARIABLES).write_text(text)
    print(f"{text}\nthe same lines are in {folder / VARIABLES}; Ctrl-C ends both servers", flush=True)
    stop.wait()
    kafka.stop()
    redis.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
