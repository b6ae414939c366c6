"""A running Watersmeet, as a person starts it: a configuration file, `serve`, questions over HTTP."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2
import yaml

PATIENCE = 180.0
"""Seconds to wait for a thing that takes one or two."""


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Service:
    """`watersmeet serve` on a folder of its own; it can be killed and started again on the same store."""

    def __init__(self, folder: Path, sources: list[dict[str, Any]] | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = folder / "watersmeet.yaml"
        settings = {
            "store": {"url": f"sqlite:///{folder / 'store.db'}"},
            "server": {"host": "127.0.0.1", "port": self.port},
            "sources": sources or [],
        }
        self.config.write_text(yaml.safe_dump(settings))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Service":
        try:
            self.start()
        except BaseException:
            self.stop(signal.SIGKILL)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it is ready."""
        log = (self.folder / "serve.log").open("ab")
        command = [sys.executable, "-m", "watersmeet.api.cli", "--config", str(self.config), "serve"]
        self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        log.close()
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise AssertionError(f"serve ended with {self._process.returncode}: {self.log()[-3000:]}")
            try:
                if httpx2.get(f"{self.url}/readyz", timeout=5).status_code == 200:
                    return
            except httpx2.TransportError:
                time.sleep(0.1)
        raise AssertionError(f"serve was not ready in {PATIENCE} s: {self.log()[-3000:]}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it; SIGTERM asks, SIGKILL does not."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)

    @property
    def pid(self) -> int:
        """The process that serves."""
        assert self._process is not None
        return self._process.pid

    def log(self) -> str:
        """What it has logged."""
        return (self.folder / "serve.log").read_text(errors="replace")

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of a GraphQL answer without errors."""
        answer = httpx2.post(f"{self.url}/graphql", json={"query": query, "variables": variables}, timeout=60)
        body = answer.json()
        assert "errors" not in body, body
        return body["data"]

    def run(self, *arguments: str) -> Any:
        """What a command answers with `--json`; the command must succeed."""
        command = [sys.executable, "-m", "watersmeet.api.cli", "--config", str(self.config), *arguments]
        done = subprocess.run(
            command, capture_output=True, cwd=self.folder, timeout=600, env=os.environ | {"NO_COLOR": "1"}
        )
        assert done.returncode == 0, (done.stdout[-2000:], done.stderr[-3000:])
        return json.loads(done.stdout) if "--json" in arguments else done.stdout.decode()


def wait_for(true: Any, what: str, patience: float = PATIENCE) -> Any:
    """Ask again until the answer is true; returns it."""
    deadline = time.monotonic() + patience
    while not (answer := true()):
        if time.monotonic() > deadline:
            raise AssertionError(f"in {patience} s there was not: {what}")
        time.sleep(0.2)
    return answer
