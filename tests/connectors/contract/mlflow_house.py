"""MLflow in miniature, for the contract."""

from datetime import datetime
from typing import Any

from watersmeet.connectors.mlflow.read import MLflow
from watersmeet.connectors.mlflow.sandbox import Sandbox

from .house import House


class MLflowHouse(House):
    """A tracking server with the story of the churn model."""

    platform = "mlflow"
    name = "tracking"
    root = "model/default/churn"

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    @property
    def address(self) -> str:
        return self.sandbox.url

    def connect(self, now: datetime, **settings: Any) -> MLflow:
        return MLflow(self.source(**settings), clock=lambda: now, sleep=lambda seconds: None)

    def mend(self) -> None:
        self.sandbox.faults.clear()
        self.sandbox.hidden.clear()
