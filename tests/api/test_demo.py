"""The demonstration answers what neither platform can answer alone, the same way each time."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "watersmeet.api.cli", "demo"]


def once(folder: Path, *options: str) -> str:
    done = subprocess.run(
        [*COMMAND, "--once", *options], check=False, capture_output=True, text=True, cwd=folder, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("demo")
    began = time.monotonic()
    told = once(folder)
    assert time.monotonic() - began < 60
    assert list(folder.iterdir()) == []
    return told


def answer_to(question: str, answers: str) -> str:
    return next(part for part in answers.split("\n# ") if question in part)


def test_the_champion_is_traced_to_the_raw_tables_the_jobs_the_code_and_the_endpoint(answers: str):
    answer = answer_to("stand behind the champion", answers)
    for name in (
        "churn/2",  # the version that bears the alias
        "churn-2",  # the logged model
        "train.py",
        "churn@3f1c2ab94de0  (code; mlflow, marquez, wandb)",
        "features/customer_features  (dataset; mlflow, marquez, datahub, wandb)",
        "read training customer-features  (dataset; wandb)",  # what the same run took, as the other tracker has it
        "features.customer_features",
        "shop.marts.customer_orders",
        "shop.raw.customers",
        "shop.raw.orders",
        "churn-api",  # where it is served
    ):
        assert name in answer
    assert "mlflow, marquez" in answer or "marquez, mlflow" in answer
    assert "customer_holdout" not in answer
    assert "complete: exact" in answer


def test_a_change_of_a_raw_table_reaches_the_endpoint(answers: str):
    answer = answer_to("What breaks", answers)
    assert re.search(r"\d+ things depend on it", answer)
    assert "churn-api" in answer
    assert "shop.reporting.revenue" in answer


def test_what_came_later_is_not_in_the_answer_of_an_earlier_day(answers: str):
    assert "raw/clickstream" in answer_to("stand behind the champion", answers)
    before = answer_to("before the clicks came in", answers)
    assert "raw/clickstream" not in before
    assert "shop.raw.orders" in before


def test_two_demonstrations_say_the_same(answers: str, tmp_path: Path):
    assert once(tmp_path) == answers


def test_the_answers_come_as_json_too(tmp_path: Path):
    told = json.loads(once(tmp_path, "--json"))
    assert [sorted(one) for one in told] == [["answer", "command", "question"]] * len(told)


def test_without_once_it_goes_on_serving(tmp_path: Path):
    with subprocess.Popen([*COMMAND, "--port", "0"], stdout=subprocess.PIPE, text=True, cwd=tmp_path) as running:
        assert running.stdout is not None
        url = next(found[0] for line in running.stdout if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
        body = json.dumps({"query": "{ sources { name lastCompleteSync } }"}).encode()
        asked = urllib.request.Request(f"{url}/graphql", body, {"content-type": "application/json"})
        with urllib.request.urlopen(asked) as answer:
            names = [source["name"] for source in json.load(answer)["data"]["sources"]]
        os.kill(running.pid, signal.SIGTERM)
        assert running.wait(30) == 0
    assert {"tracking", "pipelines"} <= set(names)
