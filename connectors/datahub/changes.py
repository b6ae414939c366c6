"""DataHub's change log: which entities changed since an offset. What they are now is read from them themselves."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ...federation.errors import SourceError
from ...federation.model import Json, Skipped
from ..http import Denied
from .records import BadRecord, decoded
from .rest import Rest
from .urn import BadUrn, Urn, read
from .wire import field as field_of
from .wire import sample, unwrapped

VERSIONED = "MetadataChangeLog_Versioned_v1"
SERIES = "MetadataChangeLog_Timeseries_v1"
EVENTS = 1000
_GRANT = "GET_METADATA_CHANGE_LOG_EVENTS"


class NoLog(Exception):
    """The change log cannot be followed: everything has to be read."""

    def __init__(self, reason: str, grants: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.grants = grants


@dataclass(slots=True)
class News:
    """What one page of a topic says: who changed, what was deleted."""

    offsets: dict[str, str]
    changed: dict[str, Urn] = field(default_factory=dict[str, Urn])
    gone: dict[str, Urn] = field(default_factory=dict[str, Urn])
    """Whole entities that were deleted, unless they are there again."""
    dropped: dict[tuple[str, str], Urn] = field(default_factory=dict[tuple[str, str], Urn])
    """Single aspects that were deleted."""
    skipped: list[Skipped] = field(default_factory=list[Skipped])


class ChangeLog:
    """Both topics of one server."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def begin(self) -> dict[str, str]:
        """Where both topics end now: asked before everything is read, so that nothing falls between. Raises `NoLog`."""
        return {topic: self._poll(topic, None, 1)[1] for topic in (VERSIONED, SERIES)}

    def news(self, offsets: Mapping[str, str]) -> Iterator[News]:
        """Page by page what changed; first the aspects, then the events of runs. Raises `NoLog`."""
        present = dict(offsets)
        for topic in (VERSIONED, SERIES):
            events = [""] * EVENTS
            while len(events) >= EVENTS:
                events, following = self._poll(topic, present.get(topic), EVENTS)
                if events and following == present.get(topic):
                    raise NoLog("the change log gives the same page again and again")
                present[topic] = following
                yield _news(events, dict(present), topic)

    def _poll(self, topic: str, offset: str | None, limit: int) -> tuple[list[str], str]:
        try:
            return self._rest.poll(topic, offset, limit)
        except Denied as error:
            if error.answer.status == 401:
                raise
            raise NoLog(f"the change log may not be read: {error}", (_GRANT,)) from error
        except SourceError as error:
            raise NoLog(f"the change log cannot be followed: {error}") from error


def _news(events: list[str], offsets: dict[str, str], topic: str) -> News:
    news = News(offsets)
    for number, event in enumerate(events, 1):
        try:
            _note(decoded(event, "a change"), news)
        except (BadRecord, BadUrn) as error:
            what = f"change {number} in {topic} before {offsets[topic]}"
            news.skipped.append(Skipped(what, str(error), sample(event)))
    return news


def _note(change: Json, news: News) -> None:
    one = read(unwrapped(field_of(change, "entityUrn")))
    aspect = unwrapped(field_of(change, "aspectName"))
    is_deleted = field_of(change, "changeType") == "DELETE"
    is_whole = not isinstance(aspect, str) or aspect.lower() == f"{one.type}key".lower()
    if is_deleted and is_whole:
        news.gone[one.text] = one
    elif is_deleted:
        news.dropped[one.text, str(aspect)] = one
    news.changed[one.text] = one
