"""Every planted fault fits today's source: whoever rewrites a line refits the faults that name it."""

from __future__ import annotations

import pytest

from tests.mutants.faults import MUTANTS
from tests.mutants.mutant import Mutant, plant
from tests.testdata import CHECKOUT

FEWEST = 40
"""Faults below which the tests of the core would be little tested themselves."""


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_fault_fits_the_source_exactly_once(mutant: Mutant) -> None:
    source = (CHECKOUT / mutant.file).read_text(encoding="utf-8")
    assert plant(mutant, source) != source


def test_there_are_enough_faults_of_different_names() -> None:
    names = {mutant.name for mutant in MUTANTS}
    assert len(names) == len(MUTANTS) >= FEWEST


def test_tests_that_faults_name_exist() -> None:
    named = {mutant.tests for mutant in MUTANTS if mutant.tests}
    assert [name for name in sorted(named) if not (CHECKOUT / name).is_file()] == []
