"""MLflow is held to the contract."""

from .mlflow_house import MLflowHouse
from .suite import ConnectorContract


class TestMLflow(ConnectorContract):
    house = MLflowHouse
