"""Whether things that a listing lacked are really gone: only a 404 says so."""

from collections.abc import Iterable, Iterator

from ...federation.errors import SourceRefused
from .rest import Rest
from .urn import BadUrn, Urn, urn


class Gone:
    """Asks for each entity, or for the aspect that a part of it stands in."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self.refused: list[str] = []
        """Those that are hidden: not absent, and not to be seen."""

    def of(self, native_ids: Iterable[str]) -> Iterator[str]:
        """Those that the server itself says do not exist."""
        asked: dict[tuple[str, str], bool] = {}
        for native_id in native_ids:
            question = _question(native_id)
            if question is None:
                continue
            one, aspect = question
            if (one.text, aspect) not in asked:
                asked[one.text, aspect] = self._is_gone(native_id, one, aspect)
            if asked[one.text, aspect]:
                yield native_id

    def _is_gone(self, native_id: str, one: Urn, aspect: str) -> bool:
        try:
            return not self._rest.is_there(one, aspect)
        except SourceRefused:
            self.refused.append(native_id)
            return False


def _question(native_id: str) -> tuple[Urn, str] | None:
    """Columns stand in their dataset's schema, evaluations in their model's aspect; all else is an entity."""
    name, hash_, part = native_id.partition("#")
    try:
        one = urn(native_id if not hash_ or part != "evaluation" else name)
        if one.type == "schemaField":
            return urn(one.parent), "schemaMetadata"
    except BadUrn:
        return None
    return one, "mlModelEvaluationData" if hash_ and part == "evaluation" else ""
