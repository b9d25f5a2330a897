"""A reproducible evaluation and benchmarking harness for ColBERTv2 (arXiv 2112.01488)."""
