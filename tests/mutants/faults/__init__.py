"""All mutants, section by section of the semantics page."""

from __future__ import annotations

from tests.mutants.faults import contacts, gates, memory, patterns, presence, records, values, waits
from tests.mutants.mutant import Mutant

MUTANTS: tuple[Mutant, ...] = (
    *records.MUTANTS,
    *presence.MUTANTS,
    *patterns.MUTANTS,
    *waits.MUTANTS,
    *gates.MUTANTS,
    *contacts.MUTANTS,
    *values.MUTANTS,
    *memory.MUTANTS,
)
