"""What several rules files need: files that a storage provider does not carry, those of tables and figures, and threads."""


def in_place(files):
    """An input function whose files are read where they are, also where all others are in a storage."""
    return lambda w: [local(path) for path in files(w)]


def alone(pinned):
    """Threads of a job that measures time: every core of the run, so that no other job runs beside it.

    A run on a cluster has no number of cores, and the profile gives such a job a node to itself: as many as it pins.
    """
    given = workflow.resource_settings.cores
    return pinned if given is None else given


def table(stem):
    return [f"{RESULTS}/{stem}.{suffix}" for suffix in ("html", "csv", "md", "tex")]


def figure(stem):
    return [f"{RESULTS}/{stem}.{suffix}" for suffix in ("png", "pdf")]
