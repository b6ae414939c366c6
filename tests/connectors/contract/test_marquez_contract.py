"""Marquez is held to the contract."""

from .marquez_house import MarquezHouse
from .suite import ConnectorContract


class TestMarquez(ConnectorContract):
    house = MarquezHouse
