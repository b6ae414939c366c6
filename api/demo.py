"""The demonstration: four platforms in miniature, one story, and the questions that none of them can answer alone."""

import os
import socket
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import orjson

from ..config.settings import DEMO, Settings, load
from ..connectors import story
from ..federation.errors import SourceUnavailable
from ..federation.graph import Graph
from ..federation.inquiry import Inquiry
from ..federation.model import Direction, SyncState
from ..federation.naming import Registry
from ..federation.store import Store
from .cli.tree import completeness, impact, tree
from .miniature import Miniature, miniature
from .opening import open_store, registry_of
from .syncs import Syncs

Say = Callable[[str], None]
CHAMPION = "models:/churn@champion"
ORDERS = "postgres://warehouse:5432/shop.raw.orders"
BEFORE = datetime(2025, 1, 10, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Answered:
    """A question, what came out, and the same as lines for people."""

    question: str
    command: str
    answer: Any
    lines: tuple[str, ...]


def demonstrate(*, once: bool, port: int, as_json: bool, say: Say) -> None:
    """Fill, federate, answer; without `once` go on serving until Ctrl-C."""
    with platforms(port) as settings:
        with open_store(settings) as store:
            federate(store, settings)
            answered = list(questions(store, registry_of(settings)))
        if as_json:
            say(orjson.dumps([_json(one) for one in answered], option=orjson.OPT_INDENT_2).decode())
        else:
            for one in answered:
                say("\n".join((f"# {one.question}", f"$ {one.command}", *one.lines, "")))
        if not once:
            _serve(settings, say)


@contextmanager
def platforms(port: int = 0) -> Generator[Settings]:
    """Four platforms in miniature that tell one story, and the settings by which they are read into one store."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="watersmeet-demo-")))
        pipelines, tracking = _started(stack, "marquez", empty=True), _started(stack, "mlflow")
        tell(pipelines.url, tracking.url)
        trained = trainings(tracking.url)
        catalog = _started(stack, "datahub", runs=trained)
        experiments: Any = _started(stack, "wandb", twins=trained)
        urls = {"PIPELINES_URL": pipelines.url, "TRACKING_URL": tracking.url, "CATALOG_URL": catalog.url}
        urls |= {"EXPERIMENTS_URL": experiments.url, "EXPERIMENTS_FILES": experiments.storage.url}
        yield _settings(folder, port, urls | {"EXPERIMENTS_KEY": experiments.key})


def tell(pipelines: str, tracking: str) -> None:
    """Send the pipelines' half of the story as the tools do that emit events; the tracker's sandbox brings its own."""
    with httpx2.Client(timeout=30, trust_env=False) as client:
        for event in story.events(urlsplit(tracking).netloc):
            answer = client.post(f"{pipelines}/api/v1/lineage", json=event)
            if answer.is_error:
                raise SourceUnavailable(f"{pipelines} answered {answer.status_code} to an event: {answer.text[:200]}")


def trainings(tracking: str) -> list[str]:
    """The ids that the tracker gave the story's trainings, oldest first; a catalog that reads it knows them, too."""
    with httpx2.Client(base_url=f"{tracking}/api/2.0/mlflow", timeout=30, trust_env=False) as client:
        found = client.get("/experiments/get-by-name", params={"experiment_name": "churn"}).json()
        asked = {"experiment_ids": [found["experiment"]["experiment_id"]], "order_by": ["attributes.start_time ASC"]}
        return [one["info"]["run_id"] for one in client.post("/runs/search", json=asked).json()["runs"]]


def questions(store: Store, registry: Registry) -> Iterator[Answered]:
    """What one asks of the whole, and what it answers."""
    inquiry = Inquiry(store, Graph(store), registry=registry)
    champion, orders = inquiry.find(CHAMPION), inquiry.find(ORDERS)
    behind = inquiry.lineage(champion, Direction.BOTH, depth=12)
    yield Answered(
        "Which tables, jobs and code stand behind the champion, and where is it served?",
        f"watersmeet ask {CHAMPION} --depth 12",
        behind,
        (*tree(behind), *completeness(behind.completeness)),
    )
    broken = inquiry.impact(orders)
    yield Answered(
        "What breaks if shop.raw.orders changes?",
        f"watersmeet ask {ORDERS} --direction down --depth 12",
        broken,
        (*impact(broken), *completeness(broken.completeness)),
    )
    before = inquiry.lineage(inquiry.find(story.FEATURES), Direction.UPSTREAM, depth=12, as_of=BEFORE)
    yield Answered(
        f"What fed the features on {BEFORE:%Y-%m-%d}, before the clicks came in?",
        f"watersmeet ask {story.FEATURES} --direction up --depth 12 --as-of {BEFORE:%Y-%m-%d}",
        before,
        (*tree(before), *completeness(before.completeness)),
    )


def _started(stack: ExitStack, platform: str, *, empty: bool = False, **beside: Any) -> Miniature:
    running = miniature(platform, empty=empty, **beside)
    running.start()
    stack.callback(running.stop)
    return running


def _settings(folder: Path, port: int, urls: dict[str, str]) -> Settings:
    told = {"DEMO_STORE": str(folder / "demo.db"), "DEMO_PORT": str(port), **urls}
    os.environ.update(told)  # for the processes of the syncs, which read the same file
    return load(DEMO)


def federate(store: Store, settings: Settings) -> None:
    """Read all of them. Raises `SourceUnavailable` where one cannot be read whole."""
    syncs = Syncs(store, settings.path)
    try:
        # Of two trackers that tell of one run, the job of the one that was read first stands for it.
        later = [source.id for source in settings.sources if source.platform == "wandb"]
        for some in ([source.id for source in settings.sources if source.id not in later], later):
            for number in [syncs.start(one) for one in some]:
                row = syncs.wait(number)
                if row.state is not SyncState.SUCCEEDED:
                    raise SourceUnavailable(f"the demo's source {row.source!r} could not be read: {row.message}")
    finally:
        syncs.close()


def _json(one: Answered) -> dict[str, Any]:
    return {"question": one.question, "command": one.command, "answer": one.answer}


def _serve(settings: Settings, say: Say) -> None:
    from .server import serve  # half a second that `--once` does not need

    say("Ask more of the same store, in the browser or by GraphQL; Ctrl-C ends it.")
    serve(settings, port=settings.server.port if _is_free(settings) else 0)


def _is_free(settings: Settings) -> bool:
    """Whether the port of the demo can be had; else any other will do."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex((settings.server.host, settings.server.port)) != 0
