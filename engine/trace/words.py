"""Values, times and patterns in the words of the rule language."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from engine.language import model
from engine.language.words import DAYS, write_duration
from engine.numbers import HASH_LENGTH
from engine.text import plain, size


def say(value: Any, type: str = "text") -> str:
    """Write a value as an author would: `80 yuan`, `yes`, `student, staff`; None is `unknown`."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value) or "none"
    if isinstance(value, int | float):
        return _amount(value, type)
    if type == "phone" and len(value) == HASH_LENGTH:
        return "a long number, kept as a hash"
    return str(value)


def _amount(value: float, type: str) -> str:
    if type == "money":
        return f"{plain(value)} yuan"
    if type == "bytes":
        return size(value)
    if type == "percent":
        return f"{plain(value)}%"
    if type == "duration":
        return write_duration(round(value * 1_000_000))
    return plain(value)


def say_time(micros: int, timezone: str) -> str:
    """Write a moment (µs UTC) by the wall clock of a zone, to the second; `…` stands for a part of one."""
    clock = datetime.fromtimestamp(micros // 1_000_000, ZoneInfo(timezone))
    return clock.strftime("%Y-%m-%d %H:%M:%S") + ("…" if micros % 1_000_000 else "")


def say_cap(cap: model.Cap) -> str:
    """Write a limit: `1 in 30d`."""
    return f"{cap.count} in {write_duration(cap.window)}"


def say_intervals(intervals: tuple[model.Interval, ...]) -> str:
    """Write spans of the day: `21:00 to 09:00`."""
    return ", ".join(f"{_clock(start)} to {_clock(end)}" for start, end in intervals) or "none"


def say_schedule(schedule: model.Schedule) -> str:
    """Write when a rule listens: `mon to fri, 18:00 to 22:00`."""
    days = schedule.days
    named = ", ".join(DAYS[day] for day in days)
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        named = f"{DAYS[days[0]]} to {DAYS[days[-1]]}"
    return f"{named}, {say_intervals(schedule.hours)}" if schedule.hours else named


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _resident(given: bool | None) -> str:
    return "" if given is None else f", resident: {'yes' if given else 'no'}"


def say_pattern(pattern: model.Pattern) -> str:
    """Write a pattern's own line, without the patterns inside it and without `where`."""
    match pattern:
        case model.Happens():
            return f"happens: {pattern.event}"
        case model.Enters():
            confirm = f", confirm: {write_duration(pattern.confirm)}" if pattern.confirm else ""
            return f"enters: {pattern.place}{confirm}{_resident(pattern.resident)}"
        case model.Leaves():
            return f"leaves: {pattern.place}"
        case model.StaysIn():
            stays = f"stays_in: {pattern.place}, for: {write_duration(pattern.duration)}"
            return f"{stays}{_resident(pattern.resident)}"
        case model.Count():
            within = write_duration(pattern.within)
            return f"count: {pattern.event}, at_least: {pattern.at_least}, within: {within}"
        case model.Total():
            amount, within = say(pattern.at_least, pattern.type), write_duration(pattern.within)
            return f"total: {pattern.event}.{pattern.field}, at_least: {amount}, within: {within}"
        case model.Sequence():
            return f"sequence of {len(pattern.steps)}, within: {write_duration(pattern.within)}"
        case model.After():
            return f"after … no …, for: {write_duration(pattern.wait)}"
        case model.AnyOf():
            return f"any_of {len(pattern.parts)}"
        case model.AllOf():
            return f"all_of {len(pattern.parts)}, within: {write_duration(pattern.within)}"
