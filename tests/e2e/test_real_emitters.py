"""Real emitters send to a running Watersmeet: the Python client, dbt and Spark. Nothing that they send is lost."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .service import Service, wait_for

pytestmark = pytest.mark.emitter

LINEAGE = """query($key: String!) { asset(key: $key) { id kind upstream(depth: 10) {
  nodes { name kind } edges { upstream downstream kind } completeness { exact } } } }"""
COUNTS = "{ sources { name assets edges } letters { total } }"
HERE = Path(__file__).parent
MODEL = "mlflow://elsewhere:5000/models/churn"


def needs(variable: str, what: str) -> Path:
    """Where a real emitter is; without it the test is skipped with the way to get it, and fails in CI."""
    place = os.environ.get(variable)
    if place and Path(place).exists():
        return Path(place)
    message = f"no {what}: `make real-servers` installs it, `. .venvs/real.env` tells where ({variable})"
    if os.environ.get("WATERSMEET_REQUIRE_REAL") == "1":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with Service(tmp_path) as running:
        yield running


def upstream(service: Service, key: str) -> set[str]:
    """The names upstream of what a key names, once it is known."""
    found: Any = wait_for(lambda: service.ask(LINEAGE, key=key)["asset"], f"an asset called {key}")
    return {node["name"] for node in found["upstream"]["nodes"]} - {key.rpartition("/")[2]}


def test_what_the_python_client_sends_is_joined_into_one_chain(service: Service) -> None:
    subprocess.run([sys.executable, str(HERE / "client_story.py"), service.url, "0"], check=True, timeout=120)
    names = wait_for(
        lambda: {"extract", "features", "train"} <= (found := upstream(service, MODEL)) and found,
        "three jobs upstream of the model",
    )
    assert {"crm.public.customers", "raw/customers", "features/customers"} <= names
    assert service.ask(COUNTS)["letters"]["total"] == 0


def test_a_receiver_that_is_killed_and_comes_back_loses_nothing_that_the_client_retries(service: Service) -> None:
    """OpenLineage, receive check 14."""
    story = subprocess.Popen([sys.executable, str(HERE / "client_story.py"), service.url, "0.4"])
    time.sleep(1.2)
    service.stop(signal.SIGKILL)
    time.sleep(0.5)
    service.start()
    assert story.wait(120) == 0
    wait_for(
        lambda: {"extract", "features", "train"} <= upstream(service, MODEL),
        "three jobs upstream of the model",
    )


PROJECT = {
    "dbt_project.yml": "name: shop\nversion: '1.0'\nprofile: shop\n",
    "profiles.yml": "shop: {target: dev, outputs: {dev: {type: duckdb, path: shop.duckdb, threads: 1}}}\n",
    "seeds/raw_orders.csv": "id,amount,cust\n1,10,a\n2,-5,b\n3,7,a\n",
    "models/stg_orders.sql": "select id, amount * 2 as amt2, cust from {{ ref('raw_orders') }} where amount > 0\n",
    "models/features.sql": "select cust, sum(amt2) as total from {{ ref('stg_orders') }} group by cust\n",
    "models/schema.yml": """
        models:
          - name: features
            columns: [{name: cust, data_tests: [unique, not_null]}]
    """,
}


def dbt_project(folder: Path) -> Path:
    for name, text in PROJECT.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))
    return folder


def test_a_real_dbt_build_is_known_down_to_the_seed(service: Service, tmp_path: Path) -> None:
    """OpenLineage, receive check 13."""
    binaries = needs("WATERSMEET_DBT_BIN", "dbt with openlineage-dbt")
    project = dbt_project(tmp_path / "shop")
    environment = os.environ | {
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "OPENLINEAGE_NAMESPACE": "dbt_prod",
        "OPENLINEAGE__TRANSPORT__TYPE": "http",
        "OPENLINEAGE__TRANSPORT__URL": service.url,
        "OPENLINEAGE__TRANSPORT__COMPRESSION": "gzip",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    command = [str(binaries / "dbt-ol"), "build", "--profiles-dir", ".", "--project-dir", "."]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, timeout=300)
    assert done.returncode == 0, (done.stdout[-3000:], done.stderr[-3000:])
    key = "duckdb://shop.duckdb/shop.main.features"
    names = wait_for(
        lambda: {"shop.main.stg_orders", "shop.main.raw_orders"} <= (found := upstream(service, key)) and found,
        "the seed upstream of the features",
    )
    assert not [name for name in names if "dbt_test__audit" in name]
    assert service.ask(COUNTS)["letters"]["total"] == 0


def test_a_real_spark_job_is_known_from_the_csv_to_the_totals(service: Service, tmp_path: Path) -> None:
    python = needs("WATERSMEET_SPARK_PYTHON", "Spark")
    jar = needs("WATERSMEET_SPARK_JARS", "listener for Spark")
    lake = tmp_path / "lake"
    lake.mkdir()
    (lake / "orders.csv").write_text("customer,amount\na,1\nb,2\na,3\n")
    options = {
        "spark.master": "local[2]",
        "spark.jars": str(jar),
        "spark.extraListeners": "io.openlineage.spark.agent.OpenLineageSparkListener",
        "spark.openlineage.transport.type": "http",
        "spark.openlineage.transport.url": service.url,
        "spark.openlineage.namespace": "spark_prod",
        "spark.driver.host": "localhost",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
    }
    (tmp_path / "spark-defaults.conf").write_text("".join(f"{name} {value}\n" for name, value in options.items()))
    environment = os.environ | {
        "SPARK_CONF_DIR": str(tmp_path),
        "SPARK_USER": "etl",
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
    }
    command = [str(python.parent / "spark-submit"), str(HERE / "spark_story.py"), str(lake)]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=400, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-4000:]
    names = wait_for(
        lambda: (
            {f"{lake}/bronze", f"{lake}/orders.csv"} <= (found := upstream(service, f"file/{lake}/totals")) and found
        ),
        "the CSV upstream of the totals",
    )
    assert names
    assert service.ask(COUNTS)["letters"]["total"] == 0
