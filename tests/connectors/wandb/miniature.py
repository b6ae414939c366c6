"""The reader on a miniature over real HTTP: what it told, in the names that people write."""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

import httpx2

from watersmeet.config.settings import Source
from watersmeet.connectors.wandb.read import Wandb
from watersmeet.connectors.wandb.sandbox import KEY, Sandbox
from watersmeet.federation.connector import Batch, Cursor, Health
from watersmeet.federation.model import Edge, EdgeKind, Form, Record, Skipped

RUNS = "WatersmeetProjectPage"
ALWAYS = 1_000_000
"""As often as a fault may be met."""


def configured(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    """A miniature as the file says it: its files lie on another port, which has to be said."""
    told = {"name": "lab", "platform": "wandb", "url": sandbox.url, "token": KEY, "also": [sandbox.storage.url]}
    return told | more


def source(sandbox: Sandbox, **more: Any) -> Source:
    """The settings of a miniature."""
    return Source.model_validate(configured(sandbox, **more))


@contextmanager
def connected(sandbox: Sandbox, waited: list[float] | None = None, **more: Any) -> Generator[Wandb]:
    """The reader; what it would wait for is noted in `waited`."""
    times: list[float] = [] if waited is None else waited
    with closing(Wandb(source(sandbox, **more), sleep=times.append)) as reader:
        yield reader


def read(sandbox: Sandbox, since: Cursor | None = None, waited: list[float] | None = None, **more: Any) -> list[Batch]:
    """One read, to its end."""
    with connected(sandbox, waited, **more) as reader:
        return list(reader.read(since))


def checked(sandbox: Sandbox, **more: Any) -> Health:
    """What it finds before it reads."""
    with connected(sandbox, **more) as reader:
        return reader.check()


def asked(sandbox: Sandbox, operation: str) -> int:
    """How often that was asked."""
    return sum(one.operation == f"Watersmeet{operation}" for one in sandbox.calls)


def between(sandbox: Sandbox, operation: str, change: Callable[[], object], skip: int = 0) -> None:
    """Let something happen once, behind one answer."""

    def bend(answer: Any) -> Any:
        change()
        return answer

    sandbox.fail(f"Watersmeet{operation}$", kind="bent", bend=bend, skip=skip)


def answering(sandbox: Sandbox, operation: str, told: Mapping[str, Any], **when: Any) -> None:
    """A question is answered in another way, from now on."""
    sandbox.fail(f"Watersmeet{operation}$", kind="bent", bend=lambda _: told, **{"times": ALWAYS, **when})


class To(httpx2.HTTPTransport):
    """Whatever host is asked, a miniature answers, and its store where a file is asked for."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self._api, self._store = httpx2.URL(sandbox.url), httpx2.URL(sandbox.storage.url)
        self.hosts: set[str] = set()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.hosts.add(request.url.host)
        is_file = request.url.path.startswith("/artifacts/")
        here = self._store if is_file else self._api
        request.url = request.url.copy_with(scheme="http", host=here.host, port=here.port)
        return super().handle_request(request)


def records(batches: Iterable[Batch]) -> dict[str, Record]:
    """What describes each thing; a stub only where nothing else does."""
    found: dict[str, Record] = {}
    for one in (one for batch in batches for scope in batch.scopes for one in scope.records):
        if one.described or one.native_id not in found:
            found[one.native_id] = one
    return found


def edges(batches: Iterable[Batch], kind: EdgeKind) -> list[Edge]:
    """All edges of a kind."""
    return [one for batch in batches for scope in batch.scopes for one in scope.edges if one.kind is kind]


def skipped(batches: Iterable[Batch]) -> list[Skipped]:
    """What was kept aside."""
    return [one for batch in batches for one in batch.skipped]


def failures(batches: Iterable[Batch]) -> str:
    """What could not be read, line by line."""
    return "\n".join(one for batch in batches for one in batch.failures)


def stones(batches: Iterable[Batch]) -> list[str]:
    """What is gone."""
    return [one.native_id for batch in batches for one in batch.tombstones]


def path(record: Record) -> str:
    """`entity/project/name`, as people write it; the native id where there is none."""
    spelt = (str(one.parts[2]) for one in record.spellings if one.form is Form.WANDB)
    return next((one for one in spelt if "/" in one), record.native_id)


def named(batches: Sequence[Batch], *prefixes: str) -> list[str]:
    """The paths of what was told, of some kinds."""
    return sorted(path(one) for name, one in records(batches).items() if name.startswith(prefixes))


def tied(batches: Sequence[Batch], *kinds: EdgeKind) -> set[tuple[str, str, str]]:
    """Edges by kind, and the paths of both ends."""
    known = {name: path(one) for name, one in records(batches).items()}
    return {
        (kind.value, known.get(one.upstream, one.upstream), known.get(one.downstream, one.downstream))
        for kind in kinds
        for one in edges(batches, kind)
    }
