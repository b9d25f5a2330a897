"""What the harness refuses, and why: every message names the value, where it came from and what would be right."""


class BenchError(Exception):
    """Anything that the command line reports as one line and exit code 1."""


class SettingsError(BenchError, ValueError):
    """A value in a config file or a flag that cannot be used."""


class DataError(BenchError):
    """A collection, run or set of judgements that breaks the evaluation protocol."""


class DamagedFileError(BenchError):
    """A file or folder that is missing, incomplete or not what its manifest says."""
