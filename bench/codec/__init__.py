"""From vectors to bytes and back: k-means, the residual codec of the paper and product codecs (arXiv 2112.01488, section
3.3).
"""
