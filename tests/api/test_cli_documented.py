"""The command line, its page in the documentation and its exit codes tell the same story."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from watersmeet.api.cli.app import app
from watersmeet.api.cli.exits import Code

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")


def commands(group: Any = None, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command that is not hidden, by its words."""
    group = group or get_command(app)
    for name, command in getattr(group, "commands", {}).items():
        if command.hidden:
            continue
        if getattr(command, "commands", None):
            if command.invoke_without_command:
                yield (*above, name)
            yield from commands(command, (*above, name))
        else:
            yield (*above, name)


COMMANDS = sorted(commands())


def section(words: tuple[str, ...]) -> str:
    """What the page says of one command."""
    found = re.search(rf"^### `watersmeet {' '.join(words)}\b.*?(?=^##)", f"{PAGE}\n##", re.MULTILINE | re.DOTALL)
    assert found, f"docs/cli.md has no section for `watersmeet {' '.join(words)}`"
    return found[0]


def test_there_are_commands():
    assert ("init",) in COMMANDS
    assert ("config", "check") in COMMANDS
    assert ("export", "openlineage") in COMMANDS


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_help_and_a_section(words: tuple[str, ...]):
    result = CliRunner().invoke(app, [*words, "--help"])
    assert result.exit_code == 0
    assert "--json" in result.output
    assert section(words)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_option_of_a_command_is_in_its_section(words: tuple[str, ...]):
    command: Any = get_command(app)
    for word in words:
        command = command.commands[word]
    for option in (name for param in command.params for name in param.opts if name.startswith("--")):
        if option not in ("--json", "--help"):
            assert option in section(words), f"docs/cli.md: `watersmeet {' '.join(words)}` does not mention {option}"


def test_the_page_names_no_command_that_is_not_there():
    named = re.findall(r"^### `watersmeet ([a-z ]+?)(?= [\[A-Z-]|`)", PAGE, re.MULTILINE)
    assert sorted(tuple(name.split()) for name in named) == COMMANDS


def test_every_exit_code_is_in_the_table():
    table = {int(number): name for number, name in re.findall(r"^\| (\d+) \| ([A-Z_]+) \|", PAGE, re.MULTILINE)}
    assert table == {code.value: code.name for code in Code}


def test_help_imports_nothing_heavy():
    heavy = ["numpy", "sqlalchemy", "strawberry", "uvicorn", "httpx2", "pydantic", "apscheduler", "alembic"]
    script = "import sys; from watersmeet.api.cli.app import app; print(*(m for m in sys.argv[1:] if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script, *heavy], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


def test_the_version_is_told():
    result = CliRunner().invoke(app, ["--version"])
    assert re.fullmatch(r"\d+\.\d+.*\n", result.output)


def test_an_unknown_command_is_a_matter_of_usage():
    assert CliRunner().invoke(app, ["snyc"]).exit_code == Code.USAGE
