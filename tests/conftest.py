"""Lets the tests run from a bare checkout as from an installed one, and gives what many of them share."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest
from xdist.remote import Producer  # pyright: ignore[reportMissingTypeStubs]  # it bears its own types
from xdist.scheduler import LoadScopeScheduling  # pyright: ignore[reportMissingTypeStubs]

ROOT = Path(__file__).parents[1]

if importlib.util.find_spec("watersmeet") is None:
    _spec = importlib.util.spec_from_file_location(
        "watersmeet", ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
    )
    assert _spec is not None
    assert _spec.loader is not None
    sys.modules["watersmeet"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["watersmeet"])


class OneByOne(LoadScopeScheduling):
    """Gives out each test by itself, but those of one large world together, so that it is made once.

    xdist's own `loadgroup` would do it by marks, which it writes where pytest 9.2 does not look any more.
    """

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0] if "tests/large/" in nodeid else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneByOne | None:
    """For `--dist loadgroup`; the other ways are xdist's."""
    return OneByOne(config, log) if config.getoption("dist") == "loadgroup" else None


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real payloads that developers of the project have beside their checkout."""
    folder = Path(os.environ.get("WATERSMEET_SHARED", ROOT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"no recorded payloads at {folder}: set WATERSMEET_SHARED to the folder that holds data/")
    return folder
