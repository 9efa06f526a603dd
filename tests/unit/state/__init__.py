"""What is kept of a subscriber: bytes, bounds, and what new rules make of it."""
