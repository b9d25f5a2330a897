"""Words of ours where Snakemake's do not say what to do here."""

from pathlib import Path

from snakemake import exceptions

LOCKED = (
    "another run is making the same files in {folder}: wait until it has ended; if none is on, it was killed or lost its "
    "power: run `make unlock`, or `bench run CONFIG --unlock`"
)


def explain_locks() -> None:
    """Let a second run in one folder end with one line that names our way out."""

    def say(self: exceptions.LockException) -> None:
        exceptions.WorkflowError.__init__(self, LOCKED.format(folder=Path.cwd()))

    exceptions.LockException.__init__ = say
