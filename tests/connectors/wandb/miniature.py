"""The reader on a miniature over real HTTP: what it told, in the names that people write."""

from collections.abc import Sequence
from typing import Any

from watersmeet.config.settings import Source
from watersmeet.connectors.wandb.read import Wandb
from watersmeet.connectors.wandb.sandbox import KEY, Sandbox
from watersmeet.federation.connector import Batch, Cursor
from watersmeet.federation.model import EdgeKind, Form, Record

from .told import edges, records

RUNS = "WatersmeetProjectPage"


def configured(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    """A miniature as the file says it: its files lie on another port, which has to be said."""
    told = {"name": "lab", "platform": "wandb", "url": sandbox.url, "token": KEY, "also": [sandbox.storage.url]}
    return told | more


def source(sandbox: Sandbox, **more: Any) -> Source:
    """The settings of a miniature."""
    return Source.model_validate(configured(sandbox, **more))


def read(sandbox: Sandbox, since: Cursor | None = None, **more: Any) -> list[Batch]:
    """One read, to its end."""
    reader = Wandb(source(sandbox, **more), sleep=lambda seconds: None)
    try:
        return list(reader.read(since))
    finally:
        reader.close()


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
