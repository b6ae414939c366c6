"""How an MLflow server, or a store without one, is read: workspace by workspace, from where the last sync stood."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar

import httpx2

from ...config.settings import Source
from ...federation.clock import Clock, utcnow
from ...federation.connector import Batch, Cursor, Health
from ...federation.model import AssetKind, Form, Record
from .api import Api
from .capabilities import Capabilities, probe, workspaces
from .cursor import Marks
from .gone import Gone
from .native import Native, is_native
from .options import Options
from .paging import Pages
from .place import Place
from .rest import Rest
from .sweep import experiments
from .workspace import Workspace

_NOTHING_VISIBLE = (
    "authenticated, but no experiment is visible: MLflow answers 200 with nothing where a permission is missing; "
    "grant READ on the experiments and registered models that are to be read"
)
_READ = "READ on experiments"


class MLflow:
    """One tracking server (or store) with all its workspaces."""

    platform: ClassVar[str] = "mlflow"

    def __init__(
        self,
        source: Source,
        *,
        transport: httpx2.BaseTransport | None = None,
        clock: Clock = utcnow,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._source = source
        self._options = Options.of(source.options, source.name)
        self._address = source.url or str(source.path)
        self._transport = transport
        self._clock = clock
        self._sleep = sleep
        self._apis: dict[str, Api] = {}
        self._can: Capabilities | None = None
        self._refused: list[str] = []

    def check(self) -> Health:
        """Reach the server; a credential that sees nothing is told, as MLflow itself does not."""
        can = self._capabilities()
        seen = False
        for name in self._workspaces(can):
            pages = experiments(self._api(name, can), Pages(1))
            seen = seen or bool(next(pages, None))
        return Health(
            reachable=True,
            version=can.version,
            message="" if seen else _NOTHING_VISIBLE,
            missing_grants=() if seen else (_READ,),
            capabilities=can.shown(),
        )

    def read(self, since: Cursor | None) -> Iterator[Batch]:
        """What is new since then; everything, if there is no cursor or a reconciliation is due."""
        self._refused.clear()
        marks = Marks.of(since)
        can = self._capabilities()
        listed: set[str] | None = None
        visible = done = 0
        names = self._workspaces(can)
        unseen = self._unseen(names, marks)
        if unseen:
            yield Batch(
                resume=marks.json(),
                failures=tuple(map(_not_shown, unseen)),
                missing_grants=tuple(f"access to workspace {name}" for name in unseen),
            )
        failed = bool(unseen)
        for name in names:
            workspace = self._workspace(name, marks, can, done)
            for batch in workspace.read():
                failed = failed or bool(batch.failures)
                yield batch
            listed = workspace.listed if listed is None else listed & workspace.listed
            visible, done = visible + workspace.visible, workspace.done
        if not visible:
            yield Batch(resume=marks.json(), failures=(_NOTHING_VISIBLE,), missing_grants=(_READ,))
            return
        # A missing permission looks like an empty listing, so one listing alone proves nothing.
        yield Batch(
            resume=marks.json(), listed=tuple(sorted(listed or ())), unsure=True, complete=not failed, done=done
        )

    def gone(self, native_ids: Iterable[str]) -> Iterator[str]:
        """Those that answer 404 in their own workspace."""
        can = self._capabilities()
        asking = Gone(lambda name: self._api(name, can), self._workspaces(can))
        yield from asking.of(native_ids)
        self._refused += asking.refused

    @property
    def refused(self) -> tuple[str, ...]:
        """Those that answer 403: a grant was taken away since they were read."""
        return tuple(self._refused)

    @property
    def selection(self) -> str:
        """Which experiments, models and workspaces are read."""
        return self._source.selection

    def left_out(self, records: Iterable[Record]) -> Iterator[str]:
        """Experiments and models by their names, everything that has a workspace by that."""
        workspaces, named = self._source.workspaces, (AssetKind.EXPERIMENT, AssetKind.MODEL)
        for one in records:
            parts = next((spelt.parts for spelt in one.spellings if spelt.form is Form.MLFLOW), None)
            is_elsewhere = bool(workspaces) and parts is not None and parts[1] not in workspaces
            if is_elsewhere or (one.kind in named and not self._source.selects(one.name)):
                yield one.native_id

    def close(self) -> None:
        """Give back connections."""
        for api in self._apis.values():
            api.close()
        self._apis.clear()
        self._can = None

    def _capabilities(self) -> Capabilities:
        if self._can is None:
            self._can = probe(self._api("default", None))
        return self._can

    def _workspaces(self, can: Capabilities) -> tuple[str, ...]:
        seen = workspaces(self._api("default", can), can)
        wanted = self._source.workspaces
        return tuple(name for name in seen if name in wanted) if wanted else seen

    def _unseen(self, names: tuple[str, ...], marks: Marks) -> list[str]:
        """The workspaces that are configured, else those that were read before, and are not shown now."""
        return [name for name in self._source.workspaces or marks.workspaces if name not in names]

    def _workspace(self, name: str, marks: Marks, can: Capabilities, done: int) -> Workspace:
        address = self._source.url or "" if not is_native(self._address) else ""
        place = Place(self._source.id, name, self._options, address, self._clock())
        return Workspace(self._api(name, can), place, marks, can, self._source.selects, self._clock, done)

    def _api(self, workspace: str, can: Capabilities | None) -> Api:
        named = workspace if can is not None and can.workspaces else ""
        if named not in self._apis:
            if is_native(self._address):
                self._apis[named] = Native.open(self._address, self._source.name)
            else:
                self._apis[named] = Rest(self._source, named, self._transport, self._sleep)
        return self._apis[named]


def _not_shown(workspace: str) -> str:
    return (
        f"workspace {workspace!r} is not among those that the server shows: it is gone, or the credential may not see "
        "it. What was read of it stays as it was; `workspaces` names those that are to be read"
    )
