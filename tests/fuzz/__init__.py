"""Damaged copies of valid rule files, thousands of them: the loader answers each with problems, soon.

`mutate` damages texts, bytes and the tree of a file, `run` asks the loader; `python -m tests.fuzz` does it
for 20,000 files.
"""
