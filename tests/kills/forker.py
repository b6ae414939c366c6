"""A process that has everything imported and forks one that works for each order, so that a kill costs milliseconds.

Run as a program: an order is a line of JSON on stdin, what became of it one on stdout.
"""

import contextlib
import ctypes
import io
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from watersmeet.api.cli.app import app
from watersmeet.api.cli.exits import code_of
from watersmeet.api.cli.session import complain
from watersmeet.api.opening import open_store
from watersmeet.config.errors import WatersmeetError
from watersmeet.config.settings import load

Order = dict[str, Any]
"""`arguments`: of the command line; or `source` and `full`: a pull. `die_at`: the step at which it kills itself;
`after`: the seconds after which it is killed; `humble`: with the rights that files give, also as root."""
_LOOK = 0.0005
for _platform in ("marquez", "mlflow", "openlineage"):
    import_module(f"watersmeet.connectors.{_platform}.read")  # a fork finds it imported


class _Steps:
    """Counts statements and commits, and dies at one of them."""

    def __init__(self, die_at: int | None) -> None:
        self.count = 0
        self._die_at = die_at
        event.listen(sa.Engine, "before_cursor_execute", self._step)
        event.listen(sa.Engine, "commit", self._step)

    def _step(self, *_: object) -> None:
        self.count += 1
        if self.count == self._die_at:
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Fork for each order."""
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(_done(order)), flush=True)


def _done(order: Order) -> dict[str, Any]:
    began = time.monotonic()
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reads)
        _work(order, writes)
    os.close(writes)
    status = _waited(child, order.get("after"))
    with os.fdopen(reads, "rb") as told:
        said = told.read()
    seconds = time.monotonic() - began
    return {"code": os.waitstatus_to_exitcode(status), "seconds": seconds, **(json.loads(said) if said else {})}


def _waited(child: int, after: float | None) -> int:
    """How the child ended; it is killed when its time is over."""
    until = None if after is None else time.monotonic() + after
    while until is not None:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        if time.monotonic() >= until:
            os.kill(child, signal.SIGKILL)
            break
        time.sleep(_LOOK)
    return os.waitpid(child, 0)[1]


def _work(order: Order, writes: int) -> None:
    """Do it, say how it went, and end without what a program does at its end."""
    out, err, code = io.StringIO(), io.StringIO(), 70
    steps = _Steps(order.get("die_at"))
    try:
        if order.get("humble"):
            _be_humble()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = _exit_of(lambda: _command(order))
    except BaseException as error:
        import traceback

        err.write("".join(traceback.format_exception(error)))
    finally:
        said = {"out": out.getvalue()[-20000:], "err": err.getvalue()[-20000:], "steps": steps.count}
        os.write(writes, json.dumps(said).encode()[:60000])
        os._exit(code)


def _be_humble() -> None:
    """Give up what root may do beyond the rights of files (Linux: capset(2))."""
    if os.getuid() == 0:
        header, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        if ctypes.CDLL(None, use_errno=True).capset(header, none):
            raise OSError(ctypes.get_errno(), "capset")


def _command(order: Order) -> None:
    config = order["config"]
    arguments = order.get("arguments") or ["pull", str(_queued(Path(config), order["source"], order["full"]))]
    app(["--config", config, *arguments])


def _queued(config: Path, source: str, full: bool) -> int:
    try:
        with open_store(load(config)) as store:
            return store.journal.enqueue(source, full)
    except WatersmeetError as error:
        complain(error, as_json=False)
        raise SystemExit(code_of(error)) from error


def _exit_of(run: Callable[[], None]) -> int:
    try:
        run()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    return 0


if __name__ == "__main__":
    main()
