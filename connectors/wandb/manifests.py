"""How manifests are had: some addresses at a time, from a store that is left in peace while it is down."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from ...federation.errors import SourceChanged, SourceError, SourceRefused, SourceUnavailable
from ...federation.model import Json
from ..http import TooMuch
from . import manifest
from .api import Api
from .cursor import PENDING, Mark
from .documents import MANIFEST, manifests
from .wire import field, moment, text

MANIFESTS = 25
"""As many versions' manifests are asked for at once: few, since their addresses are good for a short time only."""
TROUBLES = 3
"""So many times in a row the store is in trouble, each time after all patience: then it is down."""
REFUSALS = 20
"""So many times in a row it gives nothing, for whatever reason: then it is as good as down."""


class Unread(Exception):
    """One manifest that cannot be had, and why; `is_passing`: the store was in trouble, and may have it next time;
    `is_large`: it is more than is taken, which says nothing of the store."""

    def __init__(self, reason: str, *, is_passing: bool = False, is_large: bool = False) -> None:
        super().__init__(reason)
        self.is_passing = is_passing
        self.is_large = is_large


class Manifests:
    """Fetches manifests for one read of a whole instance."""

    def __init__(self, api: Api, most: int) -> None:
        self._api = api
        self._most = most
        self._troubles = self._failures = 0
        self.reason = ""
        """Why the last one that failed did."""

    @property
    def is_down(self) -> bool:
        """Whether the store has failed so often in a row that it is asked no more in this read."""
        return self._troubles >= TROUBLES or self._failures >= REFUSALS

    def addresses(self, ids: Sequence[str]) -> dict[str, str]:
        """Where manifests lie, by version. One that is not told here is asked for alone, which says why."""
        if len(ids) < 2 or self.is_down:
            return {}
        try:
            reply = self._api.ask(manifests(len(ids)), {f"id{at}": id_ for at, id_ in enumerate(ids)})
        except (SourceRefused, SourceChanged):
            return {}
        told = {id_: _address(field(reply.data, f"artifact{at}")) for at, id_ in enumerate(ids)}
        return {id_: url for id_, url in told.items() if url}

    def manifest(self, id_: str, url: str) -> manifest.References | None:
        """What it says; None: there is none any more. An address is good for a short time only, so one that fails is
        asked for anew, once. Raises `Unread`, and `SourceUnavailable` where the platform itself is in trouble."""
        for attempt in (1, 2):
            if attempt == 2 or not url:
                url = self._asked(id_)
            if not url:
                return None
            try:
                return manifest.read(self._fetched(url), self._most)
            except manifest.Unreadable as error:
                if attempt == 2:
                    raise Unread(str(error)) from error
            except Unread as error:
                if attempt == 2 or error.is_passing or error.is_large:
                    self._failures += not error.is_large
                    raise
        return None

    def _asked(self, id_: str) -> str:
        try:
            return _address(field(self._api.ask(MANIFEST, {"id": id_}).data, "artifact"))
        except (SourceRefused, SourceChanged) as error:
            raise Unread(str(error)) from error

    def _fetched(self, url: str) -> bytes:
        try:
            body = self._api.file(url)
        except SourceError as error:
            is_large = isinstance(error, TooMuch)
            is_passing = isinstance(error, SourceUnavailable) and not is_large
            self._troubles = self._troubles + 1 if is_passing else 0
            self.reason = str(error)
            raise Unread(str(error), is_passing=is_passing, is_large=is_large) from error
        self._troubles = self._failures = 0
        return body


class Open:
    """The versions of one project whose manifest is still to be had.

    Only so many ids are remembered. Where more are open, the mark of versions stays behind the oldest of the others, so
    that they are come by again.
    """

    def __init__(self, mark: Mark) -> None:
        self.pending = dict.fromkeys(mark.pending)
        """To be asked for by the next sync."""
        self.unread = dict.fromkeys(mark.unread)
        """To be asked for when everything is read: it may well never be had."""
        self._since = moment(mark.open_since)
        self.put_off_now = 0
        """As many were not asked for, since the store is down."""

    def wait(self, raw: Json) -> None:
        """It has no manifest yet."""
        self._note(self.pending, raw)

    def put_off(self, raw: Json) -> None:
        """It has one, which is not asked for now."""
        self._note(self.pending, raw)
        self.put_off_now += 1

    def note_unread(self, raw: Json, *, is_passing: bool) -> None:
        """Its manifest could not be had."""
        self._note(self.unread, raw)
        if is_passing:
            self._note(self.pending, raw)
        else:
            self.pending.pop(text(raw, "id"), None)

    def close(self, id_: str) -> bool:
        """Nothing is to be had of it any more; returns whether its manifest could not be had before."""
        self.pending.pop(id_, None)
        was_unread = id_ in self.unread
        self.unread.pop(id_, None)
        return was_unread

    def _note(self, among: dict[str, None], raw: Json) -> None:
        id_ = text(raw, "id")
        if id_ not in among and len(among) >= PENDING:
            made = moment(field(raw, "createdAt"))  # one without a time is asked for every time
            told = [at for at in (self._since, made) if at is not None]
            self._since = min(told, default=None)
        else:
            among[id_] = None

    def marks(self) -> dict[str, Any]:
        """As a mark keeps it."""
        since = self._since.isoformat() if self._since else ""
        return {"pending": tuple(self.pending), "unread": tuple(self.unread), "open_since": since}

    def before(self, newest: datetime | None) -> datetime | None:
        """How far versions count as read."""
        if self._since is None or newest is None:
            return newest
        return min(newest, self._since - timedelta(microseconds=1))


def _address(artifact: Json) -> str:
    return text(artifact, "currentManifest", "file", "directUrl")
