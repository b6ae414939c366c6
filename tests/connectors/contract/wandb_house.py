"""Weights & Biases in miniature, for the contract: its API on one port, its object store on another."""

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar

from watersmeet.config.settings import Source
from watersmeet.connectors.wandb.place import run_id
from watersmeet.connectors.wandb.read import Wandb
from watersmeet.connectors.wandb.sandbox import Sandbox
from watersmeet.connectors.wandb.sandbox_artifacts import Artifact
from watersmeet.connectors.wandb.sandbox_query import gid
from watersmeet.connectors.wandb.sandbox_runs import Run
from watersmeet.connectors.wandb.sandbox_story import PROJECT
from watersmeet.connectors.wandb.sandbox_world import entry, reference

from .house import STUMBLES, House

SECRET_END = "s3cr3t-Kq8ZtV5w2XyB"
KEY = f"{'k' * 24}-{SECRET_END}"
"""The key that the miniature lets in: it ends in the secret that the contract looks for everywhere."""
APART = "acme/apart"


class WandbHouse(House):
    """A tracker with the story of the churn model."""

    platform = "wandb"
    name = "experiments"
    root = run_id(gid("Run", "v1:train002:churn:acme"))
    small: ClassVar[Mapping[str, Any]] = {"options": {"page_size": 3}}
    outlives = ("job/", "git/", "file/")  # known by runs, and by the manifests of versions
    narrowing = (APART,)

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._made = 0
        self._former: list[tuple[Any, dict[str, Any]]] = []

    @classmethod
    @contextmanager
    def opened(cls) -> Generator["WandbHouse"]:
        with Sandbox(key=KEY) as sandbox:
            yield cls(sandbox)

    @property
    def address(self) -> str:
        return self.sandbox.url

    @property
    def asked(self) -> int:
        return len(self.sandbox.calls) + len(self.sandbox.storage.calls)

    def source(self, **settings: Any) -> Source:
        """Its files lie on another port of this machine, which has to be said."""
        assert settings.pop("token", SECRET_END) == SECRET_END
        given = {"token": settings.pop("key", KEY), "also": [self.sandbox.storage.url], **settings}
        return super().source(**given)

    def connect(self, now: datetime, **settings: Any) -> Wandb:
        return Wandb(self.source(**settings), clock=lambda: now, sleep=lambda seconds: None)

    def mend(self) -> None:
        self.sandbox.faults.clear()
        self.sandbox.storage.faults.clear()
        self.sandbox.refuses_keys = False
        self.sandbox.know_all()
        while self._former:
            thing, was = self._former.pop()
            for name, value in was.items():
                setattr(thing, name, value)
        self.sandbox.world.hide_project(PROJECT, "granted")
        for run in [one for one in self.sandbox.world.project(PROJECT).all_runs if one.is_hidden]:
            self.sandbox.world.delete_run(run)

    # What people do

    def grow(self, number: int) -> None:
        for _ in range(number):
            self.run(f"run {self._made}")

    def edit(self, choice: int) -> None:
        world = self.sandbox.world
        runs = world.project(PROJECT).all_runs
        run = runs[choice // 12 % len(runs)]
        versions = list(world.artifacts.values())
        version = versions[choice // 144 % len(versions)]
        match choice % 12:
            case 0 | 1:
                self.run(f"run {self._made}")
            case 2:
                world.change(run, tags=[f"t{choice}"])
            case 3:
                world.change(run, state=("running", "finished", "failed")[choice // 1728 % 3])
            case 4:
                entries = {"a.csv": reference(f"s3://lake/made/{choice}.csv", f"etag{choice}", etag=f"etag{choice}")}
                world.log_artifact(run, f"set-{choice % 5}", "dataset", entries)
            case 5:
                world.use(run, version, *(["evaluation"] if choice % 2 else []))
            case 6:
                world.link(version, "model", f"of-{choice % 3}", f"a{choice % 7}")
            case 7:
                if run_id(run.id) != self.root:
                    world.delete_run(run)
            case 8:
                member = version.memberships[0]
                if version.state == "COMMITTED":
                    member.artifact_collection.move(f"stage-{choice % 3}", member)
            case 9:
                world.change(run, display_name=f"renamed {choice}")
            case 10:
                world.delete_artifact(version)
            case _:
                world.log_artifact(run, "churn-model", "model", {"model.pkl": entry(str(choice).encode())})

    def add(self, name: str, at: datetime) -> str:
        return self.run(name, APART, at)

    def huge(self, name: str, size: int) -> str:
        return self.run(name, notes="x" * size)

    def plant(self, secret: str) -> None:
        world = self.sandbox.world
        signed = f"https://lake.acme.io/x.csv?sig={secret}&X-Amz-Signature={secret}"
        address = f"postgres://ada:{secret}@db/x"
        config = {"db_password": secret, "source": signed, "uri": address, "deep": {"apiToken": secret}}
        self.run(address, config=config, summary={"uri": 1, "api_key": secret}, notes=f"read with {signed}")
        run = world.project(PROJECT).all_runs[-1]
        self.run("broken", config_text=f'{{"password": "{secret}", "at": "{signed}"', summary_text=f"token={secret}")
        run.run_info = {"program": "x.py", "args": ["--password", secret], "git": {"remote": address, "commit": "abc"}}
        made = world.log_artifact(run, "leaky", "dataset", {"x.csv": reference(signed, "d", etag="d")}, metadata=config)
        world.change(made, description=f"read with {address}")
        world.start_sweep(PROJECT, "leaky", f"program: x.py\npassword: {secret}\nsource: {signed}\n")
        world.report(PROJECT, address)
        world.queue(PROJECT, "leaky", run, environment={"DB_PASSWORD": secret})
        world.automate(
            made.memberships[0].artifact_collection, "leaky", "ADD_ARTIFACT_ALIAS", json.dumps({"token": secret})
        )

    def trip(self, secret: str) -> None:
        body = f'{{"errors": [{{"message": "no: Bearer {secret}, https://ada:{secret}@db, token={secret}"}}]}}'
        self.sandbox.fail("ProjectPage", status=403, body=body, times=1000)

    def stumble(self, kind: str) -> None:
        self.sandbox.fail("ProjectPage", skip=1, **STUMBLES[kind])

    def unknown(self, name: str) -> None:
        self.version("odd", {}, metadata={name: {"grain": [1, {"a": None}]}})

    def empty_page(self) -> None:
        """Let a page of runs that the key may not see come before the others."""
        project = self.sandbox.world.project(PROJECT)
        hidden = [self._run(f"hidden {number}") for number in range(3)]
        for one in hidden:
            one.is_hidden = True
            one.created_at = "2020-01-01T00:00:00Z"
        assert project.all_runs[-3:] == hidden

    # What failures do

    def newest(self) -> Run:
        """The run that was made last in the story's project."""
        return self.sandbox.world.project(PROJECT).all_runs[-1]

    def spoil(self, thing: Run | Artifact, **what: Any) -> None:
        """Let something be told in a way that cannot be; it is as it was once it is mended."""
        self._former.append((thing, {name: getattr(thing, name) for name in what}))
        for name, value in what.items():
            setattr(thing, name, value)

    def version(self, name: str, entries: Mapping[str, Mapping[str, Any]], **more: Any) -> Artifact:
        """A new version of a dataset of this name, logged by the newest run."""
        return self.sandbox.world.log_artifact(self.newest(), name, "dataset", entries, **more)

    def run(self, title: str, path: str = PROJECT, at: datetime | None = None, **told: Any) -> str:
        """A new run; returns its native id."""
        return run_id(self._run(title, path, at, **told).id)

    def _run(self, title: str, path: str = PROJECT, at: datetime | None = None, **told: Any) -> Run:
        self._made += 1
        world = self.sandbox.world
        world.told_time = at
        try:
            return world.log_run(path, f"made{self._made:05}", display_name=title, **told)
        finally:
            world.told_time = None
