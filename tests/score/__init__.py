"""The score: a simulated city day with all its faults, through treatments and engine, held against the truth.

world.py       the places of the day, and one rule per place for each thing that is scored
day.py         the day itself: records, profiles, what really happened
variants.py    which treatments and which options of places are on
course.py      records -> intake -> treatments -> the engine: what was concluded, and when
judge.py       conclusions against the truth: hits, misses, false ones, errors of dwell
why.py         causes of what was false or missed
tables.py      the sums as tables
page.py        the tables in docs/signals.md
__main__.py    `./run score`
"""
