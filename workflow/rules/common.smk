"""How the tables and figures that report.smk makes stand in the HTML report."""


def _item(file, caption, category, title):
    return report(
        f"{RESULTS}/{file}",
        caption=f"../report/{caption}.rst",
        category=category,
        labels={"item": title},
    )


def table(stem, category, title, caption, numbers=True):
    """A table in its four formats; its page and, with ``numbers``, its plain numbers are items of the HTML report."""
    shown = {"html": title, **({"csv": f"{title} as plain numbers"} if numbers else {})}
    return [
        (
            _item(f"{stem}.{suffix}", caption, category, shown[suffix])
            if suffix in shown
            else f"{RESULTS}/{stem}.{suffix}"
        )
        for suffix in ("html", "csv", "md", "tex")
    ]


def figure(stem, category, title, caption):
    """A figure in both formats, the PNG of which is an item of the HTML report."""
    return [
        _item(f"{stem}.png", caption, category, title),
        f"{RESULTS}/{stem}.pdf",
    ]
