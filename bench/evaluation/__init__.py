"""From rankings and files to numbers: quality, intervals, tests, overlap, size and latency (arXiv 2112.01488, section 5)."""
