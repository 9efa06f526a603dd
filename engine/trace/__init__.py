"""Why a subscriber did or did not get an offer (`touchpoint explain`): the real engine, watched.

`watch` a Fold that takes notes about chosen subscribers · `gates` every gate with what it expects and what
it sees · `waits` what each pattern saw and waits for · `words` values in words · `story` all of it by rule.

Pure. The decisions are the engine's; gates and lines are looked at with the engine's own functions and state
(`engine.audience`, `engine.ledger`, `engine.localtime`), at the moment and in the order in which it judges.
"""
