"""Data sets, queries, judgements and the embedded corpus, for experiments as in arXiv 2112.01488, sections 4 and 5."""
