"""Weights & Biases is held to the contract."""

from .suite import ConnectorContract
from .wandb_house import WandbHouse


class TestWandb(ConnectorContract):
    house = WandbHouse
