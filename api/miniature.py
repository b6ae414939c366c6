"""The platforms that come in miniature, by name."""

from importlib import import_module
from typing import Any, Protocol

from ..federation.errors import BadInput

SANDBOXES = ("datahub", "marquez", "mlflow", "wandb")


class Miniature(Protocol):
    """One platform in miniature on this machine."""

    url: str

    def start(self) -> Any:
        """Begin to serve."""
        ...

    def stop(self) -> None:
        """Serve no more."""
        ...


def miniature(platform: str, *, port: int = 0, empty: bool = False, **beside: Any) -> Miniature:
    """The sandbox of a platform, not yet started; `beside`: what it knows of the other ones. Raises `BadInput`."""
    if platform not in SANDBOXES:
        raise BadInput(f"no sandbox of {platform!r}; there are: {', '.join(SANDBOXES)}")
    sandbox: Any = import_module(f"..connectors.{platform}.sandbox", __package__).Sandbox
    made: Miniature = sandbox(port=port, empty=empty, **beside)
    return made
