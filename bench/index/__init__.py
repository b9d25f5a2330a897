"""From bytes to files and back: shards, centroids, inverted list and manifest (arXiv 2112.01488, section 3.4)."""
