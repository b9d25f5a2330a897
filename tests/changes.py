"""Made-up records and configs with one value changed."""

import copy

from bench.files.storage import digest_of


def changed(values, *path, to):
    """A copy of nested mappings in which ``path`` leads to the value ``to``."""
    found = copy.deepcopy(values)
    place = found
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = to
    return found


def signed(manifest):
    """The content of a manifest.json as its writer would have left it: with the digest of all other fields."""
    fields = {name: value for name, value in manifest.items() if name != "sha256"}
    return {**fields, "sha256": digest_of(fields)}
