"""How the miniature hears a run while it goes on: lines of history, the summary, its end."""

import json
import re
from collections.abc import Mapping
from typing import Any

from .sandbox_runs import Run
from .sandbox_world import World

_PATH = re.compile(r"/files/([^/]+)/([^/]+)/([^/]+)/file_stream")


def streamed(world: World, path: str) -> Run | None:
    """The run that a call to the file stream is about."""
    found = _PATH.fullmatch(path)
    owner = world.entities.get(found[1]) if found else None
    project = owner.project(found[2]) if owner and found else None
    return project.run(found[3]) if project and found else None


def take(world: World, run: Run, told: Mapping[str, Any]) -> None:
    """Note what one call brought. Lines that come again stand at the same place."""
    files: Mapping[str, Mapping[str, Any]] = told.get("files") or {}
    for name, chunk in files.items():
        lines = [str(one) for one in chunk["content"]]
        if name == "wandb-summary.json":
            run.summary_text = lines[-1] if lines else run.summary_text
        elif name == "wandb-history.jsonl":
            run.history[chunk["offset"] :] = [json.loads(one) for one in lines]
            run.history_line_count = len(run.history)
    if told.get("complete"):
        run.exitcode = told.get("exitcode")
        world.change(run, state="failed" if run.exitcode else "finished")
    run.heartbeat_at = world.now()
