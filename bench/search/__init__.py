"""From a query and an index to a ranking (arXiv 2112.01488, section 3.5; PLAID, arXiv 2205.09707, section 4)."""
