"""`./run faults [ROW…]`: the crash matrix on real servers; exit code 1 if a row does not hold."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.faults.rows import PLANTED, ROWS, Servers
from tests.servers.kafka import KafkaServer
from tests.servers.redis import RedisServer


def main() -> int:
    """Run rows one after the other; a table at the end."""
    parser = argparse.ArgumentParser(prog="./run faults", description="The crash matrix.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join([*ROWS, "planted"]))
    parser.add_argument("--quick", action="store_true", help="few faults each")
    given = parser.parse_args()
    if given.rows == ["planted"]:
        return planted(given.quick)
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


def planted(quick: bool) -> int:
    """Plant each fault: the checker has to find it; exit code 1 if it does not."""
    missed = 0
    with tempfile.TemporaryDirectory(prefix="touchpoint-faults-") as folder:
        on = Servers(
            Path(folder), KafkaServer(Path(folder) / "kafka"), RedisServer(Path(folder) / "redis"), quick
        )
        on.kafka.start()
        on.redis.start()
        try:
            for name, row in PLANTED.items():
                try:
                    found = row(on)
                    v = found.verdict
                    said = f"lost {v.lost}, spurious {v.spurious}, doubled {v.doubled}, wrong {v.wrong}"
                    caught = not found.holds
                except AssertionError as error:
                    said, caught = str(error).splitlines()[0], True
                missed += not caught
                print(f"planted {name:7} {'caught' if caught else 'MISSED'}: {said}", flush=True)
        finally:
            on.kafka.stop()
            on.redis.stop()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
