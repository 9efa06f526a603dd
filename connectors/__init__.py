"""The doors: one file per door, a memory twin for each port of `engine.ports`.

Nothing in `engine` imports this package, save its top layer (`engine.app`, `engine.cli`).
"""
