"""Which entities a source leaves out by their names, and what goes with them."""

from collections.abc import Collection, Iterable, Iterator

from ...config.settings import Source
from ...federation.model import Record
from .urn import BadUrn, Urn, urn

_NAMED = frozenset(
    {"dataset", "dataFlow", "mlModel", "mlModelGroup", "mlFeatureTable", "chart", "dashboard", "notebook"}
)
"""Types that `include` and `exclude` judge; all others come along."""


SECRET = frozenset({"dataHubAccessToken", "dataHubConnection", "dataHubSecret", "inviteToken"})
"""Types that are never read, whatever is asked for: they hold what opens doors."""


def selects(source: Source, one: Urn, ignored: Collection[str] = ()) -> bool:
    """Whether an entity is wanted: by its type, by its own name, or by that of what it is part of."""
    if one.type in SECRET or one.type in ignored:
        return False
    judged = urn(one.parent) if one.parent else one
    return judged.type not in _NAMED or source.selects(judged.label)


def left_out(source: Source, records: Iterable[Record]) -> Iterator[str]:
    """The native ids of those that are not wanted."""
    for record in records:
        try:
            wanted = selects(source, urn(record.native_id))
        except BadUrn:
            wanted = True  # an evaluation of ours, which goes with its model
        if not wanted:
            yield record.native_id
