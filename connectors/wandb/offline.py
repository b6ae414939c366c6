"""Runs that were never sent: the folders that the client leaves on disk, with what each run logged.

A run that is offline cannot use an artifact, so such a folder tells what came out and never what went in.
"""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ...federation.connector import Batch, Cursor
from ...federation.errors import SourceUnavailable
from ...federation.model import Json, Scope, Skipped
from . import artifacts, manifest, runs
from .log import Broken, Message, inner, message, number_of, records, text_of, texts_of
from .place import Place, Project
from .wire import loads

_FORMAT = 1
_ENDED = "the start and how long it ran: there is no server that heard of it"
OUTPUTS_ONLY = "runs that were not sent tell what they logged, never what they used"


def files(path: Path) -> list[Path]:
    """Every run's file at or below a path; links are not followed. Raises `SourceUnavailable`."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise SourceUnavailable(f"there is nothing to read at {path}: name a `.wandb` file, or a folder of runs")
    found = [Path(folder) / name for folder, _, names in os.walk(path) for name in names if name.endswith(".wandb")]
    return sorted(one for one in found if one.is_file() and not one.is_symlink())


def read(path: Path, since: Cursor | None, place: Place) -> Iterator[Batch]:
    """The files that changed since then, one by one. What is removed from the disk is no statement: runs are sent."""
    known: dict[str, Json] = dict(since["files"]) if since is not None and since.get("format") == _FORMAT else {}
    done = 0
    for file in files(path):
        told = file.stat()
        mark = [told.st_size, told.st_mtime_ns]
        if list(known.get(str(file), ())) == mark:
            continue
        known[str(file)] = mark
        done += 1
        scopes, skipped = Folder(file, place).told()
        resume = {"format": _FORMAT, "files": dict(known)}
        yield Batch(scopes=scopes, skipped=skipped, resume=resume, done=done)
    yield Batch(resume={"format": _FORMAT, "files": known}, complete=True, done=done)


class Folder:
    """One run's file, gathered into the answer that a server would give."""

    def __init__(self, file: Path, place: Place) -> None:
        self._file = file
        self._place = place
        self._run: dict[str, Json] = {}
        self._project = Project("", "", "")
        self._config: dict[str, Json] = {}
        self._summary: dict[str, Json] = {}
        self._info: dict[str, Json] = {}
        self._git: dict[str, Json] = {}
        self._started_at: datetime | None = None
        self._inputs: list[Json] = []
        self._logged: dict[str, tuple[dict[str, Json], list[str], manifest.References]] = {}
        self._exit: Message | None = None

    def told(self) -> tuple[tuple[Scope, ...], tuple[Skipped, ...]]:
        """What it adds up to, and what of it could not be read."""
        skipped: list[Skipped] = []
        try:
            for data in records(self._file):
                self._take(message(data))
        except (Broken, OSError) as error:
            skipped.append(Skipped(f"file {self._file}", f"{error}; what stands before it counts", lost=False))
        if not self._run:
            skipped.append(Skipped(f"file {self._file}", "it tells of no run"))
            return (), tuple(skipped)
        scopes, more = self._scopes()
        return scopes, (*skipped, *more)

    def _take(self, told: Message) -> None:
        """One record, by its kind: history and console output, the bulk of a file, are not looked into."""
        for one in inner(told, 17):
            self._take_run(one)
        for number, into in ((5, self._config), (3, self._summary)):
            for one in inner(told, number):
                _update(into, one)
        for one in inner(told, 8):
            self._take_artifact(one)
        for one in inner(told, 25):
            node = {"id": text_of(one, 1), "artifactType": {"name": text_of(one, 2)}}
            self._inputs.append({"usedAs": [], "node": node})
        for one in inner(told, 26):
            self._info = {"program": text_of(one, 6)}
            self._take_git(one, 9)
        for one in inner(told, 18):
            self._exit = one

    def _take_run(self, told: Message) -> None:
        entity, project, name = text_of(told, 2), text_of(told, 3) or "uncategorized", text_of(told, 1)
        path = f"{entity}/{project}"
        self._project = Project(path, entity, project)
        self._run = {
            "id": f"{path}/{name}",
            "name": name,
            "displayName": text_of(told, 8),
            "group": text_of(told, 6),
            "jobType": text_of(told, 7),
            "notes": text_of(told, 9),
            "tags": texts_of(told, 10),
            "sweepName": text_of(told, 12),
            "host": text_of(told, 13),
        }
        for one in inner(told, 17):
            self._started_at = datetime.fromtimestamp(number_of(one, 1), UTC)
        self._take_git(told, 21)
        for number, into in ((4, self._config), (5, self._summary)):
            for one in inner(told, number):
                _update(into, one)

    def _take_git(self, told: Message, number: int) -> None:
        for one in inner(told, number):
            self._git = {"remote": text_of(one, 1), "commit": text_of(one, 2)}

    def _take_artifact(self, told: Message) -> None:
        path = self._project.path
        name, digest = text_of(told, 5), text_of(told, 6)
        found = manifest.References(self._place.options.max_references)
        for contents in inner(told, 12):
            for entry in inner(contents, 4):
                found.add(text_of(entry, 1), _entry(entry))
        node: dict[str, Json] = {
            "id": f"{path}/{name}@{digest}",
            "state": "COMMITTED",
            "digest": digest,
            "digestAlgorithm": text_of(told, 20),
            "description": text_of(told, 7),
            "metadata": text_of(told, 8),
            "tags": [{"name": one} for one in texts_of(told, 19)],
            "fileCount": found.entries,
            "artifactType": {"name": text_of(told, 4)},
            "artifactSequence": {"id": f"{path}/{name}", "name": name, "project": self._home()},
        }
        self._logged[str(node["id"])] = (node, texts_of(told, 11), found)

    def _home(self) -> dict[str, Json]:
        return {"id": self._project.id, "name": self._project.name, "entityName": self._project.entity}

    def _raw(self) -> dict[str, Json]:
        """The run as a server would tell it."""
        state, ended = "running", None
        if self._exit is not None:
            state = "finished" if number_of(self._exit, 1) == 0 else "failed"
            ran = timedelta(seconds=number_of(self._exit, 2))
            ended = self._started_at + ran if self._started_at is not None else None
        return self._run | {
            "state": state,
            "createdAt": self._started_at.isoformat() if self._started_at else None,
            "heartbeatAt": ended.isoformat() if ended else None,
            "heartbeatIs": _ENDED,
            "config": json.dumps({name: {"value": value} for name, value in self._config.items()}),
            "summaryMetrics": json.dumps(self._summary),
            "runInfo": {**self._info, "git": self._git},
        }

    def _scopes(self) -> tuple[tuple[Scope, ...], tuple[Skipped, ...]]:
        home, place = self._project, self._place
        outputs = [{"node": node} for node, _, _ in self._logged.values()]
        told = runs.run(self._raw(), self._inputs, outputs, home, place)
        scopes = [runs.project(self._home(), place), *told.scopes]
        skipped = [*told.skipped, Skipped(f"inputs of run/{self._run['id']}", OUTPUTS_ONLY, lost=False)]
        for node, aliases, found in self._logged.values():
            if artifacts.is_generated(node) and not place.options.generated:
                continue
            scopes += [*_shelf(node, aliases, home, place), manifest.scope(node, found, home)]
            skipped += manifest.remarks(node, found)
        return tuple(scopes), tuple(skipped)


def _shelf(node: dict[str, Json], aliases: list[str], home: Project, place: Place) -> Iterator[Scope]:
    """A version with its collection. No number is told: the server gives it when the run is sent."""
    sequence = node["artifactSequence"]
    raw = {"id": sequence["id"], "name": sequence["name"], "defaultArtifactType": node["artifactType"]}
    yield artifacts.collection(raw, home, place)
    yield artifacts.version(node, home, place)[0]
    names = [{"artifact": {"id": node["id"]}, "alias": alias} for alias in aliases]
    yield artifacts.aliases({"id": node["id"]}, names, home, of=sequence["id"])


def _update(into: dict[str, Json], told: Message) -> None:
    """Changes of a config or a summary: the later one counts."""
    for item in inner(told, 1):
        keys = texts_of(item, 2) or [text_of(item, 1)]
        value, wrong = loads(text_of(item, 16))
        into[".".join(keys)] = text_of(item, 16) if wrong else value
    for item in inner(told, 2):
        into.pop(".".join(texts_of(item, 2) or [text_of(item, 1)]), None)


def _entry(told: Message) -> dict[str, Json]:
    """An entry of a manifest, as a server would write it."""
    extra = {text_of(one, 1): loads(text_of(one, 2))[0] for one in inner(told, 16)}
    return {"digest": text_of(told, 2), "ref": text_of(told, 3), "size": number_of(told, 4), "extra": extra}
