"""Hands everything that one source holds to a writer, adds up what became of it, and can be killed at any time."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from .connector import Writer
from .dossier import Dossier, Outcome, Verdict, facts, unaccounted
from .store import Place, Store

_Told = tuple[Place, Dossier]


@dataclass(slots=True)
class HandedOver:
    """How far a handing over is, or what it came to."""

    stage: str
    """The round that it is in, by the writer's name for it."""
    done: int
    """Things handed over in this round."""
    total: int
    """Things there are; columns count with their datasets."""
    gone: int
    """Things that the source says are gone: not handed over."""
    facts: int = 0
    """What was to be told of those handed over in the first round; all of it has a verdict in the end."""
    verdicts: Counter[Verdict] = field(default_factory=Counter[Verdict])
    """Facts by what became of them, over all rounds and also those of a run before that was cut off."""
    requests: int = 0
    is_resumed: bool = False
    """It went on where another one had been cut off."""

    @property
    def unaccounted(self) -> int:
        """Facts that have no verdict when all is done: the source changed meanwhile."""
        return max(0, self.facts - self.verdicts.total())

    def kept(self, after: Place) -> dict[str, Any]:
        """What is stored between two calls."""
        counts = {verdict.value: count for verdict, count in sorted(self.verdicts.items())}
        return {
            "stage": self.stage,
            "after": list(after),
            "done": self.done,
            "facts": self.facts,
            "verdicts": counts,
            "requests": self.requests,
        }


def hand_over(
    store: Store,
    source_id: str,
    writer: Writer,
    target: str,
    *,
    afresh: bool = False,
    report: Callable[[Outcome], None] = lambda outcome: None,
    watch: Callable[[HandedOver], None] = lambda state: None,
) -> HandedOver:
    """Write all that a source holds, round by round, and tell every fact's outcome to `report`.

    The place is kept in the store under `target` (an address without secrets): a killed one is gone on with by the same
    call, unless `afresh`. Raises what the writer raises, `NotFound`, `AlreadyRunning`, `StoreUnavailable`; and
    `RuntimeError` where a writer leaves a fact without an outcome, or gives it two.
    """
    with store.lock(f"write/{target}/{source_id}"):
        return _Handing(store, source_id, writer, f"write/{target}", report, watch).run(afresh)


class _Handing:
    """One run of it."""

    def __init__(
        self,
        store: Store,
        source_id: str,
        writer: Writer,
        mark: str,
        report: Callable[[Outcome], None],
        watch: Callable[[HandedOver], None],
    ) -> None:
        self._store = store
        self._source_id = source_id
        self._writer = writer
        self._mark = mark
        self._report = report
        self._watch = watch

    def run(self, afresh: bool) -> HandedOver:
        stock = self._store.dossiers.stock(self._source_id)
        state = HandedOver(self._writer.stages[0], 0, stock.things, stock.gone)
        place = None if afresh else self._resume(state)
        for stage in self._writer.stages[self._writer.stages.index(state.stage) :]:
            if stage != state.stage:
                state.stage, state.done, place = stage, 0, None
            self._round(state, place)
        self._store.journal.set_cursor(self._source_id, {}, self._mark)
        return state

    def _resume(self, state: HandedOver) -> Place | None:
        kept = self._store.journal.cursor(self._source_id, self._mark)
        if not kept or kept["stage"] not in self._writer.stages or isinstance(kept["after"], int):
            return None  # no place, or one of a version that counted places otherwise: the same again changes nothing
        state.stage, state.done, state.facts = kept["stage"], kept["done"], kept["facts"]
        state.requests, state.is_resumed = kept["requests"], True
        counts: Mapping[str, int] = kept["verdicts"]
        state.verdicts.update({Verdict(word): count for word, count in counts.items()})
        time, number = kept["after"]
        return int(time), int(number)

    def _round(self, state: HandedOver, place: Place | None) -> None:
        places = self._store.dossiers.of(self._source_id, place)
        for page in _pages(places, self._writer.at_once):
            self._page(state, page)

    def _look(self, native_id: str) -> Dossier | None:
        return self._store.dossiers.one(self._source_id, native_id)

    def _page(self, state: HandedOver, page: Sequence[_Told]) -> None:
        dossiers = [dossier for _, dossier in page]
        written = self._writer.write(state.stage, dossiers, self._look)
        _agree(self._writer, state.stage, dossiers, written.outcomes)
        for outcome in written.outcomes:
            self._report(outcome)
            state.verdicts[outcome.verdict] += 1
        if state.stage == self._writer.stages[0]:
            state.facts += sum(1 for dossier in dossiers for _ in facts(dossier))
        state.requests += written.requests
        state.done += len(page)
        self._store.journal.set_cursor(self._source_id, state.kept(page[-1][0]), self._mark)
        self._watch(state)


def _pages(places: Iterator[_Told], size: int) -> Iterator[Sequence[_Told]]:
    while page := list(islice(places, size)):
        yield page


def _agree(writer: Writer, stage: str, dossiers: Sequence[Dossier], outcomes: Sequence[Outcome]) -> None:
    """Hold a writer of one round to its promise; who writes in several answers each fact in one of them."""
    told = Counter((outcome.native_id, outcome.fact) for outcome in outcomes)
    twice = next((fact for fact, count in told.items() if count > 1), None)
    if twice is not None:
        raise RuntimeError(f"the writer of {writer.platform} gave two outcomes for {twice[1]} of {twice[0]}")
    if len(writer.stages) == 1:
        missing = next(unaccounted(dossiers, outcomes), None)
        if missing is not None:
            raise RuntimeError(f"the writer of {writer.platform} gave no outcome for {missing[1]} of {missing[0]}")
