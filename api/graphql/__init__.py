"""The GraphQL endpoint: what can be asked, within which limits, and how it is answered."""

from .endpoint import Endpoint
from .schema import Schema, sdl

__all__ = ["Endpoint", "Schema", "sdl"]
