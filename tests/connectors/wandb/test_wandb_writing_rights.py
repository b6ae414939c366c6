"""A right to write that is missing in the middle: what belongs there waits, the rest goes on, and it is made good."""

from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from watersmeet.connectors.wandb.sandbox import KEY, Sandbox
from watersmeet.federation.dossier import Dossier, Outcome, Verdict, unaccounted
from watersmeet.federation.errors import SourceRefused

from .miniature import ALWAYS
from .targets import runs, standing, written


class Guarded(Sandbox):
    """A miniature with a gateway in front, which lets some changes through and not others."""

    def __init__(self, operation: str, times: int = ALWAYS, skip: int = 0) -> None:
        super().__init__(empty=True)
        self.operation, self.times, self.skip = operation, times, skip

    async def answer(self, request: Request) -> Response:
        if self.times and self.operation in await self.called(request):
            self.skip -= 1
            if self.skip < 0:
                self.times -= 1
                return Response("not for you", 403)
        return await super().answer(request)


@pytest.mark.parametrize(
    ("operation", "times", "skip"),
    [
        ("WatersmeetUpsertRun", 1, 3),
        ("WatersmeetOneRun", 1, 3),
        ("WatersmeetCreateArtifact", ALWAYS, 1),
        ("WatersmeetUseArtifact", ALWAYS, 0),
        ("WatersmeetLinkArtifact", ALWAYS, 0),
        ("file_stream", 1, 2),
    ],
)
def test_what_may_not_be_written_is_named_and_the_same_again_completes(
    dossiers: list[Dossier], whole: dict[str, Any], operation: str, times: int, skip: int
) -> None:
    with Guarded(operation, times, skip) as target:
        outcomes = written(target, dossiers)
        failed = [one for one in outcomes if one.verdict is Verdict.FAILED]
        assert list(unaccounted(dossiers, outcomes)) == []
        assert 0 < len(failed) < len(outcomes)
        assert _reasons(failed), failed
        assert runs(target), "the rest went on"
        target.times = 0
        again = written(target, dossiers)
        assert [one for one in again if one.verdict is Verdict.FAILED] == []
        assert by_people(standing(target)) == by_people(whole)


def test_a_registry_that_may_only_be_looked_at_keeps_back_its_links_alone(
    dossiers: list[Dossier], whole: dict[str, Any]
) -> None:
    with Sandbox(empty=True) as target:
        registry = target.world.project("acme-org/wandb-registry-model")
        registry.read_only = True
        failed = [one for one in written(target, dossiers) if one.verdict is Verdict.FAILED]
        assert {one.fact.partition("/")[0] for one in failed} == {"edges"}
        assert {"permission denied to write to acme-org/wandb-registry-model" in one.reason for one in failed} == {True}
        registry.read_only = False
        assert [one for one in written(target, dossiers) if one.verdict is Verdict.FAILED] == []
        assert standing(target) == whole


def by_people(told: dict[str, Any]) -> dict[str, Any]:
    """What stands there but for the runs under whose name a version is put in that no run wrote yet."""
    return {name: one for name, one in told.items() if "/import-" not in name}


def _reasons(failed: list[Outcome]) -> list[str]:
    """Reasons that say what to do."""
    said = [one.reason for one in failed]
    assert not [one for one in said if KEY in one]
    return [
        one
        for one in said
        if ("permission denied" in one or "403 on" in one) and ("right to write" in one or "grant it" in one)
    ]


def test_a_right_that_is_missing_everywhere_ends_it(dossiers: list[Dossier]) -> None:
    many = [one for one in dossiers for _ in range(20)]
    with Guarded("WatersmeetUpsert") as target:
        with pytest.raises(SourceRefused, match=r"403 on.*right to write there"):
            written(target, many)
        assert runs(target) == []
        assert sum(one.operation.startswith("WatersmeetOneRun") for one in target.calls) < len(many)
