"""Where in an MLflow server a thing lives, and so what it is called for ever."""

from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from ...federation.model import Form, Record, Spelling
from .options import Options


@dataclass(frozen=True, slots=True)
class Place:
    """One workspace of one server. MLflow has no instance id, so the source's own id stands for the server."""

    instance: str
    workspace: str
    options: Options = field(default_factory=Options)
    address: str = ""
    """Where the server's pages are; empty for files."""
    now: datetime | None = None

    # Ids of different kinds share their prefixes (`m-`, `d-`), so the kind is part of every name.

    def experiment(self, experiment_id: str) -> str:
        """An experiment."""
        return f"experiment/{self.workspace}/{experiment_id}"

    def run(self, run_id: str) -> str:
        """A run."""
        return f"run/{self.workspace}/{run_id}"

    def job(self, name: str) -> str:
        """What a run was a run of: a script, a notebook, a task."""
        return f"job/{self.workspace}/{name}"

    def logged_model(self, model_id: str) -> str:
        """A logged model, `m-…`."""
        return f"logged-model/{self.workspace}/{model_id}"

    def model(self, name: str) -> str:
        """A registered model."""
        return f"model/{self.workspace}/{name}"

    def model_version(self, name: str, version: str) -> str:
        """A version of a registered model."""
        return f"model-version/{self.workspace}/{name}/{version}"

    def prompt(self, name: str) -> str:
        """A registered prompt."""
        return f"prompt/{self.workspace}/{name}"

    def prompt_version(self, name: str, version: str) -> str:
        """A version of a prompt."""
        return f"prompt-version/{self.workspace}/{name}/{version}"

    def evaluation_dataset(self, dataset_id: str) -> str:
        """An evaluation dataset, `d-…`."""
        return f"evaluation-dataset/{self.workspace}/{dataset_id}"

    def evaluation(self, run_id: str, model_id: str, dataset: str) -> str:
        """What one run found of one model on one dataset (`name@digest`)."""
        return f"evaluation/{self.workspace}/{run_id}/{model_id}/{dataset}"

    def logged_dataset(self, experiment_id: str, name: str, digest: str) -> str:
        """One row of MLflow's dataset table: unique by experiment, name and digest."""
        return f"dataset/{self.workspace}/{experiment_id}/{name}@{digest}"

    def endpoint(self, endpoint_id: str) -> str:
        """A gateway endpoint."""
        return f"gateway-endpoint/{self.workspace}/{endpoint_id}"

    def spelling(self, kind: str, path: str) -> Spelling:
        """What other tools may call it by: server, workspace, kind and id."""
        return Spelling(Form.MLFLOW, (self.instance, self.workspace, kind, path))

    def page(self, *parts: str) -> str | None:
        """The address of a thing's page in MLflow's own interface."""
        if not self.address:
            return None
        path = "/".join(quote(part, safe="") for part in parts)
        where = f"?workspace={quote(self.workspace)}" if self.workspace != "default" else ""
        return f"{self.address.rstrip('/')}/#/{path}{where}"


def described_by(*records: Record) -> tuple[Record, ...]:
    """Records of one scope, each native id once."""
    return tuple({record.native_id: record for record in records}.values())
