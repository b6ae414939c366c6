"""One injected failure: what was done, and what a person then sees in `syncs`, in `sources` and in an answer."""

import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from watersmeet.federation.model import SyncState

from .house import Bench, House, Seen

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/failures.md"
REWRITE = "WATERSMEET_WRITE_FAILURES"
"""Set, the tests write the page instead of comparing it: `make failures`."""


class Moment(StrEnum):
    """When it happens."""

    FIRST = "in the first sync"
    NEXT = "in the next sync"
    AGAIN = "while everything is read again"


@dataclass(frozen=True, slots=True)
class Failure:
    """What is done, and what is to be seen of it."""

    done: str
    """What happens, in the words of the page."""
    strike: Callable[[Any], object]
    """Does it to the house."""
    state: SyncState
    status: str
    """The state of the source."""
    says: str
    """A pattern that `syncs` shows: in its message, its failures or what was skipped."""
    remedy: str
    """A pattern that an answer shows beside the failure."""
    moment: Moment = Moment.AGAIN
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    harmless: bool = False
    """It is noted, and costs no answer anything."""

    @property
    def title(self) -> str:
        """What is done, and when."""
        return f"{self.done}, {self.moment.value}"


@dataclass(frozen=True, slots=True)
class Kind:
    """A way in which a server fails, wherever it does."""

    done: str
    fault: Mapping[str, Any]
    status: str
    says: str
    remedy: str
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def at(self, where: str, path: str, state: SyncState, moment: Moment = Moment.AGAIN, **more: Any) -> Failure:
        """This kind of failure on the calls whose path matches; `more` overrides what is to be seen."""
        told = {name: more.pop(name, getattr(self, name)) for name in ("status", "says", "remedy")}
        settings = {**self.settings, **more.pop("settings", {})}
        fault = {"times": 10_000, **self.fault, **more}
        after = " after the first page" if fault.get("skip") else ""
        return Failure(
            done=f"{where} {self.done}{after}",
            strike=lambda house: house.sandbox.fail(path, **fault),
            state=state,
            moment=moment,
            settings=settings,
            **told,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one failure led to."""

    failure: Failure
    before: Seen | None
    seen: Seen
    healed: Seen | None
    """After the fault was mended and the source read once more."""


class Laboratory:
    """Does failures to one house, each to a store of its own, and remembers what came of it."""

    def __init__(self, house: House, folder: Path) -> None:
        self._house = house
        self._folder = folder
        self._outcomes: dict[str, Outcome] = {}
        self._empty = Bench.open(house, f"sqlite:///{folder / 'empty.db'}")
        self._known = self._empty.copy(folder / "known.db")
        synced = self._known.sync(full=True)
        assert synced.state is SyncState.SUCCEEDED, synced

    @property
    def platform(self) -> str:
        """Whose failures these are."""
        return self._house.platform

    def outcome(self, failure: Failure, *, heal: bool = False) -> Outcome:
        """What it leads to; done once."""
        known = self._outcomes.get(failure.title)
        if known is None or (heal and known.healed is None):
            known = self._outcomes[failure.title] = self._done(failure, heal)
        return known

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._empty.close()
        self._known.close()

    def _done(self, failure: Failure, heal: bool) -> Outcome:
        first = failure.moment is Moment.FIRST
        folder = self._folder / f"{len(self._outcomes)}{'-healed' if heal else ''}"
        folder.mkdir()
        bench = (self._empty if first else self._known).copy(folder / "store.db")
        root = "made" if first else self._house.root
        try:
            before = None if first else bench.look(root)
            failure.strike(self._house)
            full = failure.moment is Moment.AGAIN
            bench.sync(timedelta(minutes=15), full=full, **failure.settings)
            seen = bench.look(root)
            self._house.mend()
            if not heal:
                return Outcome(failure, before, seen, None)
            bench.sync(timedelta(minutes=15), full=True)
            return Outcome(failure, before, seen, bench.look(self._house.root))
        finally:
            self._house.mend()
            bench.close()
            shutil.rmtree(folder)


def told(seen: Seen) -> str:
    """All words that `syncs` and `sources` show."""
    sync = seen.sync
    return "\n".join([sync.message or "", *sync.failures, *sync.missing_grants, *seen.skips])


# The page


def section(platform: str, outcomes: Iterable[Outcome]) -> str:
    """The part of the page that speaks of one platform."""
    head = "| What was done | What `syncs` says | What `sources` says | What the answer says |\n|---|---|---|---|"
    rows = [_row(one) for one in outcomes]
    return f"## {platform}\n\n{len(rows)} failures.\n\n{head}\n" + "\n".join(rows) + "\n"


def written(platform: str) -> str:
    """What the page says of one platform now."""
    found = re.search(rf"^## {re.escape(platform)}\n.*?(?=^## |\Z)", _page(), re.MULTILINE | re.DOTALL)
    return found[0].rstrip("\n") + "\n" if found else ""


def write(platform: str, text: str) -> None:
    """Put a part into the page in the place of the one that is there."""
    parts = re.split(r"^(?=## )", _page(), flags=re.MULTILINE)
    others = [one.rstrip("\n") + "\n" for one in parts[1:] if not one.startswith(f"## {platform}\n")]
    PAGE.write_text("\n".join([parts[0].rstrip("\n") + "\n", *sorted([*others, text])]))


def _page() -> str:
    return PAGE.read_text() if PAGE.exists() else _HEAD


_HEAD = """# When a platform fails

Each row was done to a platform in miniature while Watersmeet read it. The tests do it again and compare this page with
what came of it; `make failures` writes it anew. In every row, what was known before is still there afterwards: nothing
is taken for deleted because something failed.
"""


def _row(one: Outcome) -> str:
    source = _source(one.seen, is_noted=one.failure.harmless)
    return f"| {_cell(one.failure.title)} | {_sync(one.seen)} | {source} | {_answer(one.seen)} |"


def _sync(seen: Seen) -> str:
    sync = seen.sync
    said = list(sync.failures) if sync.failures else [sync.message] if sync.message else []
    shown = [_cut(one) for one in said[:1]] + [f"and {len(said) - 1} more"] * (len(said) > 1)
    kept = [f"{sync.skipped} kept aside"] * bool(sync.skipped)
    return "; ".join([f"`{sync.state.value}`", *shown, *kept])


def _source(seen: Seen, *, is_noted: bool) -> str:
    grants = [f"missing: {_cut(one)}" for one in seen.sync.missing_grants]
    first = f"{seen.skipped} kept aside" if seen.skipped else "noted" if is_noted else ""
    skipped = [f"{first}: {_cut(seen.skips[0])}"] if first and seen.skips else []
    return "; ".join([f"`{seen.status}`", *grants, *skipped])


def _answer(seen: Seen) -> str:
    completeness = seen.completeness
    remedies = dict.fromkeys(_cut(one.remedy) for one in (*completeness.stale, *completeness.failures))
    exact = "exact" if completeness.exact else "lower bound"
    return "; ".join([exact, *remedies])


def _cut(text: str | None, most: int = 240) -> str:
    text = _cell(text or "")
    return text if len(text) <= most else f"{text[:most].rstrip()} …"


_UNSTEADY: Sequence[tuple[str, str]] = (
    (r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)", "TIME"),
    (r"127\.0\.0\.1(:\d+)?", "HOST"),
    (r"on port \d+ \([^)]*\)", "on its port"),
    (r"broke off \((?:[^()]|\([^()]*\))*\)", "broke off"),
    (r"cut off \([^)]*\)", "cut off"),
    (r"/[\w./\-]*(/pytest-|/tmp\w+)[\w./\-]*", "FOLDER"),
    (r"\b(m-)?[0-9a-f]{32}\b", "ID"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID"),
)
"""What differs from run to run, or from machine to machine."""


def _cell(text: str) -> str:
    for pattern, word in _UNSTEADY:
        text = re.sub(pattern, word, text)
    return " ".join(text.split()).replace("|", "\\|").replace("<", "\\<")
