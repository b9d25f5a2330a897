"""Passages, queries and judgements of the user's own files, read in a stream; every refusal names file and line."""
