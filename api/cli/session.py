"""What every command shares: where the configuration is, how to speak, how to fail."""

import json
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from ...config.errors import WatersmeetError
from .exits import Code, code_of

if TYPE_CHECKING:  # so that `--help` answers at once
    from rich.console import Console

    from ...config.settings import Settings
    from ...federation.store import Store

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.", show_default=False)]


class Commands(TyperGroup):
    """Turns errors of ours into a message and an exit code; what nobody foresaw keeps its trace."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except WatersmeetError as error:
            as_json = ctx.obj.as_json if isinstance(ctx.obj, Session) else False
            complain(error, as_json=as_json)
            raise typer.Exit(code_of(error)) from error


@dataclass(slots=True)
class Session:
    """One run of the command line."""

    config: Path | None = None
    as_json: bool = False

    def speak(self, as_json: bool) -> None:
        """`--json` counts before the command and behind it."""
        self.as_json = self.as_json or as_json

    def settings(self) -> "Settings":
        """The configuration. Raises `Misconfigured`."""
        from ...config.settings import load

        return load(self.config)

    @contextmanager
    def store(self, settings: "Settings") -> Generator["Store"]:
        """The store, with its sources as they are configured. Raises `Misconfigured`, `StoreUnavailable`."""
        from ..opening import open_store

        log_to_stderr()
        store = open_store(settings)
        try:
            yield store
        finally:
            store.close()

    def answer(self, value: Any, show: "Callable[[Console], None]") -> None:
        """The value as JSON, or shown to a person."""
        if self.as_json:
            typer.echo(json.dumps(plain(value), ensure_ascii=False, indent=2))
        else:
            show(console())


def console(*, to_stderr: bool = False) -> "Console":
    """Where people read. Without a terminal lines are not cut to a width, and nothing is coloured."""
    from rich.console import Console

    stream = sys.stderr if to_stderr else sys.stdout
    return Console(file=stream, highlight=False, markup=False, width=None if stream.isatty() else 200, soft_wrap=True)


def log_to_stderr() -> None:
    """Keep stdout for answers; what no terminal shows is for machines."""
    import structlog

    if not sys.stderr.isatty():
        from ..logs import log_as_json

        return log_as_json()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))


def complain(error: WatersmeetError, *, as_json: bool) -> None:
    """What, where, what to do; on stderr, so that a pipe gets answers only."""
    if as_json:
        body: dict[str, Any] = {"code": type(error).__name__, "message": str(error)}
        candidates = getattr(error, "candidates", ())
        if candidates:
            body["candidates"] = [list(candidate) for candidate in candidates]
        typer.echo(json.dumps({"error": body}, ensure_ascii=False), err=True)
        return
    typer.secho(f"watersmeet: {error}", err=True, fg=typer.colors.RED if sys.stderr.isatty() else None)
    for asset, source, native_id in getattr(error, "candidates", ()):
        typer.echo(f"  {asset}  {source}  {native_id}", err=True)


def leave(code: Code) -> None:
    """End the command with a code that is no error of ours."""
    if code is not Code.OK:
        raise typer.Exit(code)


def session(ctx: typer.Context, as_json: bool = False) -> Session:
    """The run at hand."""
    found = ctx.find_object(Session)
    assert found is not None, "the callback of the app makes the session"
    found.speak(as_json)
    return found


def operator() -> str:
    """Whoever types, for the audit log."""
    import getpass

    try:
        return f"command line ({getpass.getuser()})"
    except (OSError, KeyError):  # a container's user without a name
        return "command line"


def plain(value: Any) -> Any:
    """Values of ours as JSON knows them."""
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain(item) for name, item in asdict(value).items()}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # any JSON
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]  # pyright: ignore[reportUnknownVariableType]  # any JSON
    return value
