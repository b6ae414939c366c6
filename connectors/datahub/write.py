"""How a DataHub, or a metadata file for one, is written, and what became of each fact of what was read elsewhere."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Protocol

import httpx2

from ...config.settings import Source
from ...federation.clock import Clock, utcnow
from ...federation.connector import Health, Writer
from ...federation.dossier import Dossier, Look, Written
from ...federation.model import Json
from ..http import Http
from . import write_others, write_own
from .options import Options
from .rest import LOST, Rest
from .write_file import FileTarget
from .write_plan import Fate, Key, Plan, Proposal
from .write_server import ServerTarget

_THINGS, _BEYOND = "things", "beyond"


class Target(Protocol):
    """Where aspects are put."""

    def check(self) -> Health:
        """Whether it can be written to; raises `SourceError`."""
        ...

    def put(self, call: str, proposals: Sequence[Proposal]) -> tuple[Mapping[Key, Fate], int]:
        """Hold these; what became of each, and what it cost. The same `call` may be made again."""
        ...

    def held(self, keys: Iterable[Key]) -> tuple[Mapping[Key, Json], Mapping[Key, Fate], int]:
        """What stands in some aspects; why some of it may not be seen; what it cost."""
        ...

    def close(self) -> None:
        """Give back what is open."""
        ...


class DataHubWriter:
    """One target. It adds and corrects, and never deletes: a person's word there stands."""

    platform: ClassVar[str] = "datahub"
    stages: ClassVar[tuple[str, ...]] = (_THINGS, _BEYOND)
    """What a thing says of itself, and then what it adds to the aspects of others."""
    at_once: ClassVar[int] = 50

    def __init__(
        self,
        source: Source,
        *,
        transport: httpx2.BaseTransport | None = None,
        clock: Clock = utcnow,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """A server by its `url`, or a file by its `path`. Raises `Misconfigured`."""
        self._options = Options.of(source.options, source.name)
        if source.path is not None:
            self._target: Target = FileTarget(source.path, source.name)
        else:
            http = Http.of(source, transport=transport, sleep=sleep, clock=clock, lasting=LOST)
            self._target = ServerTarget(source, Rest(source, transport, sleep, clock), http)

    def check(self) -> Health:
        """Reach the target. Raises `SourceError`."""
        return self._target.check()

    def write(self, stage: str, dossiers: Sequence[Dossier], look: Look) -> Written:
        """Put them there. Raises `SourceError`."""
        plans = [self._plan(stage, one) for one in dossiers]
        proposals = [proposal for plan in plans for proposal in plan.proposals]
        fates, cost = dict[Key, Fate](), 0
        if proposals:
            first = dossiers[0]
            fates, cost = self._target.put(f"{stage}/{first.source_id}/{first.record.native_id}", proposals)
        asked = dict.fromkeys(key for plan in plans for key, _ in plan.asked.values() if key[1])
        if asked:
            held, unseen, further = self._target.held(asked)
            cost += further
            for plan in plans:
                write_own.look_up(plan, held, unseen)
        return Written(tuple(outcome for plan in plans for outcome in plan.outcomes(fates)), cost)

    def close(self) -> None:
        """Give back connections."""
        self._target.close()

    def _plan(self, stage: str, dossier: Dossier) -> Plan:
        if dossier.platform == self.platform:
            return write_own.things(dossier) if stage == _THINGS else write_own.beyond(dossier)
        told = write_others.things if stage == _THINGS else write_others.beyond
        return told(self._options, dossier)


def open_writer(target: Source | Mapping[str, Any]) -> Writer:
    """The writer of a target that is told like a source: `url` and `token`, or the `path` of a file; `options`.

    Raises `Misconfigured`, and `ValidationError` where a mapping is no source.
    """
    told = target if isinstance(target, Source) else Source.model_validate({"platform": "datahub", **target})
    return DataHubWriter(told)
