"""Whether the store is sound and the configuration's files can be read; changes nothing."""

from collections.abc import Callable, Iterator

from ..config.settings import Misconfigured, Settings, Source
from ..federation.clock import utcnow
from ..federation.rows import Finding, Weight
from ..federation.store import examine
from .opening import registry_of, source_rows


def examined(
    settings: Settings, *, full: bool = False, watch: Callable[[str], None] = lambda what: None
) -> list[Finding]:
    """Everything that is wrong or should be known, the gravest first. Raises `Misconfigured` without a store."""
    known = [row.id for row in source_rows(settings)]
    found = examine(
        settings.store.url,
        registry_of(settings),
        configured=known,
        full=full,
        clock=utcnow,
        watch=watch,
    )
    found += [finding for source in settings.sources for finding in _secrets(source)]
    return sorted(found, key=lambda one: one.weight is not Weight.BROKEN)


def _secrets(source: Source) -> Iterator[Finding]:
    """Files of tokens and passwords that cannot be read now."""
    for read in (source.secret_token, source.secret_password):
        try:
            read()
        except Misconfigured as error:
            remedy = "until then the source cannot be read; `watersmeet check` tells whether it can"
            yield Finding("secret", Weight.BROKEN, str(error), remedy)
