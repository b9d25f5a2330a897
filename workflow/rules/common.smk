"""The files that each table and figure of report.smk is written to."""


def table(stem):
    return [f"{RESULTS}/{stem}.{suffix}" for suffix in ("html", "csv", "md", "tex")]


def figure(stem):
    return [f"{RESULTS}/{stem}.{suffix}" for suffix in ("png", "pdf")]
