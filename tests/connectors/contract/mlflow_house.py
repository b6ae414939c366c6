"""MLflow in miniature, for the contract."""

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar

from watersmeet.connectors.mlflow.read import MLflow
from watersmeet.connectors.mlflow.sandbox import Sandbox

from .house import STUMBLES, House

V2 = "/api/2.0/mlflow"
_START = 1_760_000_000_000


class MLflowHouse(House):
    """A tracking server with the story of the churn model."""

    platform = "mlflow"
    name = "tracking"
    root = "model/default/churn"
    small: ClassVar[Mapping[str, Any]] = {"options": {"page_size": 3}}
    narrowing = ("Default*",)
    cannot: ClassVar[Mapping[str, str]] = {
        "test_what_nobody_knows_is_kept_and_goes_out_again": "what MLflow tells is mapped field by field; only "
        "OpenLineage promises to carry what it does not know",
    }

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._made = 0

    @classmethod
    @contextmanager
    def opened(cls) -> Generator["MLflowHouse"]:
        with Sandbox() as sandbox:
            yield cls(sandbox)

    @property
    def address(self) -> str:
        return self.sandbox.url

    @property
    def asked(self) -> int:
        return len(self.sandbox.calls)

    def connect(self, now: datetime, **settings: Any) -> MLflow:
        return MLflow(self.source(**settings), clock=lambda: now, sleep=lambda seconds: None)

    def mend(self) -> None:
        self.sandbox.faults.clear()
        self.sandbox.hidden.clear()

    # What people do

    def grow(self, number: int) -> None:
        for _ in range(number):
            self._run(f"run {self._made}")

    def edit(self, choice: int) -> None:
        runs = list(self.sandbox.world.tracking.runs)
        run = runs[choice // 10 % len(runs)]
        match choice % 10:
            case 0 | 1:
                self._run(f"run {self._made}")
            case 2:
                self._post("runs/set-tag", run_id=run, key="late", value=str(choice))
            case 3:
                self._post("runs/update", run_id=run, status="FINISHED", end_time=_START + choice * 60_000)
            case 4:
                self._post("runs/update", run_id=run, status="FAILED", end_time=_START + choice * 60_000)
            case 5:
                self._post("runs/delete", run_id=run)
            case 6:
                self._post("runs/restore", run_id=run)
            case 7:
                name = f"model-{choice}-{self._made}"
                self._made += 1
                self._post("registered-models/create", name=name)
                self._post("model-versions/create", name=name, source=f"runs:/{run}/model", run_id=run)
            case 8:
                self._post("registered-models/alias", name="churn", alias="champion", version=str(1 + choice // 10 % 2))
            case _:
                self._post("experiments/update", experiment_id="0", new_name=f"Default {choice}")

    def add(self, name: str, at: datetime) -> str:
        return self._run(name, round(at.timestamp() * 1000))

    def huge(self, name: str, size: int) -> str:
        native_id = self._run(name)
        run = self.sandbox.world.tracking.runs[native_id.rpartition("/")[2]]
        run["data"]["tags"].append({"key": "mlflow.note.content", "value": "x" * size})
        return native_id

    def plant(self, secret: str) -> None:
        run = self._run(f"https://ada:{secret}@lab.acme.io/x").rpartition("/")[2]
        signed = f"https://lake.acme.io/x.csv?sig={secret}&X-Amz-Signature={secret}"
        for key, value in (("db_password", secret), ("source", signed), ("uri", f"postgres://ada:{secret}@db/x")):
            self._post("runs/log-parameter", run_id=run, key=key, value=value)
            self._post("runs/set-tag", run_id=run, key=key, value=value)
        dataset = {"name": "x", "digest": "d1", "source_type": "http", "source": json.dumps({"url": signed})}
        self._post("runs/log-inputs", run_id=run, datasets=[{"tags": [], "dataset": dataset}])
        broken = {"name": "y", "digest": "d2", "source_type": "odd", "source": f"not json {{ token={secret}"}
        self._post("runs/log-inputs", run_id=run, datasets=[{"tags": [], "dataset": broken}])
        self._post("registered-models/create", name="leaky", description=f"read with {signed}")
        self._post("model-versions/create", name="leaky", source=signed, run_id=run)

    def trip(self, secret: str) -> None:
        body = (
            f'{{"error_code": "INTERNAL", "message": "no: Bearer {secret}, https://ada:{secret}@db, token={secret}"}}'
        )
        self.sandbox.fail("registered-models", status=403, body=body, times=1000)

    def stumble(self, kind: str) -> None:
        self.sandbox.fail("runs/search", skip=2, **STUMBLES[kind])

    def empty_page(self) -> None:
        """Let the server put an empty page before the first one, as the real one may."""
        self.sandbox.fail(
            "runs/search", skip=1, kind="bent", bend=lambda _: {"next_page_token": "eyJvZmZzZXQiOiAwfQ=="}
        )

    def _post(self, path: str, **body: Any) -> Any:
        return self.sandbox.call("POST", f"{V2}/{path}", body)

    def _run(self, name: str, at: int | None = None) -> str:
        self._made += 1
        start = _START + self._made * 1000 if at is None else at
        made = self._post("runs/create", experiment_id="0", run_name=name, start_time=start)
        return f"run/default/{made['run']['info']['run_id']}"
