"""Take the whole mistake tour: `python -m tests.tour [SHARE]`, every SHAREth slip (default 1: all)."""

from __future__ import annotations

import sys
import time

from tests.tour.judge import tour


def main() -> int:
    """Take the tour and print what came of it; 1 if a target is missed."""
    share = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    began = time.monotonic()
    found = tour(share)
    total = found.total()
    print(found.table())
    print(f"\n{time.monotonic() - began:.0f} s")
    for line in found.lost[:40]:
        print(f"not at its place: {line}")
    for line, times in found.unhinted.most_common(60):
        print(f"no hint, {times} times: {line}")
    return int(total.placed < total.tried or total.hinted < 0.95 * total.long)


if __name__ == "__main__":
    sys.exit(main())
