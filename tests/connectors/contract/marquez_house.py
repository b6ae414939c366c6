"""Marquez in miniature, for the contract."""

from datetime import datetime
from typing import Any

from watersmeet.connectors.http import Http
from watersmeet.connectors.marquez.read import Marquez
from watersmeet.connectors.marquez.sandbox import Sandbox

from .house import House


class MarquezHouse(House):
    """A Marquez with the pipelines of the churn model."""

    platform = "marquez"
    name = "pipelines"
    root = "s3://lake/features/customer_features"

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    @property
    def address(self) -> str:
        return self.sandbox.url

    def connect(self, now: datetime, **settings: Any) -> Marquez:
        source = self.source(**settings)
        http = Http.of(source, sleep=lambda seconds: None, clock=lambda: now)
        return Marquez(source, clock=lambda: now, http=http)

    def mend(self) -> None:
        self.sandbox.faults.clear()
        self.sandbox.between.clear()
