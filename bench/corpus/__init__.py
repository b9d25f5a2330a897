"""Data in, the evaluation protocol, and the embedded corpus."""
