"""Made-up records and configs with one value changed."""

import copy


def changed(values, *path, to):
    """A copy of nested mappings in which ``path`` leads to the value ``to``."""
    found = copy.deepcopy(values)
    place = found
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = to
    return found
