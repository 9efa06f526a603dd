"""A simulated city: subscribers with homes, work, habits and profiles, and the feed their phones leave.

Read in this order: `city` (the whole), `people` and `traits` (who), `geography` (where), `planner`, `days`
and `behaviours` with `trips` and `deeds` (what they will do), `life` with `steps` and `usage` (how it looks
to the network), `feed` (how it reaches us), `truth`.
"""

from .city import City
from .feed_profiles import profiles_for
from .options import WITHOUT_FAULTS, CityOptions
from .write import Written, write

__all__ = ["WITHOUT_FAULTS", "City", "CityOptions", "Written", "profiles_for", "write"]
