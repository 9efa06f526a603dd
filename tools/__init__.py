"""What builds and measures touchpoint; no part of it."""
