"""Commands that are killed at a moment: in forks of a process that has imported everything."""

import json
import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

KILLED = -9


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    seconds: float
    out: str = ""
    err: str = ""
    steps: int = 0
    """Statements and commits; 0 where it was killed."""


class Forks:
    """Runs commands in forks; `with` ends the process that forks."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__).with_name("forker.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        if error is not None:
            process.kill()
        process.wait(60)
        process.stdout.close()

    def pull(self, config: Path, source: str, *, full: bool = False, **how: Any) -> Ended:
        """One pull; `die_at=` kills it at that statement or commit, `after=` when so many seconds are over."""
        return self._ordered(config=str(config), source=source, full=full, **how)

    def run(self, config: Path, *arguments: str, **how: Any) -> Ended:
        """One command of the command line."""
        return self._ordered(config=str(config), arguments=arguments, **how)

    def _ordered(self, **order: Any) -> Ended:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        return Ended(**json.loads(process.stdout.readline()))


def moment(chance: random.Random, length: Ended) -> dict[str, Any]:
    """When to kill a command that takes so long: half of them at a statement or commit, half at any time."""
    if chance.random() < 0.5:
        return {"die_at": chance.randint(1, max(1, length.steps))}
    return {"after": chance.uniform(0, length.seconds)}
