"""Whether a store is sound, and what to do where it is not. Nothing here changes anything."""

from collections.abc import Callable, Collection, Iterator

from ...clock import Clock
from ...errors import Misconfigured, StoreUnavailable
from ...naming import Registry
from ...rows import Finding, Weight
from ..database import Database
from ..schema import may_exist, standing
from . import agreement, audited, pending, references, vessel

Watch = Callable[[str], None]


def examine(
    url: str,
    registry: Registry,
    *,
    configured: Collection[str] | None = None,
    full: bool = False,
    clock: Clock,
    watch: Watch = lambda what: None,
) -> list[Finding]:
    """What is wrong with a store, the vessel first; `full` looks at all of it, else at a sample where that takes long.
    `configured`: the ids of the sources in the configuration; None: nobody knows them here.

    Raises `Misconfigured` where there is no store at all.
    """
    database = Database(url, read_only=True)
    try:
        may_exist(database, create=False)
        return list(_examined(database, registry, configured, full, clock, watch))
    finally:
        database.close()


def _examined(
    database: Database,
    registry: Registry,
    configured: Collection[str] | None,
    full: bool,
    clock: Clock,
    watch: Watch,
) -> Iterator[Finding]:
    try:
        watch("the database")
        found = list(vessel.examine(database, full=full))
        yield from found
        if any(one.code == "corrupt" for one in found):
            return  # what a broken database says of its rows is worth nothing
        schema = standing(database)
        if schema is not None:
            yield Finding("schema", Weight.NOTE, schema, "any other command brings it up to date")
            return
        watch("what refers to what")
        yield from references.examine(database)
        watch("what is derived")
        yield from agreement.examine(database, registry, full=full)
        watch("the audit log")
        yield from audited.examine(database)
        watch("what is under way")
        yield from pending.examine(database, clock(), configured)
    except StoreUnavailable as error:
        yield Finding("unreadable", Weight.BROKEN, str(error), "make the database answer, then look again")
    except Misconfigured as error:
        if "newer" not in str(error):
            raise
        yield Finding("schema", Weight.BROKEN, str(error), "update Watersmeet, or name another store")
