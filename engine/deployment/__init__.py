"""The roles of a deployment, on Kafka and Redis: which doors stand behind which ports there.

clients.py      connections out of the settings
common.py       what all roles have: settings, metrics, topics
engine.py       lanes: read, decide, commit, publish
collector.py    sources into the log
feeds/          which sources: the feeds file
dispatcher.py   offers to channels
process.py      roles, their pages and logs as one process
"""
