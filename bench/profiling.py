"""`bench profile`: the day under cProfile, by function and by stage.

cProfile charges every call: shares of small functions are too high, all times are two to three times too
long. Time of C functions belongs to the stage of the Python function that called them.
"""

from __future__ import annotations

import cProfile
import gc
import pstats
from collections import Counter
from pathlib import Path
from typing import Any

from bench.course import HOME_CC, Course
from bench.feeds import simulate
from bench.report import ROOT, Scale, Section, tell
from engine.app import load_rules

TOP = 25
STAGES: dict[str, tuple[str, ...]] = {
    "intake": ("intake", "field_checks", "identity", "numbers", "refusals"),
    "ticks": ("ticks", "feeds"),
    "order, clock": ("pipeline", "copies"),
    "control": ("control",),
    "presence": ("presence", "places"),
    "history, heat": ("history", "history_words", "data_use", "heat", "snapshot"),
    "patterns": ("matching", "patterns", "subject", "warm", "rulebook"),
    "decision": ("decision", "ledger", "audience", "localtime", "emit", "text", "sms"),
    "encode": ("codec", "codec_history", "codec_v1"),
}
"""Stage -> modules of `engine/`. What fits none is `bench itself` (its loops, decision lines) or `other`."""

_OF = {module: stage for stage, modules in STAGES.items() for module in modules}

Function = tuple[str, int, str]


def measure(scale: Scale) -> Section:
    """Profile the day of fewer subscribers."""
    rules = load_rules(ROOT / "rules", HOME_CC)
    feed = simulate(scale.cache, rules, scale.profiled, scale.hours)
    course = Course(rules, feed.profiles, sample=True)
    tell("profile: one run under cProfile")
    gc.collect()
    profile = cProfile.Profile()
    for lines in feed.batches():
        profile.enable()
        course.batch(lines)
        profile.disable()
    stats: dict[Function, Any] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    whole = sum(own for _, _, own, _, _ in stats.values())
    days = f"{scale.hours:g} h of {scale.profiled:,} subscribers"
    section = Section("profile", f"{days}: {course.records:,} records, under cProfile")
    for stage, seconds in by_stage(stats).most_common():
        section.add(f"stage {stage}", seconds / whole * 100, "% of own time")
    slowest = sorted(stats.items(), key=lambda item: -item[1][2])[:TOP]
    for function, (_, calls, own, _, _) in slowest:
        note = f"{own / whole:.1%}; {calls / course.records:.2f} calls per event"
        section.add(_named(function), own / course.records * 1e6, "µs per event", note)
    section.remarks.append(
        "Own time, under cProfile: shares are a hint where to look, times are not those of `day`."
    )
    return section


def by_stage(stats: dict[Function, Any]) -> Counter[str]:
    """Return own seconds by stage, those of C functions with their callers'."""
    found: Counter[str] = Counter()
    for function, (_, _, own, _, callers) in stats.items():
        if function[0] != "~":
            found[stage_of(function)] += own
            continue
        known = sum(part[2] for part in callers.values())
        for caller, part in callers.items():
            found[stage_of(caller)] += part[2]
        found["other"] += max(own - known, 0.0)
    return found


def stage_of(function: Function) -> str:
    """Name the stage of a Python function by its file."""
    path = Path(function[0])
    if path.parent.name == "bench":
        return "bench itself"
    if path.parent.name == "patterns":
        return "patterns"
    return _OF.get(path.stem, "other") if path.parent.name == "engine" else "other"


def _named(function: Function) -> str:
    file, line, name = function
    if file == "~":
        return name.strip("<>").replace("built-in method ", "").replace("method ", "").split(" objects")[0]
    path = Path(file)
    return f"{path.parent.name}/{path.stem}.{name}:{line}"
