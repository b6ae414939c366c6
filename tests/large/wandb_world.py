"""An instance of Weights & Biases with many runs: each logs three versions and reads one of the run before it."""

from datetime import UTC, datetime, timedelta

from watersmeet.connectors.wandb.sandbox_runs import Run
from watersmeet.connectors.wandb.sandbox_world import World, reference

PROJECT = "acme/grown"
LOGGED = (("features", "dataset"), ("model", "model"), ("scores", "result"))
LINES = 100
"""As many lines of work share the project: each has its own collections."""

_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def grow(world: World, runs: int) -> None:
    """Let so many runs happen, one after the other."""
    former: dict[int, Run] = {}
    for number in range(runs):
        world.told_time = _BEGAN + timedelta(seconds=100 * number)
        line = number % LINES
        run = world.log_run(
            PROJECT,
            f"run{number:06}",
            config={"learning_rate": 0.001 * (number % 7 + 1), "layers": number % 5, "data": f"part-{line}"},
            summary={"loss": 1 / (number + 1), "accuracy": number % 100 / 100},
            job_type="train",
        )
        if line in former:
            world.use(run, former[line].outputs[1], "base")
        former[line] = run
        for name, type_ in LOGGED:
            uri = f"s3://grown/{name}/{line}/{number}.parquet"
            entries = {f"{name}.parquet": reference(uri, f"{number:032x}", etag=f"{number:032x}")}
            world.log_artifact(run, f"{name}-{line}", type_, entries)
    world.told_time = None


def versions(runs: int) -> int:
    """How many versions are logged."""
    return runs * len(LOGGED)


def used(runs: int) -> int:
    """How often a run reads one."""
    return max(runs - LINES, 0)
