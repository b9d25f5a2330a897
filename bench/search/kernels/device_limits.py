"""How much of a device a search takes; ``bench plan`` reads these as well, without the packages of the kernels."""

SHARE = 0.8  # of the free memory that the vectors of an index may take
MEMORY = 8 << 30  # bytes that the stages of a batch may take
MOST_QUERIES = 1024  # of a batch
