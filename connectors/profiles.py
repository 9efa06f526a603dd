"""The door for profile files: one subscriber per line, JSON (semantics.md 6); plain or gzip."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from connectors.lines import read_lines
from engine.event import Event
from engine.intake import YEAR_2000, Intake
from engine.refusals import shown_name


def read_profiles(path: Path, intake: Intake, *, t: int = YEAR_2000) -> Iterator[Event]:
    """Yield a `profile.update` event of time `t` (µs) per line, and bind each line's IMSI and MSISDN.

    A wrong line is refused with `FILE:LINE` and a reason. Raises InputError as `read_lines` does.
    """
    name = shown_name(path.name, intake.identity.key)
    for number, line in read_lines(path, intake, source=name, name=name):
        event = intake.profile_line(line, name, f"{name}:{number}", t)
        if event is not None:
            yield event
