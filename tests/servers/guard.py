"""Ends the servers of a session of tests that was killed itself: started by `process`, reads from its pipe.

`+PID` names a process group to end, `-PID` one that is gone. The pipe closes when the session ends, however
it does; a death signal (prctl) would come when the thread ends that started the server, and on Linux only.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys


def main() -> None:
    """Read until the pipe closes, then kill what is left."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    left = set()
    for line in sys.stdin:
        if line.startswith("+"):
            left.add(int(line[1:]))
        else:
            left.discard(int(line[1:]))
    for group in left:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
