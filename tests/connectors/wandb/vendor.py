"""The vendor's own client on a miniature: an independent judge of how true it is, and of what is read."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from watersmeet.connectors.wandb.sandbox import KEY, Sandbox

_HEAD = """
import json
import wandb

def told(what):
    import sys
    json.dump(what, sys.stdout)

api = wandb.Api(timeout=10)
"""
_LOGGING = """
import json
import sys
import types

class Anything:
    def __getattr__(self, name): return self
    def __call__(self, *_, **__): return self

# The client wants Amazon's library for every address in S3, also where it never asks S3.
for name in ("boto3", "botocore", "botocore.client"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["boto3"].session = Anything()
sys.modules["botocore.client"].Config = Anything()

import wandb

def told(what):
    json.dump(what, sys.stdout)
"""


def asked_by_client(sandbox: Sandbox, script: str) -> Any:
    """What a script says with `told(...)` that has the client as `api`.

    In a process of its own: the client starts a helper, which ends with it, and keeps what it has seen.
    """
    return _answered(sandbox, _HEAD + script)


def logged_by_client(sandbox: Sandbox, script: str) -> Any:
    """The same of a script that logs runs with the client."""
    return _answered(sandbox, _LOGGING + script)


def _answered(sandbox: Sandbox, script: str) -> Any:
    pytest.importorskip("wandb", reason="needs the extra wandb: uv sync --extra wandb")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        own = {name: folder for name in ("WANDB_CONFIG_DIR", "WANDB_CACHE_DIR", "WANDB_DATA_DIR", "WANDB_DIR", "HOME")}
        where = {"WANDB_BASE_URL": sandbox.url, "WANDB_API_KEY": KEY}
        quiet = {"WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false", "PYTHONWARNINGS": "ignore"}
        ended = subprocess.run(
            [sys.executable, "-c", script],
            env={"PATH": os.environ.get("PATH", ""), **own, **where, **quiet},
            cwd=Path(folder),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr[-2000:]
    return json.loads(ended.stdout)
