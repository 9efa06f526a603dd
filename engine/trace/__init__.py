"""Why a subscriber did or did not get an offer (`touchpoint explain`): the real engine, watched.

`watch` a Fold that takes notes about chosen subscribers · `gates` every gate with what it expects and what
it sees · `waits` what each pattern saw and waits for · `nearest` how near it came, noted beside its node ·
`asked` lines about records · `misses` the nearest miss in words · `words` values in words · `story` all of it
by rule · `tape` the records, to be folded again · `changes` single changes to try · `flips` those with which
there would have been an offer · `live` the same from a state of a store.

Pure. The decisions are the engine's; gates and lines are looked at with the engine's own functions and state
(`engine.audience`, `engine.ledger`, `engine.localtime`), at the moment and in the order in which it judges.
"""
