"""Atomic writes, verified folders and provenance records; infrastructure that implements no section of arXiv 2112.01488."""
