"""Write the JSON schemas of the settings for editors, and the page that describes them all."""

from pathlib import Path

from bench.config import reference


def settings(*, config: Path = Path("config"), page: Path = Path("docs/settings.md")) -> None:
    """Write the JSON schemas of the settings for editors, and the page that describes them all.

    :param config: Folder of configs, where the schemas go.
    :param page: Markdown file to write.
    """
    print("\n".join(map(str, reference.write(config, page))))
