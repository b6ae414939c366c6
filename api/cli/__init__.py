"""The command line: `watersmeet COMMAND`."""


def main() -> None:
    """Run a command and end the process with its code."""
    from .app import app

    app(prog_name="watersmeet")
