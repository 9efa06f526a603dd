"""Records of a day through intake, treatments and the real engine, to what it concludes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.app import DISORDER
from engine.event import Event
from engine.identity import Identity
from engine.intake import Intake
from engine.language.model import RuleSet
from engine.pipeline import Fold
from engine.replay import Replay
from engine.rulebook import Rulebook
from engine.ticks import CONTROL, TickMaker
from engine.treatments.chain import Chain
from engine.treatments.course import Course
from engine.treatments.registry import edge_of
from tests.score.day import CityDay
from tests.score.judge import Concluded, Score, judge
from tests.score.variants import Variant
from tests.score.why import Trace, causes
from tests.score.world import build

_KEY, _SALT = b"score-key", b"score-salt"
_NEVER = 1 << 60
"""µs of disorder with which a replay derives no ticks: they come from the source, as in the collector."""


def score(day: CityDay, variant: Variant, *, why: bool = False) -> Score:
    """Run one day in one way and hold it against the truth; `why`: say what is false or missed, too."""
    with TemporaryDirectory() as folder:
        rules = build(
            Path(folder), place=lambda key: variant.of_place(key, day.town), enters=variant.of_enters
        )
    identity = Identity(_KEY)
    chain = variant.chain(identity, day.town, DISORDER)
    people = {identity.of_imsi(imsi) or "": imsi for imsi in day.people}
    trace = Trace(day, people) if why else None
    concluded = conclude(day, rules, chain, identity, people, trace)
    found = judge(day, concluded, variant.name)
    found.dropped = dict(chain.counts)
    if trace is not None:
        found.causes = causes(day, concluded, trace)
    return found


def conclude(
    day: CityDay,
    rules: RuleSet,
    chain: Chain,
    identity: Identity,
    people: Mapping[str, str],
    trace: Trace | None = None,
) -> Concluded:
    """Fold the day; every decision, whatever became of it, is an instant of its rule.

    Ticks go no further than what steps keep back, as the collector writes them.
    """
    # as the collector does it: what `identity` looks at before the intake takes it away, it sees there
    intake, plain = Intake(identity, edge=edge_of(chain)), Intake(identity)
    replay = Replay(Fold(Rulebook(rules, _KEY), _SALT), disorder=_NEVER)
    replay.profiles(
        event for line in day.profiles if (event := plain.profile_line(line, "score", "p")) is not None
    )
    replay.take()
    watch = _Watch(people)
    course, ticks, newest = Course(chain, DISORDER), TickMaker(), 0

    def give(events: Iterable[Event]) -> None:
        for event in events:
            watch.look(event)
            if trace is not None:
                trace.look(event)
            replay.feed(event)

    for line in day.records:
        for event in intake.read(line, "score", ""):
            give(course.take(event))
            newest = max(newest, event.t) if event.kind not in CONTROL else newest
            oldest = course.oldest
            mark = newest - DISORDER
            tick = ticks.enter(mark if oldest is None else min(mark, oldest))
            if tick is not None:
                replay.feed(tick)
            if replay.fold.decisions:
                watch.take(replay)
    give(course.let_go())
    replay.close()
    watch.take(replay)
    return Concluded(
        watch.instants["enter"],
        watch.instants["leave"],
        watch.instants["stay"],
        watch.handsets,
        frozenset(watch.roamed),
    )


class _Watch:
    """Collects what may trigger, and what did."""

    def __init__(self, people: Mapping[str, str]) -> None:
        self.instants: dict[str, dict[tuple[str, str], list[int]]] = {
            verb: defaultdict(list) for verb in ("enter", "leave", "stay")
        }
        self.handsets: list[tuple[str, int, str]] = []
        self.roamed: set[str] = set()
        self._people = people

    def look(self, event: Event) -> None:
        """Note a record that the engine is given."""
        if event.kind == "handset.change" or event.kind == "roam.out":
            if "no_trigger" in event.fields.get("quality", ()):
                return
            if event.kind == "roam.out":
                self.roamed.add(event.id or "")
            else:
                who = self._people.get(event.key, event.key)
                self.handsets.append((who, event.t, event.fields.get("to.tac", "")))

    def take(self, replay: Replay) -> None:
        """Note the decisions made since."""
        for decision in replay.take():
            if decision["outcome"] == "refused" and decision["reason"] == "valid":
                continue
            verb, _, place = decision["rule"].partition("-")
            key: str = decision["subscriber_key"]
            who = self._people.get(key, key)
            self.instants[verb][who, place].append(decision["at"])
