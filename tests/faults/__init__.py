"""The crash matrix on real servers: a seeded load, faults, a checker that replays what was acknowledged."""
