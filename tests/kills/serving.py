"""A server on a store that is disturbed."""

from collections.abc import Generator
from contextlib import contextmanager

import yaml

from ..e2e.service import Service
from .worlds import World

SYNC = "mutation($source: String!) { sync(source: $source) { id } }"


@contextmanager
def serving(world: World, url: str) -> Generator[Service]:
    """A server that follows the world."""
    one = Service(world.folder)
    server = yaml.safe_load(one.config.read_text())["server"]
    world.config(url, one.config.name, server=server)
    with one:
        yield one
