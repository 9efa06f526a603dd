"""Planted faults: each breaks one sentence of the semantics page in the engine's core and has to be caught.

`./run mutants` (`python -m tests.mutants`) plants them one at a time into a copy of the tree and looks for a
random case in which the engine then differs from the reference model, or else for a test that fails.
"""
