"""Rule tests on the real engine (semantics.md 6): what `touchpoint test` runs.

`world` a case's lines as records · `runner` one case through Fold and Replay · `verdict` expected against
what came out · `report` results as text and JSON. Test files are read by `engine.language.testing`.
"""
