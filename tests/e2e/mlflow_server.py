"""A real MLflow server of its own environment, on a free port and a fresh database."""

import json
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Self
from urllib.error import URLError
from urllib.request import urlopen

import pytest

_HERE = Path(__file__).parent
_SETTINGS = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_FLASK_SERVER_SECRET_KEY": "only-for-tests",  # basic auth wants one
    "MLFLOW_AUTH_ADMIN_PASSWORD": "watersmeet-tests",
    "LOGNAME": "ada",
}


def python_of_mlflow() -> Path:
    """The Python that has MLflow; without it the test is skipped with the way to get it, and fails in CI."""
    place = os.environ.get("WATERSMEET_MLFLOW_PYTHON")
    if place and Path(place).exists():
        return Path(place)
    message = "no MLflow server: `bash tests/e2e/provide.sh mlflow` installs it, `. .venvs/real.env` tells where it is"
    if os.environ.get("WATERSMEET_REQUIRE_REAL") == "1":
        pytest.fail(message)
    pytest.skip(message)


class RealMLflow:
    """A running server. Entering it starts it and waits until it answers; leaving it ends it."""

    def __init__(self, folder: Path, *options: str, port: int = 0) -> None:
        self._python = python_of_mlflow()
        self._folder = folder
        self._options = options
        self._port = port or _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.database = f"sqlite:///{folder}/mlflow.db"
        self.url = f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        command = [str(self._python), "-m", "mlflow", "server", "--workers", "1", "--host", "127.0.0.1"]
        where = ["--backend-store-uri", self.database, "--artifacts-destination", str(self._folder / "artifacts")]
        log = (self._folder / "server.log").open("wb")
        self._process = subprocess.Popen(
            [*command, "--port", str(self._port), *where, *self._options],
            cwd=self._folder,
            env=os.environ | _SETTINGS,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        self._wait()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, 15)  # its own session: the server and its workers
            self._process.wait(30)

    def _wait(self) -> None:
        assert self._process is not None
        for _ in range(1200):
            try:
                with urlopen(f"{self.url}/health", timeout=1):
                    return
            except (URLError, OSError):
                time.sleep(0.1)
            assert self._process.poll() is None, (self._folder / "server.log").read_text()
        raise AssertionError(f"MLflow did not answer within two minutes: {self._folder / 'server.log'}")

    def run(self, *arguments: str) -> str:
        """Run MLflow's Python, and give back what it printed."""
        done = subprocess.run(
            [str(self._python), "-W", "ignore", *arguments],
            cwd=self._folder,
            env=os.environ | _SETTINGS | {"MLFLOW_TRACKING_URI": self.url},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def fill(self) -> dict[str, Any]:
        """One of everything; gives the ids."""
        # A copy: MLflow writes down the path of the script that it was told by.
        (self._folder / "train.py").write_text((_HERE / "fill_mlflow.py").read_text())
        return json.loads(self.run("train.py", self.url).strip().splitlines()[-1])

    def do(self, statements: str) -> str:
        """Let the vendor's client do something; `client` is there."""
        return self.run("-c", f"import mlflow\nclient = mlflow.MlflowClient()\n{statements}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
