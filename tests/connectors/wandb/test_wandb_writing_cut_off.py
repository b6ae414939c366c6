"""A writer that is killed, or whose target goes away, and what stands there when it went on."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from watersmeet.connectors.wandb.sandbox import KEY, Sandbox
from watersmeet.connectors.wandb.write import WandbWriter
from watersmeet.federation.dossier import Dossier
from watersmeet.federation.errors import SourceError

from ...scale import how_many
from ..handed import among, filled
from .targets import settings, source, standing, written


class Dying(httpx2.BaseTransport):
    """The network, until it dies with a request: before that arrives, or when its answer is on the way."""

    def __init__(self, lives: int, *, after: bool) -> None:
        self._wire = httpx2.HTTPTransport(limits=httpx2.Limits(max_keepalive_connections=0))
        self._lives = lives
        self._after = after

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self._lives -= 1
        if self._lives == 0 and self._after:
            answer = self._wire.handle_request(request)
            answer.read()
            answer.close()
        if self._lives <= 0:
            raise httpx2.ReadError("the line went dead")
        return self._wire.handle_request(request)

    def close(self) -> None:
        self._wire.close()


def _rounds(made: WandbWriter, dossiers: list[Dossier]) -> None:
    for stage in made.stages:
        for at in range(0, len(dossiers), 10):
            made.write(stage, dossiers[at : at + 10], among(dossiers))


@pytest.mark.law
@pytest.mark.parametrize("after", [False, True], ids=["before it arrives", "after it arrived"])
def test_whichever_request_is_cut_off_the_same_again_loses_and_doubles_nothing(
    dossiers: list[Dossier], whole: dict[str, Any], after: bool
) -> None:
    for lives in range(3, 66, how_many(quick=27, ci=9, long=2)):
        with Sandbox(empty=True) as target:
            dying = Dying(lives, after=after)
            given = source(target, http={"retries": 0})
            made = WandbWriter(given, transport=dying, sleep=lambda seconds: None)
            with pytest.raises(SourceError):
                _rounds(made, dossiers)
            made.close()
            written(target, dossiers)
            assert standing(target) == whole, lives


_SCRIPT = """
import os
from watersmeet.config.settings import Source
from watersmeet.connectors.catalogue import writer
from watersmeet.federation.handover import hand_over
from watersmeet.federation.store import Store

made = writer(Source.model_validate_json(os.environ["TARGET"]))
made.__class__.at_once = 3
with Store.open(os.environ["STORE"]) as store:
    came = hand_over(store, "origin", made, "there")
    assert came.unaccounted == 0, came
"""


def hand_over(store: str, target: Sandbox) -> subprocess.Popen[str]:
    """Begin to hand everything over in a process of its own; the key is in its environment."""
    given = source(target, token=None).model_dump(mode="json", include={"name", "platform", "url", "also"})
    environment = {"PATH": os.environ["PATH"], "STORE": store, "TARGET": json.dumps(given | {"token": KEY})}
    command = [sys.executable, "-c", _SCRIPT]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def test_a_writer_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    with Sandbox() as origin, filled(tmp_path, "wandb", origin.url, **settings(origin)) as read:
        told = [dossier for _, dossier in read.dossiers.of("origin")]
    with Sandbox(empty=True) as other:
        written(other, told)
        whole = standing(other)
    store = f"sqlite:///{tmp_path / 'origin.db'}"
    with Sandbox(empty=True) as target:
        for requests in (12, 60):
            process = hand_over(store, target)
            while len(target.calls) < requests and process.poll() is None:
                time.sleep(0.001)
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=60)
        process = hand_over(store, target)
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said[-2000:]
        assert KEY not in said
        assert standing(target) == whole
