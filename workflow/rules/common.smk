"""What several rules files need: files that a storage provider does not carry, and those that tables and figures go to."""


def in_place(files):
    """An input function whose files are read where they are, also where all others are in a storage."""
    return lambda w: [local(path) for path in files(w)]


def table(stem):
    return [f"{RESULTS}/{stem}.{suffix}" for suffix in ("html", "csv", "md", "tex")]


def figure(stem):
    return [f"{RESULTS}/{stem}.{suffix}" for suffix in ("png", "pdf")]
