"""Print the folder that a config writes its tables and figures to."""

from pathlib import Path

from bench.config import extends
from bench.config.benchmark import Benchmark


def results_folder(config: Path) -> None:
    """Print the folder that a config writes its tables and figures to.

    :param config: Config file.
    """
    document = extends.read(config)
    print(f"results/{Benchmark.parse(document.values, document).name}")
