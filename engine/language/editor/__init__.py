"""JSON Schema (draft 7) of what rule authors write, for editors: generated from the tables the language is
read by and from the catalogue, never written twice.

An editor completes names and values from it and marks slips while they are made. It takes every file that the
loader takes; what it lets through, `touchpoint check` still finds. `files` says which schema is for which
files.
"""
