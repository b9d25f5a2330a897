"""Tokenization, encoder models and their checkpoints, and encoding of text as vectors (arXiv 2112.01488, section 3.1)."""
