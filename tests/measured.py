"""Commands in processes of their own, and the memory that they took at their peak."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

_PEAKS_A_MEGABYTE = 1024 if sys.platform == "linux" else 1024**2  # kilobytes on Linux, bytes on macOS
# A process of its own, small, so that its children's peak is the command's and not that of the tests: a child counts
# what it was before it became another program.
_MEASURE = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps({"code": done.returncode, "out": done.stdout, "err": done.stderr, "peak": peak}))
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """How a command ended, and what it took."""

    code: int
    out: str
    err: str
    megabytes: float


def watersmeet(*arguments: str) -> list[str]:
    """The command as another process runs it."""
    return [sys.executable, "-m", "watersmeet.api.cli", *arguments]


def measured(command: list[str], *, timeout: float | None = 600, env: Mapping[str, str] | None = None) -> Measured:
    """Run a command to its end; raises `AssertionError` where it cannot be run at all."""
    watched = subprocess.run(
        [sys.executable, "-c", _MEASURE, *command], capture_output=True, text=True, timeout=timeout, env=env
    )
    assert watched.returncode == 0, watched.stderr
    told = json.loads(watched.stdout)
    return Measured(told["code"], told["out"], told["err"], told["peak"] / _PEAKS_A_MEGABYTE)
