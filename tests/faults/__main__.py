"""`./run faults [ROW…]`: the crash matrix on real servers; exit code 1 if a row does not hold."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.faults.rows import ROWS, Servers
from tests.servers.kafka import KafkaServer
from tests.servers.redis import RedisServer


def main() -> int:
    """Run rows one after the other; a table at the end."""
    parser = argparse.ArgumentParser(prog="./run faults", description="The crash matrix.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--quick", action="store_true", help="few faults each")
    given = parser.parse_args()
    for name in given.rows:
        if name not in ROWS:
            parser.error(f"expected a row ({', '.join(ROWS)}), was {name!r}")
    lines, bad = [], 0
    with tempfile.TemporaryDirectory(prefix="touchpoint-faults-") as folder:
        on = Servers(
            Path(folder),
            KafkaServer(Path(folder) / "kafka"),
            RedisServer(Path(folder) / "redis"),
            given.quick,
        )
        on.kafka.start()
        on.redis.start()
        try:
            for name in given.rows or ROWS:
                print(f"row {name}: {(ROWS[name].__doc__ or '').strip()}", flush=True)
                try:
                    found = ROWS[name](on)
                except AssertionError as error:
                    print(f"  {error}"[:3000], flush=True)
                    lines.append(f"{name:4} did not end")
                    bad += 1
                    continue
                v = found.verdict
                bad += not found.holds
                lines.append(
                    f"{name:4} {v.offers:6} {found.faults:6} {found.in_flight:9} {v.lost:5} {v.spurious:8} "
                    f"{v.doubled:7} {v.wrong:6} {v.unended:7} {found.seconds:7.0f}  "
                    f"{'holds' if found.holds else 'FAILS'}  {dict(v.ends)} {' '.join(found.problems)}"
                )
                print(f"  {lines[-1]}", flush=True)
                for example in v.examples:
                    print(f"    {example}", flush=True)
        finally:
            on.kafka.stop()
            on.redis.stop()
    print("\nrow  offers faults in flight  lost spurious doubled  wrong unended seconds")
    print("\n".join(lines))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
