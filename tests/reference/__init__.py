"""The naive reference model of the semantics page: a second opinion on what the engine decides."""
