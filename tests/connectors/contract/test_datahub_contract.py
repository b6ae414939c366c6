"""DataHub is held to the contract, over real HTTP."""

from .datahub_house import DataHubHouse
from .suite import ConnectorContract


class TestDataHub(ConnectorContract):
    house = DataHubHouse
