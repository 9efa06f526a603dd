"""The mistake tour: every word of the language in every rule, misspelt in every small way.

`words` finds the words and what else would be right in their place, `slips` misspells them, `judge` asks the
loader; `python -m tests.tour` does it for all of them and prints a table.
"""
