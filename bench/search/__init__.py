"""Query and index to a ranking."""
