"""Patterns: one file per verb (two where they share their state), all pure functions of the snapshot.

`base` instants, moments, nodes · `happens` · `crossing` enters, leaves · `dwell` stays_in · `counting` count,
total · `sequence` · `absence` after/no · `combine` any_of, all_of · `build` from the written pattern.
"""
