"""The rule language: YAML files in, one checked `RuleSet` out.

Reading map: `loader` (which files, in which order) -> `source` (text to nodes with positions) -> `policy`,
`catalog`, `compile` (nodes to the values of `model`) with `patterns` and `conditions` for the two halves of a
rule -> `checks/` (every mistake an author can make, one file per group, each with its code) -> `problems`
(how a mistake is shown). `words` reads durations, amounts and dates; `cases` reads `*.test.yaml` into
the values of `testing`; `folders` finds the files on disk.
"""
