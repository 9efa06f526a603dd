"""`./run servers [FOLDER]`: a real Kafka and Redis on this machine to try a deployment on, until Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from shlex import quote

from tests.servers.kafka import KafkaServer
from tests.servers.process import NoServerError, ServerError
from tests.servers.redis import RedisServer

VARIABLES = "servers.env"


def main() -> int:
    """Start both, write the variables by which roles find them, wait; exit code 1: one could not be had."""
    # whole, since each server is started in a folder of its own, and roles wherever their user stands
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "out/servers").resolve()
    folder.mkdir(parents=True, exist_ok=True)
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
    sys.exit(main())
