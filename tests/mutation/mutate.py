"""Changes the code a little, many times over, and counts how often a test notices: `make mutate`.

    python tests/mutation/mutate.py              all parts
    python tests/mutation/mutate.py naming       only this one

mutmut wants a package below the folder that it works in, and ours is the repository itself: so each part is laid out
anew below build/mutation/, and what mutmut changes is the copy. The survivors are written there too, one file a part.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LAID_OUT = ROOT / "build" / "mutation"
PRODUCT = ("__init__.py", "py.typed", "api", "config", "connectors", "federation")
BAR = 0.85
"""The share of mutants that the tests of a part have to kill."""


@dataclass(frozen=True, slots=True)
class Part:
    """Which modules are changed, and which tests should notice."""

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]


PARTS = (
    Part("naming", ("federation/naming/*.py",), ("test_naming_*.py", "test_*_spellings.py")),
    Part("identity", ("federation/identity.py", "federation/apart.py"), ("test_identity*.py",)),
    Part("graph", ("federation/graph/*.py",), ("test_graph_*.py", "test_inquiry_*.py")),
    Part(
        "events",
        ("federation/openlineage/merge.py",),
        ("test_openlineage_flows.py", "test_openlineage_project.py", "test_openlineage_laws.py"),
    ),
)

CONFIGURATION = """\
[tool.pytest.ini_options]
addopts = [
    "--import-mode=importlib", "-p", "no:xdist", "-p", "no:cacheprovider", "-p", "profile_of_mutation",
    "-k", "not postgresql",
]
filterwarnings = ["error", "ignore::pytest.PytestUnknownMarkWarning"]

[tool.mutmut]
source_paths = ["watersmeet"]
only_mutate = {modules}
pytest_add_cli_args_test_selection = {tests}
use_git_change_detection = false
track_dependencies = false
timeout_multiplier = 8.0
also_copy = ["profile_of_mutation.py"]
"""

# One process runs a test many times over here, which hypothesis takes for a mistake; and mutants meet equal examples,
# few of them: what a law finds only in its hundredth history is too dear for thousands of mutants. A mutant is dead
# with the first history that shows it, so nobody looks for the smallest one.
PROFILE = """\
import functools
import gc

import pytest
from hypothesis import HealthCheck, Phase, settings

EXAMPLES = 25
PHASES = (Phase.explicit, Phase.generate)

settings.register_profile(
    "mutation",
    settings.get_profile("ci"),
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=PHASES,
)
settings.load_profile("mutation")


def pytest_sessionstart() -> None:
    for one in gc.get_objects():  # a mutant is a fork of a process that has run the tests: what it remembers is right
        if isinstance(one, functools._lru_cache_wrapper) and str(one.__module__).startswith("watersmeet."):
            one.cache_clear()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    laws = []
    for item in items:
        test = getattr(item, "obj", None)
        test = getattr(test, "__func__", test)
        told = getattr(test, "_hypothesis_internal_use_settings", None)
        if told is not None:
            few = min(told.max_examples, EXAMPLES)
            test._hypothesis_internal_use_settings = settings(told, max_examples=few, phases=PHASES)
            laws.append(item)
    items.sort(key=lambda item: item not in laws)  # they kill most
"""


def laid_out(part: Part) -> Path:
    """A folder that looks to mutmut like an ordinary project."""
    folder = LAID_OUT / part.name
    shutil.rmtree(folder, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__", ".hypothesis")
    for name in PRODUCT:
        source, target = ROOT / name, folder / "watersmeet" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=ignored)
        else:
            shutil.copy(source, target)
    shutil.copytree(ROOT / "tests", folder / "tests", ignore=ignored)
    modules = [f"watersmeet/{pattern}" for pattern in part.modules]
    tests = [str(found.relative_to(folder)) for found in found_tests(folder, part.tests)]
    (folder / "profile_of_mutation.py").write_text(PROFILE)
    (folder / "pyproject.toml").write_text(CONFIGURATION.format(modules=quoted(modules), tests=quoted(tests)))
    return folder


def found_tests(folder: Path, patterns: Iterable[str]) -> list[Path]:
    """The test files of a part, wherever below `tests` they lie."""
    return sorted({found for pattern in patterns for found in (folder / "tests").rglob(pattern)})


def quoted(values: Iterable[str]) -> str:
    """A list as TOML writes it."""
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def mutmut(folder: Path, *arguments: str, quiet: bool = True) -> str:
    """What mutmut says in that folder; raises `CalledProcessError`."""
    command = [str(Path(sys.executable).with_name("mutmut")), *arguments]
    # Without the recorded payloads: what kills a mutant here has to be in the repository.
    environment = os.environ | {"WATERSMEET_SHARED": str(folder / "nothing"), "NO_COLOR": "1", "PYTHONPATH": "."}
    if quiet:
        return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout
    with (folder / "mutmut.log").open("w") as log:
        subprocess.run(command, cwd=folder, env=environment, check=True, stdout=log, stderr=subprocess.STDOUT)
    return ""


def verdicts(folder: Path) -> dict[str, str]:
    """Each mutant's name and what became of it (`killed`, `survived`, `timeout`, …)."""
    found: dict[str, str] = {}
    for line in mutmut(folder, "results", "--all", "true").splitlines():
        name, colon, verdict = line.strip().rpartition(": ")
        if colon:
            found[name] = verdict
    return found


def judged(part: Part, children: int) -> bool:
    """Run one part, print its score by module, write down its survivors; True: it reaches the bar."""
    folder = laid_out(part)
    mutmut(folder, "run", "--max-children", str(children), quiet=False)
    outcome = verdicts(folder)
    by_module: dict[str, Counter[str]] = {}
    for name, verdict in outcome.items():
        module = name.rpartition(".")[0]
        by_module.setdefault(module, Counter())["killed" if verdict in ("killed", "timeout") else verdict] += 1
    for module, counts in sorted(by_module.items()):
        report(f"  {module}", counts)
    total = sum(by_module.values(), Counter[str]())
    report(part.name, total)
    survivors = [name for name, verdict in outcome.items() if verdict not in ("killed", "timeout")]
    written = LAID_OUT / f"{part.name}-survivors.diff"
    written.write_text("\n".join(mutmut(folder, "show", name) for name in survivors))
    print(f"  what survived: {written.relative_to(ROOT)}", flush=True)
    return total["killed"] >= BAR * total.total()


def report(name: str, counts: Counter[str]) -> None:
    """One line of the table."""
    left = {verdict: count for verdict, count in counts.items() if verdict != "killed"}
    rest = ", ".join(f"{count} {verdict}" for verdict, count in sorted(left.items()))
    print(
        f"{name:60} {counts['killed']:5} of {counts.total():5} killed {counts['killed'] / counts.total():7.1%}  {rest}"
    )


def main() -> int:
    """Run what is asked for; 1 where a part stays below the bar."""
    known = {part.name: part for part in PARTS}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help="which ones; all of them where none is named")
    parser.add_argument("--children", type=int, default=os.cpu_count() or 2, help="how many mutants at a time")
    asked = parser.parse_args()
    good = [judged(known[name], asked.children) for name in asked.parts or known]
    return 0 if all(good) else 1


if __name__ == "__main__":
    raise SystemExit(main())
