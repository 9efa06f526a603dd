"""What a replay tells beyond its decisions: what rules would send, lose, cost and nearly match.

`judged` counts every judgement of a fold, `misses` looks at how near patterns came, `report` puts both
together, `page` shows it; `compare` and `changes` hold two versions of the rules against each other. All of
it is pure and reads the engine's own state; nothing here decides anything.
"""
