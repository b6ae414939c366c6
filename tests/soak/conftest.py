"""What a soak stands on."""

from ..kills.conftest import forks, postgres, store_url

__all__ = ["forks", "postgres", "store_url"]
