"""Compare the facts of a benchmark with accepted ones: exit code 0 passed, 1 changed, 2 cannot be compared."""

import sys
from pathlib import Path

from bench.errors import BenchError
from bench.files.storage import write_text
from bench.gate import baseline as accepted
from bench.gate import facts, output
from bench.gate.check import check as compared
from bench.gate.check import exit_code


def check(results: Path, /, *, baseline: Path, markdown: Path | None = None, junit: Path | None = None) -> int:
    """Compare the facts of a benchmark with accepted ones: exit code 0 passed, 1 changed, 2 cannot be compared.

    :param results: Folder of tables, such as results/ci, with its records.json.
    :param baseline: File that bench accept wrote.
    :param markdown: Markdown file to write, for the summary of a pull request.
    :param junit: JUnit XML file to write, for a test report.
    """
    try:
        before, tolerances = accepted.read(baseline)
        found, _ = facts.read(results / facts.FILE)
    except BenchError as error:
        print(f"bench check: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    findings = compared(found, before, tolerances)
    for path, text in ((markdown, output.markdown), (junit, output.junit)):
        if path:
            write_text(path, text(findings))
    print(output.text(findings))
    return exit_code(findings)
