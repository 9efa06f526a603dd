"""The crash matrix on real servers: a seeded load, faults, and a checker that replays what was acknowledged."""
