"""`migrate`: what one source holds is written to another platform, and every fact of it is accounted for."""

import json
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from ...config.errors import Misconfigured
from .exits import Code
from .keeping import watching
from .session import Json, Session, leave, operator, session

if TYPE_CHECKING:
    from rich.console import Console

    from ...config.settings import Settings, Source
    from ...federation.dossier import Outcome
    from ...federation.handover import HandedOver
    from ...federation.rows import SourceRow
    from ...federation.store import Store

From = Annotated[str, typer.Argument(metavar="SOURCE", help="Whose things: its id or name.")]
To = Annotated[
    str,
    typer.Option("--to", metavar="TARGET", help="Where they go: a configured source whose platform has a writer."),
]
Report = Annotated[
    Path | None, typer.Option("--report", metavar="FILE", help="Where to write every fact's outcome, one a line.")
]
Afresh = Annotated[
    bool, typer.Option("--afresh", help="Begin with the first thing, also where another run was cut off.")
]
_LISTED = 50
"""So many kinds of loss stand in the answer; a report has each of them."""


def add_to(app: typer.Typer) -> None:
    """Register the commands of this module."""
    app.command()(migrate)


@dataclass(slots=True)
class Ledger:
    """What became of the facts, by kind and reason; and each in a file where one is wanted."""

    file: TextIO | None
    reasons: Counter[tuple[str, str, str]] = field(default_factory=Counter[tuple[str, str, str]])

    def note(self, outcome: "Outcome") -> None:
        """Take one outcome down."""
        if outcome.reason:
            kind = outcome.fact.partition(":")[0]
            self.reasons[outcome.verdict.value, kind, outcome.reason] += 1
        if self.file is not None:
            self.file.write(json.dumps(asdict(outcome), ensure_ascii=False) + "\n")

    @property
    def left_out(self) -> dict[str, int]:
        """How many kinds of loss `losses` does not name, and how many facts they are."""
        kept = sum(count for _, count in self.reasons.most_common(_LISTED))
        return {"kinds": max(0, len(self.reasons) - _LISTED), "facts": self.reasons.total() - kept}

    def losses(self) -> list[dict[str, Any]]:
        """What is not as it was, the most frequent first."""
        return [
            {"verdict": verdict, "fact": fact, "reason": reason, "count": count}
            for (verdict, fact, reason), count in self.reasons.most_common(_LISTED)
        ]


def migrate(
    ctx: typer.Context,
    source: From,
    to: To,
    report: Report = None,
    afresh: Afresh = False,
    as_json: Json = False,
) -> None:
    """Write all that a source holds to another platform; a run that was cut off is gone on with."""
    from ...connectors.catalogue import writer
    from ...federation.errors import SourceError
    from ...federation.handover import hand_over

    here = session(ctx, as_json)
    settings = here.settings()
    target = _target(settings, to)
    with here.store(settings) as store:
        origin = _origin(store, source)
        if origin.id == target.id:
            raise Misconfigured(f"{to!r} is the source itself: --to names another one")
        with _written(report, afresh) as file, watching(here, "migrate") as watch:
            ledger = Ledger(file)
            made = writer(target)
            try:
                store.audit.record("source.migrate", by=operator(), detail={"source": origin.id, "target": target.id})
                done = hand_over(
                    store,
                    origin.id,
                    made,
                    target.id,
                    afresh=afresh,
                    report=ledger.note,
                    watch=lambda state: watch(state.stage, state.done, state.total),
                )
            except SourceError as error:
                error.args = (f"{error}. What was handed over stands; the same command goes on from there",)
                raise
            finally:
                made.close()
    _answer(here, origin.id, target.id, done, ledger)


def _target(settings: "Settings", name: str) -> "Source":
    found = next((one for one in settings.sources if name in (one.id, one.name)), None)
    if found is None:
        known = ", ".join(one.name for one in settings.sources) or "none"
        raise Misconfigured(f"no source {name!r} is configured to write to; there are: {known}")
    return found


def _origin(store: "Store", name: str) -> "SourceRow":
    from ...federation.errors import NotFound

    found = next((row for row in store.journal.sources() if name in (row.id, row.name)), None)
    if found is None:
        raise NotFound(f"no source {name!r}: `watersmeet sources` lists them")
    return found


@contextmanager
def _written(file: Path | None, afresh: bool) -> Generator[TextIO | None]:
    """A run that goes on adds to the report of the one before."""
    if file is None:
        yield None
        return
    try:
        stream = file.open("w" if afresh else "a", encoding="utf-8", buffering=1)
    except OSError as error:
        raise Misconfigured(f"{file} cannot be written: {error.strerror}; name a file in a folder of yours") from error
    with stream:
        yield stream


def _answer(here: Session, source: str, target: str, done: "HandedOver", ledger: Ledger) -> None:
    from ...federation.dossier import Verdict

    told = {
        "source": source,
        "target": target,
        "things": done.total,
        "gone": done.gone,
        "facts": done.facts,
        "verdicts": {verdict.value: done.verdicts[verdict] for verdict in Verdict},
        "unaccounted": done.unaccounted,
        "requests": done.requests,
        "resumed": done.is_resumed,
        "losses": ledger.losses(),
        "losses_left_out": ledger.left_out,
    }
    here.answer(told, _showing(told))
    leave(Code.INCOMPLETE if done.verdicts[Verdict.FAILED] or done.unaccounted else Code.OK)


def _showing(told: dict[str, Any]) -> "Callable[[Console], None]":
    def show(screen: "Console") -> None:
        gone = f"; {told['gone']} are gone at the source and stay in its history" if told["gone"] else ""
        screen.print(f"{told['things']} things of {told['source']} were handed to {told['target']}{gone}")
        counts = ", ".join(f"{count} {verdict.lower()}" for verdict, count in told["verdicts"].items() if count)
        screen.print(f"{told['facts']} facts: {counts or 'none'}")
        if told["unaccounted"]:
            screen.print(f"{told['unaccounted']} have no outcome: the source changed meanwhile, run it again")
        for loss in told["losses"]:
            screen.print(f"  {loss['count']:>7}  {loss['verdict'].lower():<11}  {loss['fact']}: {loss['reason']}")
        if told["losses_left_out"]["kinds"]:
            left = told["losses_left_out"]
            screen.print(
                f"  {left['facts']:>7}  of {left['kinds']} other kinds: --report writes down each fact with its outcome"
            )

    return show
