"""The tracker's half of the story of `connectors.story`, as a team that uses Weights & Biases would have it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from .. import story
from .sandbox_artifacts import Artifact
from .sandbox_runs import Run
from .sandbox_world import World, entry, reference, within

PROJECT = "acme/churn"


def seed_story(world: World, twins: Sequence[str] = ()) -> None:
    """Features and a holdout are referred to, two trainings of a sweep use them, the second one's model serves."""
    world.told_time = _at("2025-01-05", 4)
    prepared = _run(world, "prep0001", "prepare-churn", "prepare")
    features, holdout = _features(world, prepared), _holdout(world, prepared)
    world.told_time = _at("2025-01-06", 7)
    sweep = world.start_sweep(PROJECT, "swp00001", "method: bayes\nmetric: {name: auc, goal: maximize}\n")
    trainings = [("2025-01-06", 0.81), ("2025-01-13", 0.86)]
    for version, (day, auc) in enumerate(trainings, 1):
        world.told_time = _at(day, 8)
        twin = {"mlflow.run_id": twins[version - 1]} if len(twins) >= version else {}
        config = {"max_depth": 3 + version, "features": story.FEATURES, **twin}
        run = _run(world, f"train{version:03}", f"train-churn-{version}", "train", config, {"auc": auc})
        run.sweep = sweep
        world.use(run, features, "training")
        world.use(run, holdout, "evaluation")
        files = {"model.pkl": entry(f"churn-{version}".encode()), "schema.json": within(features, "schema.json")}
        model = world.log_artifact(run, "churn-model", "model", files, metadata={"auc": auc})
        world.link(model, "model", "churn")
    _served(world, holdout)
    world.told_time = None


def _features(world: World, run: Run) -> Artifact:
    columns = list(story.COLUMNS[story.FEATURE_TABLE])
    files = {
        "part-0.parquet": _on_s3(f"{story.FEATURES}/part-0.parquet"),
        "table": reference(story.FEATURES, story.FEATURES),  # as `checksum=False` leaves it
        "countries.csv": reference(
            "gs://acme-reference/countries.csv", "ZGlnZXN0IG9mIGNvdW50cg==", versionID="1736049600000000"
        ),
        "prices.csv": reference(
            "https://acmelake.blob.core.windows.net/reference/prices.csv", "0x8DD2D1A", etag="0x8DD2D1A"
        ),
        "schema.json": entry(json.dumps(columns).encode()),
    }
    metadata = {"rows": 7043, "columns": columns}
    return world.log_artifact(run, "customer-features", "dataset", files, metadata=metadata, words=["pii-free"])


def _holdout(world: World, run: Run) -> Artifact:
    files = {"part-0.parquet": _on_s3(f"{story.HOLDOUT}/part-0.parquet")}
    return world.log_artifact(run, "customer-holdout", "dataset", files, metadata={"rows": 1000})


def _served(world: World, holdout: Artifact) -> None:
    """The newest model is judged, and becomes the one in production."""
    champion = world.project(PROJECT).all_runs[-1]
    world.change(champion, tags=["churn", "champion"])
    world.told_time = _at("2025-01-14", 6)
    run = _run(world, "eval0001", "judge-churn", "evaluate", summary={"holdout_auc": 0.84})
    world.use(run, champion.outputs[0], "candidate")
    world.use(run, holdout)
    churn = world.project("acme-org/wandb-registry-model").collections[0]
    churn.move("production", churn.members[-1])
    world.report(PROJECT, "Churn by month")
    world.queue(PROJECT, "nightly", run, environment={"DB_PASSWORD": "sandbox-run-spec-secret"})
    world.automate(churn, "deploy-champion", "ADD_ARTIFACT_ALIAS", json.dumps({"token": "sandbox-webhook-secret"}))


def _run(
    world: World,
    name: str,
    title: str,
    kind: str,
    config: Mapping[str, Any] | None = None,
    summary: Mapping[str, Any] | None = None,
) -> Run:
    git = {"remote": f"{story.REPOSITORY}.git", "commit": story.REVISION}
    program = {"program": f"{kind}.py", "args": list[str](), "os": "Linux", "python": "3.12", "git": git}
    run = world.log_run(PROJECT, name, config=config, summary=summary, display_name=title, job_type=kind)
    run.commit, run.github, run.host, run.run_info = story.REVISION, story.REPOSITORY, "trainer-1", program
    run.kept["wandb-metadata.json"] = json.dumps(program).encode()
    return run


def _on_s3(uri: str) -> dict[str, Any]:
    etag = hashlib.md5(uri.encode(), usedforsecurity=False).hexdigest()
    return reference(uri, etag, etag=etag, versionID="3HL4kqtJlcpXroDTDmJ")


def _at(day: str, hour: int) -> datetime:
    return datetime.fromisoformat(f"{day}T{hour:02}:00:00+00:00")
