"""The commands, one file each. `main` is the entry and imports a command only when it is called."""
