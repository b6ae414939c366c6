"""What the tests of the writer share: targets, what sources tell them, and what stands there afterwards."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from watersmeet.config.settings import Source
from watersmeet.connectors.loopback import Loopback
from watersmeet.connectors.wandb.sandbox import KEY, Sandbox
from watersmeet.connectors.wandb.sandbox_artifacts import Artifact
from watersmeet.connectors.wandb.write import WandbWriter
from watersmeet.federation.dossier import Dossier, Outcome, Verdict, edge_fact
from watersmeet.federation.model import Edge, Record

from ..handed import among, handed


def settings(sandbox: Any) -> dict[str, Any]:
    """How a miniature of Weights & Biases is configured; nothing of other ones."""
    return {"token": KEY, "also": [sandbox.storage.url]} if isinstance(sandbox, Sandbox) else {}


def source(sandbox: Sandbox, **more: Any) -> Source:
    told = {"name": "target", "platform": "wandb", "url": sandbox.url, **settings(sandbox), **more}
    return Source.model_validate(told)


@contextmanager
def writing(sandbox: Sandbox, **more: Any) -> Generator[WandbWriter]:
    """A writer of its own, as a new process has one."""
    made = WandbWriter(source(sandbox, **more))
    try:
        yield made
    finally:
        made.close()


def written(
    sandbox: Sandbox, dossiers: list[Dossier], *, at_once: int = WandbWriter.at_once, **more: Any
) -> list[Outcome]:
    """Hand everything over, round by round."""
    with writing(sandbox, **more) as target:
        return [
            outcome
            for stage in target.stages
            for at in range(0, len(dossiers), at_once)
            for outcome in target.write(stage, dossiers[at : at + at_once], among(dossiers)).outcomes
        ]


@contextmanager
def told_by(platform: str, folder: Path) -> Generator[list[Dossier]]:
    """What the story's miniature of a platform tells."""
    made: Loopback = import_module(f"watersmeet.connectors.{platform}.sandbox").Sandbox()
    with made:
        yield handed(folder, platform, made.url, **settings(made))


def dossier(record: Record, *edges: Edge, among: tuple[Record, ...] = ()) -> Dossier:
    """What a tracker that calls itself lab tells of one thing; `among` are what its edges lead to."""
    return Dossier(record, "lab", "mlflow", edges=edges, ends={one.native_id: one for one in among})


def verdict(outcomes: list[Outcome], fact: str | Edge, of: Record) -> tuple[Verdict, str]:
    """What became of a fact, and why."""
    name = edge_fact(fact) if isinstance(fact, Edge) else fact
    (found,) = [one for one in outcomes if (one.native_id, one.fact) == (of.native_id, name)]
    return found.verdict, found.reason


def versions(sandbox: Sandbox) -> dict[str, int]:
    """How many versions each collection has."""
    projects = [one for entity in sandbox.world.entities.values() for one in entity.all_projects]
    return {f"{one.name}/{each.name}": len(each.members) for one in projects for each in one.collections}


def runs(sandbox: Sandbox) -> list[str]:
    projects = [one for entity in sandbox.world.entities.values() for one in entity.all_projects]
    return sorted(f"{one.name}/{run.name}" for one in projects for run in one.all_runs)


def label(version: Artifact) -> str:
    """A version by what it stands for and holds: its digest names the ids of others, and so differs."""
    told = json.loads(version.metadata)["_watersmeet"]
    return f"{version.artifact_sequence.name}: {told['native_id']} {sorted(version.entries)} {version.description}"


def standing(sandbox: Sandbox) -> dict[str, Any]:
    """All that stands there: what runs used and logged, the versions of collections and their names."""
    found: dict[str, Any] = {}
    for entity in sandbox.world.entities.values():
        for project in entity.all_projects:
            for run in project.all_runs:
                used = sorted((label(one), *roles) for one, roles in run.inputs)
                logged = sorted(label(one) for one in run.outputs)
                found[f"{project.name}/{run.name}"] = (run.state, run.config_text, run.summary_text, used, logged)
            for one in project.collections:
                members = [(label(each.artifact), sorted(each.names)) for each in one.members]
                found[f"{project.name}:{one.name}"] = (one.description, one.words, members)
    return found


def unnumbered(stands: dict[str, Any]) -> dict[str, Any]:
    """The same but for which version of a collection came first, and which last."""
    found: dict[str, Any] = {}
    for name, told in stands.items():
        *rest, members = told
        if len(rest) == 2:
            members = sorted((one, [alias for alias in names if alias != "latest"]) for one, names in members)
        found[name] = (*rest, members)
    return found
