"""A simulated city: subscribers with homes, work, habits and profiles, and the feed their phones leave.

Read in this order: `city` (the whole), `people` and `traits` (who), `layout` and `geography` (where),
`planner`, `days` and `behaviours` with `trips` and `deeds` (what they will do), `life` with `steps` and
`usage` (how it looks to the network), `feed` (how it reaches us, and with which faults), `truth`. What
becomes of it: `write` (files), `xdr` (files of a probe), `maps` (cells and places), `push` (a topic). What it
is faithful to: docs/simulator.md.
"""

from .city import City
from .feed_profiles import profiles_for
from .options import FAULTS, HABITS, UNTHINNED, WITHOUT_FAULTS, CityOptions, with_faults
from .write import Written, write

__all__ = [
    "FAULTS",
    "HABITS",
    "UNTHINNED",
    "WITHOUT_FAULTS",
    "City",
    "CityOptions",
    "Written",
    "profiles_for",
    "with_faults",
    "write",
]
