"""The regression gate: facts of a benchmark, a baseline of accepted ones, and what changed between them."""
