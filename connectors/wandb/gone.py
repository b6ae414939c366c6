"""Whether things that a listing lacked are really gone."""

from collections.abc import Iterable, Iterator

from ...federation.errors import SourceRefused
from .api import Api, Reply
from .documents import ARTIFACT, COLLECTION, RUN
from .place import told_in
from .wire import field, text


class Gone:
    """Asks for each thing by its id. What the platform answers null to in a project that it shows is gone; a whole
    project that it does not show may as well be hidden, and stays."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.refused: list[str] = []

    def of(self, native_ids: Iterable[str]) -> Iterator[str]:
        """Those that are not there."""
        for native_id in native_ids:
            what, _, id_ = native_id.partition("/")
            if what == "project":
                self.refused.append(native_id)  # it was listed before, and nobody can be asked by its id
                continue
            try:
                is_gone = self._is_gone(what, id_)
            except SourceRefused:
                self.refused.append(native_id)
                continue
            if is_gone:
                yield native_id

    def _is_gone(self, what: str, id_: str) -> bool:
        match what:
            case "version":
                reply = self._api.ask(ARTIFACT, {"id": id_})
                found = field(reply.data, "artifact")
                return not reply.problems and (found is None or text(found, "state") == "DELETED")
            case "collection":
                return self._is_null(self._api.ask(COLLECTION, {"id": id_}), "artifactCollection")
            case "run":
                return self._is_run_gone(id_)
            case _:
                return False

    def _is_null(self, reply: Reply, *names: str) -> bool:
        return not reply.problems and field(reply.data, *names) is None

    def _is_run_gone(self, id_: str) -> bool:
        """A run is asked for by its name, which its id tells."""
        parts = told_in(id_)
        if len(parts) != 5 or parts[0] != "Run":
            return False
        reply = self._api.ask(RUN, {"run": parts[2], "project": parts[3], "entity": parts[4]})
        return field(reply.data, "project") is not None and self._is_null(reply, "project", "run")
