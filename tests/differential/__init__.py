"""Differential testing: random cases (`generator`), their `coverage`, the engine against the reference."""
