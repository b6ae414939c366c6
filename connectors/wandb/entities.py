"""Which entities and projects a key sees."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...federation.errors import SourceChanged, SourceRefused
from ...federation.model import Json
from .api import Api, Revoked
from .documents import PROJECTS
from .wire import field, nodes, text

_MANY = 200


@dataclass(frozen=True, slots=True)
class Seen:
    """The projects of one entity, and what of them could not be listed."""

    entity: str
    projects: tuple[Json, ...] = ()
    problems: tuple[str, ...] = ()


def entities(api: Api, viewer: Json, wanted: Sequence[str]) -> Iterator[Seen]:
    """Those that are configured; else the key's owner, its teams, and the organisations of these, which keep the
    registries."""
    own = [text(viewer, "entity"), *(text(one, "name") for one in nodes(viewer, "teams"))]
    waiting = list(wanted or dict.fromkeys(name for name in own if name))
    for name in waiting:  # grows while it is walked
        found: list[Json] = []
        problems: list[str] = []
        try:
            for reply in api.pages(PROJECTS, {"entity": name}, _MANY, "models"):
                found += nodes(reply.data, "models")
                problems += reply.problems
                organisation = text(reply.data, "entity", "organization", "orgEntity", "name")
                if organisation and organisation not in waiting and not wanted:
                    waiting.append(organisation)
                if field(reply.data, "entity") is None and not found:
                    problems.append("there is no such entity, or the key may not see it")
        except Revoked:
            raise
        except (SourceRefused, SourceChanged) as error:
            problems.append(str(error))
        yield Seen(name, tuple(found), tuple(f"projects of {name}: {one}" for one in problems))
