"""`demo` and `sandbox`: platforms in miniature on this machine, with a story in them."""

import signal
import threading
from typing import Annotated

import typer

from ...config.errors import Misconfigured
from .session import Json, session

Once = Annotated[bool, typer.Option("--once", help="Print the answers and end, instead of serving them.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="The port to listen on; 0 takes a free one.")]
Empty = Annotated[bool, typer.Option("--empty", help="Begin without any example in it.")]
Platform = Annotated[str, typer.Argument(help="mlflow or marquez.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands of this module."""
    app.command()(demo)
    app.command()(sandbox)


def demo(ctx: typer.Context, once: Once = False, port: Port = 8765, as_json: Json = False) -> None:
    """Fill four platforms in miniature, federate them, and answer questions. No network, no account."""
    from ..demo import demonstrate

    here = session(ctx, as_json)
    demonstrate(once=once, port=port, as_json=here.as_json, say=typer.echo)


def sandbox(
    ctx: typer.Context, platform: Platform, port: Port = 0, empty: Empty = False, as_json: Json = False
) -> None:
    """Run one platform in miniature until Ctrl-C, for people who write connectors."""
    from ..miniature import miniature

    here = session(ctx, as_json)
    running = miniature(platform, port=port, empty=empty)
    try:
        running.start()
    except OSError as error:
        raise Misconfigured(f"port {port} cannot be listened on ({error.strerror}); 0 takes a free one") from error
    try:
        asked = _asked_to_stop()
        here.answer(
            {"platform": platform, "url": running.url},
            lambda console: console.print(f"{platform} in miniature at {running.url}; Ctrl-C ends it"),
        )
        while not asked.wait(3600):
            pass
    finally:
        running.stop()


def _asked_to_stop() -> threading.Event:
    """Set by Ctrl-C or SIGTERM, from now on."""
    asked = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        asked.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return asked
