"""What an exit code of the command line says; `docs/cli.md` has the same table."""

from enum import IntEnum

from ...config.errors import WatersmeetError


class Code(IntEnum):
    """How a command ended."""

    OK = 0
    INCOMPLETE = 1
    """There is an answer, but it is a lower bound; or a sync read only a part."""
    USAGE = 2
    """A command, an option or an argument that cannot be."""
    MISCONFIGURED = 3
    """A key, a file or a setting is wrong."""
    SOURCE = 4
    """A source refused, could not be reached, or answered in a way that we do not know."""
    STORE = 5
    """The store cannot be opened, read or written now."""
    NOT_FOUND = 6
    """Nothing by that name, or more than one thing."""
    BUSY = 7
    """Another process is at it."""
    INTERRUPTED = 130
    """Ctrl-C."""


_BY_NAME = {
    "Misconfigured": Code.MISCONFIGURED,
    "SourceError": Code.SOURCE,
    "StoreUnavailable": Code.STORE,
    "NotFound": Code.NOT_FOUND,
    "Ambiguous": Code.NOT_FOUND,
    "BadInput": Code.USAGE,
    "AlreadyRunning": Code.BUSY,
}


def code_of(error: WatersmeetError) -> Code:
    """By class name, so that the error tree above `config` need not be imported to say that a file is missing."""
    for one in type(error).__mro__:
        if one.__name__ in _BY_NAME:
            return _BY_NAME[one.__name__]
    return Code.USAGE
