"""Every slip in a word of the language is found where it stands, and the word meant is proposed.

One of 200 slips; `python -m tests.tour` takes them all.
"""

from __future__ import annotations

from tests.tour.judge import tour
from tests.tour.slips import slips

KINDS = [
    "catalogue values", "channels", "comparisons", "days", "events", "fields", "groups", "joining words",
    "keys", "modes", "number lists", "placeholders", "places", "products", "status", "units", "verbs",
]  # fmt: skip


def test_slips_are_found_where_they_stand_and_the_word_meant_is_proposed() -> None:
    found = tour(share=200)
    assert sorted(found.kinds) == KINDS
    total = found.total()
    assert total.tried > 1_500
    assert found.lost == []
    assert total.hinted >= 0.95 * total.long, found.unhinted.most_common(20)


def test_a_slip_is_one_delete_swap_doubling_or_replacement() -> None:
    made = slips("no")
    assert {"o", "n", "on", "nno", "noo", "ns", "yo", "No", "n9", "nl"} <= set(made)
    assert "no" not in made
    assert len(made) == len(set(made))
