"""Real servers for tests: `redis` and `kafka` start them, `proxy` stands between, `fixtures` gives them."""
