"""Lets the tests run from a bare checkout as from an installed one, and gives what many of them share."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

if importlib.util.find_spec("watersmeet") is None:
    _spec = importlib.util.spec_from_file_location(
        "watersmeet", ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
    )
    assert _spec is not None
    assert _spec.loader is not None
    sys.modules["watersmeet"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["watersmeet"])


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real payloads that developers of the project have beside their checkout."""
    folder = Path(os.environ.get("WATERSMEET_SHARED", ROOT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"no recorded payloads at {folder}: set WATERSMEET_SHARED to the folder that holds data/")
    return folder
