"""Runs, sweeps, reports, launch queues and automations of the miniature."""

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from .sandbox_artifacts import Artifact, Collection
from .sandbox_query import gid, page

if TYPE_CHECKING:
    from .sandbox_things import Entity, Project, User

Connection = dict[str, Any]
"""One page of a listing."""


class Signing(Protocol):
    """Gives a path of the object store an address that works for a while."""

    def __call__(self, path: str) -> str: ...


@dataclass(slots=True, eq=False)
class Run:
    """One run: what it was told, what it found, what it read and wrote."""

    id: str
    project: "Project"
    name: str
    user: "User"
    created_at: str
    heartbeat_at: str
    updated_at: str | None
    sign: Signing
    display_name: str = ""
    state: str = "finished"
    config_text: str = "{}"
    summary_text: str = "{}"
    job_type: str | None = None
    group: str | None = None
    commit: str | None = None
    github: str | None = None
    host: str | None = None
    run_info: dict[str, Any] | None = None
    exitcode: int | None = None
    notes: str = ""
    description: str = ""
    tags: list[str] = field(default_factory=list[str])
    sweep: "Sweep | None" = None
    is_hidden: bool = False
    """Counted by offsets, and not shown to the caller."""
    inputs: list[tuple[Artifact, list[str]]] = field(default_factory=list[tuple[Artifact, list[str]]])
    outputs: list[Artifact] = field(default_factory=list[Artifact])
    kept: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """Its files."""
    read_only: bool = False
    system_metrics: str = "{}"
    history_line_count: int = 0
    history: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """What it told step by step."""
    log_line_count: int = 0
    events_line_count: int = 0
    history_tail: str = "[]"
    events_tail: str = "[]"

    @property
    def project_id(self) -> str:
        return str(self.project.number)

    @property
    def sweep_name(self) -> str | None:
        return self.sweep.name if self.sweep else None

    def config(self, keys: list[str] | None = None) -> str:
        return self.config_text

    def wandb_config(self, keys: list[str] | None = None) -> str:
        return json.dumps(_in_config(self.config_text, "_wandb") or {})

    def summary_metrics(self, keys: list[str] | None = None) -> str:
        return self.summary_text

    def history_keys(self) -> dict[str, Any]:
        return {"lastStep": self.history_line_count, "sets": [], "keys": {}}

    def input_artifacts(self, **which: Any) -> Connection:
        """What it used; a version that was deleted is not listed."""
        there = [one for one in self.inputs if one[0].state == "COMMITTED"]
        return page(there, **_paging(which), edge=lambda one: {"node": one[0], "used_as": one[1]})

    def output_artifacts(self, **which: Any) -> Connection:
        """What it logged; a version that was deleted is not listed."""
        return page([one for one in self.outputs if one.state == "COMMITTED"], **_paging(which))

    def files(self, names: list[str] | None = None, pattern: str | None = None, **which: Any) -> Connection:
        wanted = [one for one in self.kept if not names or one in names]
        if pattern:
            like = re.compile(re.escape(pattern).replace("%", ".*"))
            wanted = [one for one in wanted if like.fullmatch(one)]
        return page([self._file(one) for one in wanted], **_paging(which))

    def file_path(self, name: str) -> str:
        """Where one of its files lies in the object store."""
        return f"runs/{self.project.number}/{self.name}/{name}"

    def _file(self, name: str) -> dict[str, Any]:
        url = self.sign(self.file_path(name))
        told = {"id": gid("File", f"{self.id}/{name}"), "name": name, "display_name": name}
        return {**told, "size_bytes": len(self.kept[name]), "direct_url": url, "url": url}

    def told(self, key: str) -> Any:
        """What filters and orders go by."""
        head, _, rest = key.partition(".")
        match head:
            case "config" if rest:
                return _in_config(self.config_text, rest.removesuffix(".value"))
            case "summary_metrics" if rest:
                return _in(self.summary_text, rest)
            case "user" | "username":
                return self.user.username
            case "sweep" | "sweep_name":
                return self.sweep_name
            case "name" | "display_name" | "state" | "tags" | "group" | "job_type" | "commit" | "description":
                return getattr(self, head)
            case "created_at" | "heartbeat_at" | "updated_at" | "notes":
                return getattr(self, head)
            case _:
                raise KeyError(key)


def _paging(which: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in which.items() if name in ("first", "after")}


def _in(text: str, key: str) -> Any:
    try:
        return json.loads(text).get(key)
    except ValueError:
        return None


def _in_config(text: str, key: str) -> Any:
    held = _in(text, key)
    return held.get("value") if isinstance(held, dict) else held  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]  # any JSON


@dataclass(slots=True, eq=False)
class Sweep:
    """A search over parameters."""

    number: int
    project: "Project"
    name: str
    config: str
    created_at: str
    method: str = "bayes"
    state: str = "FINISHED"
    display_name: str | None = None
    description: str | None = None
    best_loss: float | None = None
    updated_at: str | None = None
    run_count_expected: int | None = None

    @property
    def id(self) -> str:
        return gid("Sweep", self.number)

    def _runs(self) -> list[Run]:
        return [one for one in self.project.all_runs if one.sweep is self]

    @property
    def run_count(self) -> int:
        return len(self._runs())

    def runs(self, **which: Any) -> Connection:
        return page(self._runs(), **which)

    def told(self, key: str) -> Any:
        """What filters go by."""
        if key not in ("name", "state", "method", "created_at"):
            raise KeyError(key)
        return getattr(self, key)


@dataclass(slots=True, eq=False)
class View:
    """A report."""

    number: int
    display_name: str
    user: "User"
    created_at: str
    description: str = ""
    spec: str = "{}"
    type: str = "runs"
    updated_at: str | None = None

    @property
    def id(self) -> str:
        return gid("View", self.number)

    @property
    def name(self) -> str:
        return f"{self.display_name.lower().replace(' ', '-')}-{self.number}"


@dataclass(slots=True, eq=False)
class RunQueue:
    """Where jobs wait to be launched."""

    number: int
    name: str
    created_at: str
    items: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """Each with `id`, `state`, `associated_run_id`, `run_spec`, `created_at`."""
    access: str = "PROJECT"
    prioritization_mode: str = "DISABLED"

    @property
    def id(self) -> str:
        return gid("RunQueue", self.number)

    def run_queue_items(self, **which: Any) -> Connection:
        return page(self.items, **which)


@dataclass(slots=True, eq=False)
class Trigger:
    """An automation: what it watches, and what it does then."""

    number: int
    name: str
    scope: "Project | Collection | Entity"
    created_at: str
    event: str
    action: dict[str, Any]
    """With `__typename` and its fields."""
    enabled: bool = True
    description: str = ""
    updated_at: str | None = None

    @property
    def id(self) -> str:
        return gid("Trigger", self.number)

    def triggering_condition(self) -> dict[str, Any]:
        return {"__typename": "FilterEventTriggeringCondition", "event_type": self.event, "filter": "{}"}

    def triggered_action(self) -> dict[str, Any]:
        return self.action

    def told(self, key: str) -> Any:
        """What filters and orders go by."""
        if key not in ("name", "enabled", "created_at"):
            raise KeyError(key)
        return getattr(self, key)
