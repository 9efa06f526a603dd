"""A rule told in plain words, with the cases at its edges, each run on the real engine (`touchpoint story`).

`values` what passes a line by a hair and what fails it · `scene` a few things that happen, and when the
pattern matches · `hearing` who else listens to them · `props` records and places to play with, and why some
can't be had · `stage` the plainest scene of every pattern · `edges` the scenes at its borders · `people` the
subscriber a rule takes, and those it just does not · `calendar` a moment that suits the rule, and what its
gates make of one · `boundaries` all cases of a rule · `verify` runs them · `undecided` the lines that none of
them decides, and why · `wording` what a language has to say · `english`, `chinese` the two of them, each with
tables and notes · `tell` the text · `report` it as plain data · `write` the cases as a test file.

What a case is expected to give is known from how it was made, never from a look at the engine; what is told
is what the engine did with it.
"""
