"""Which entities a source leaves out by their names, and what goes with them."""

from collections.abc import Iterable, Iterator

from ...config.settings import Source
from ...federation.model import Record
from .urn import BadUrn, Urn, urn

_NAMED = frozenset(
    {"dataset", "dataFlow", "mlModel", "mlModelGroup", "mlFeatureTable", "chart", "dashboard", "notebook"}
)
"""Types that `include` and `exclude` judge; all others come along."""


def selects(source: Source, one: Urn) -> bool:
    """Whether an entity is wanted: by its own name, or by that of what it is part of."""
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
