"""`systemctl` and `docker compose` as the operators' pages use them: what a unit or a Compose file says is run."""

import configparser
import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import yaml

MACHINE = Path(os.environ["MACHINE"])
RUNNING = MACHINE / "service.pid"
PATIENCE = 60.0


def start(command: list[str], environment: dict[str, str]) -> int:
    """Begin a service, and wait until it is ready."""
    if RUNNING.exists():
        print("one is running already, and would answer in its place", file=sys.stderr)
        return 1
    with (MACHINE / "service.log").open("ab") as log:
        child = subprocess.Popen(
            command,
            env=os.environ | environment,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            cwd=MACHINE,
            start_new_session=True,
        )
    RUNNING.write_text(str(child.pid))
    ready = f"http://127.0.0.1:{os.environ['WATERSMEET_SERVER__PORT']}/readyz"
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and child.poll() is None:
        try:
            with urllib.request.urlopen(ready, timeout=5):
                return 0
        except OSError:
            time.sleep(0.1)
    print(f"the service did not come up: {shlex.join(command)}", file=sys.stderr)
    return 1


def stop() -> int:
    """End the service as a service manager does."""
    if RUNNING.exists():
        number = int(RUNNING.read_text())
        RUNNING.unlink()
        deadline = time.monotonic() + PATIENCE
        try:
            os.kill(number, signal.SIGTERM)
            while time.monotonic() < deadline and Path(f"/proc/{number}/cmdline").exists():
                if "Z" in Path(f"/proc/{number}/stat").read_text().split()[2]:
                    break
                time.sleep(0.05)
        except (ProcessLookupError, FileNotFoundError):
            return 0
    return 0


def systemctl(*arguments: str) -> int:
    """`daemon-reload`, `enable --now`, `start` and `stop` of the one unit."""
    match arguments:
        case ("daemon-reload",):
            return 0
        case ("stop", "watersmeet"):
            return stop()
        case ("start", "watersmeet") | ("enable", "--now", "watersmeet"):
            unit = configparser.ConfigParser(strict=False, interpolation=None)
            unit.optionxform = str  # type: ignore[assignment, method-assign]  # how configparser is told to mind case
            unit.read(MACHINE / "etc/systemd/system/watersmeet.service")
            service = unit["Service"]
            name, _, value = service["Environment"].partition("=")
            return start(shlex.split(service["ExecStart"]), {name: value})
        case _:
            print(f"systemctl {shlex.join(arguments)}: the page types something new", file=sys.stderr)
            return 2


def compose(*arguments: str) -> int:
    """`up --detach` of the database or of all, and `run --rm` of a command of the service."""
    file: dict[str, Any] = yaml.safe_load(Path("compose.yaml").read_text())
    service = file["services"]["watersmeet"]
    environment = {name: os.path.expandvars(str(value)) for name, value in service["environment"].items()}
    database = environment["WATERSMEET_STORE__URL"]
    if database != f"postgresql://watersmeet:{os.environ['DB_PASSWORD']}@store/watersmeet":
        print(f"the service and the database do not agree: {database}", file=sys.stderr)
        return 2
    environment["WATERSMEET_STORE__URL"] = os.environ["MACHINE_STORE"]
    match arguments:
        case ("up", "--detach", "store"):
            return 0 if "store" in file["volumes"] else 2
        case ("up", "--detach"):
            return start(service["command"], environment)
        case ("run", "--rm", "watersmeet", *command):
            return subprocess.run(command, env=os.environ | environment, check=False).returncode
        case _:
            print(f"docker compose {shlex.join(arguments)}: the page types something new", file=sys.stderr)
            return 2


if __name__ == "__main__":
    if sys.argv[1] == "docker":
        raise SystemExit(compose(*sys.argv[3:]) if sys.argv[2] == "compose" else 2)
    raise SystemExit(systemctl(*sys.argv[2:]))
