"""What the operators' pages tell people to type works, typed in that order on a machine that has nothing yet."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .machine import ROOT, Machine

DOCS = ROOT / "docs"
SETTINGS = """\
store: {url: "sqlite:////var/lib/watersmeet/watersmeet.db"}
sources:
  - {name: events, platform: openlineage, path: /var/lib/watersmeet/events, schedule: "every 15m"}
"""


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


@pytest.fixture
def machine(tmp_path: Path, store_url: str) -> Iterator[Machine]:
    made = Machine(tmp_path / "machine", store_url=store_url)
    yield made
    made.end()


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_installation_by_pip_systemd_and_compose(machine: Machine):
    first, heading, second = page("installation").partition("## With Compose")
    machine.run(machine.script(first))
    assert '"event"' in (machine.root / "service.log").read_text()
    machine.end()
    said = machine.run(machine.script(heading + second))
    assert "wm_" in said  # the token, shown once


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_the_other_pages_work_beside_the_service_that_the_first_one_installs(machine: Machine):
    first, _, _ = page("installation").partition("## With Compose")
    machine.run(machine.script(first))
    machine.environment["WATERSMEET_CONFIG"] = machine.placed("/etc/watersmeet/watersmeet.yaml")
    for name in ("troubleshooting", "backup", "upgrade"):
        machine.run(machine.script(page(name)))
    made = """watersmeet --json token list | grep -o '"id": "[a-z0-9]*"' | cut -d '"' -f 4"""
    assert "wm_" in machine.run(machine.script(page("security").replace("revoke abcdefghij", f'revoke "$({made})"')))


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_the_unit_is_one(machine: Machine):
    unit = re.search(r"```ini file=\S+\n(.*?)^```$", page("installation"), re.MULTILINE | re.DOTALL)
    assert unit is not None
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not here: apt-get install systemd")
    file = machine.root / "watersmeet.service"
    # What it starts and as whom is not on this machine; everything else has to be as systemd wants it.
    file.write_text(re.sub(r"^(ExecStart=)\S+.*$", r"\1/bin/true", unit[1], flags=re.MULTILINE))
    done = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True, check=False)
    wrong = [line for line in done.stderr.splitlines() if "watersmeet.service" in line and "Documentation" not in line]
    assert wrong == []


def messages() -> list[str]:
    """The first column of the tables: fragments of messages, in code."""
    return re.findall(r"^\| `([^`]+)`", page("troubleshooting"), re.MULTILINE)


@pytest.fixture(scope="module")
def source() -> str:
    """All of the product's text, with strings that go on in the next line put together."""
    text = "\n".join(
        file.read_text(encoding="utf-8")
        for folder in ("api", "config", "connectors", "federation")
        for file in sorted((ROOT / folder).rglob("*.py"))
    )
    return re.sub(r'"\s*\n\s*f?"', "", text)


@pytest.mark.parametrize("fragment", messages())
def test_a_message_that_is_explained_is_still_told(fragment: str, source: str):
    assert fragment in source
