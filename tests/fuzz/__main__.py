"""Check damaged files: `python -m tests.fuzz [COUNT [SEED]]`; 20,000 of seed 1 by default."""

from __future__ import annotations

import sys
import time

from tests.fuzz.run import campaign


def main() -> int:
    """Run the campaign and print its figures; 1 if a file took longer than a second."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    began = time.monotonic()
    done = campaign(count, seed)
    print(f"{done.files:,} files of seed {seed} in {time.monotonic() - began:.0f} s: no traceback")
    print(f"{done.broken:,} with problems; slowest check {done.slowest * 1000:.0f} ms of CPU")
    print(", ".join(f"{code} {times:,}" for code, times in sorted(done.codes.items())))
    print(f"told in the parser's own words: {done.raw.total():,} {dict(done.raw.most_common(5))}")
    if done.slowest > 1:
        print(f"the slowest: {done.slowest_text!r}")
    return int(done.slowest > 1)


if __name__ == "__main__":
    sys.exit(main())
