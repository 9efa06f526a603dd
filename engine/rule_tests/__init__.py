"""Rule tests on the real engine (semantics.md 6): what `touchpoint test` runs.

`world` a case's lines as records · `runner` one case through Fold and Replay · `verdict` expected against
what came out · `difference` two texts, so that one sees it · `report` results as text and JSON · `junit` as
JUnit XML · `enough` is a live rule tested at all? Test files are read by `engine.language.testing`.

Coverage: `nearby` a test or window one step aside · `pattern_mutants`, `mutants` the lines of a rule, each
with the rules that differ in it · `coverage` which of them some case tells apart · `coverage_report` that as
text and JSON.
"""
