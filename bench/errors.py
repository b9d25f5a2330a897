"""Exceptions of the harness. Every message names the invalid value, its origin and what a correct value would be."""


class BenchError(Exception):
    """Base class of the errors that the command line reports as one line with exit code 1."""


class SettingsError(BenchError, ValueError):
    """An invalid value in a config file or in a command-line flag."""


class DataError(BenchError):
    """A collection, run or set of judgements that breaks the evaluation protocol."""


class DamagedFileError(BenchError):
    """A file or folder that is missing, incomplete or different from its manifest."""


class DiskFullError(BenchError):
    """A disk that has no room for what is to be written."""


class BusyError(BenchError):
    """A folder that another process is writing."""
