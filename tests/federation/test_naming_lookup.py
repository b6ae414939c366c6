"""What a person pastes: every spelling finds the keys and native ids under which things are stored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watersmeet.federation.naming import Lookup, Registry, spellings_of

UUID = "018f0e0e-1234-7abc-8def-0123456789ab"
HEX = "0123456789abcdef0123456789abcdef"
SOURCES = [
    {"id": "tracking", "platform": "mlflow", "url": "http://127.0.0.1:5000"},
    {"id": "marquez", "platform": "marquez", "url": "http://127.0.0.1:3000"},
]
REGISTRY = Registry.of(sources=SOURCES)

ORDERS = Lookup("key", "data|postgres|db:5432|shop.public.orders")
ORDERS_ID = Lookup("key", "column|postgres|db:5432|shop.public.orders#id")

CASES = [
    ("12345", Lookup("asset", "12345")),
    ("churn", Lookup("native", "churn")),
    ("data|postgres|db:5432|shop.public.orders", ORDERS),
    ("dataset:postgres://db:5432:shop.public.orders", ORDERS),
    ("dataset:postgresql://db:shop.public.orders", ORDERS),
    (f"dataset:postgres://db:5432:shop.public.orders#{UUID}", ORDERS),
    ("dataset:postgres://db:5432:shop.public.orders", Lookup("native", "postgres://db:5432/shop.public.orders")),
    ("postgres://db:5432/shop.public.orders", ORDERS),
    ("postgresql://db/shop.public.orders", ORDERS),
    ("postgres://db:5432/shop.public.orders", Lookup("native", "postgres://db:5432/shop.public.orders")),
    ("postgresql://db/shop.public.orders", Lookup("native", "postgres://db:5432/shop.public.orders")),
    ("datasetField:postgres://db:5432:shop.public.orders:id", ORDERS_ID),
    ("postgres://db:5432/shop.public.orders/id", ORDERS_ID),
    ("postgres://db:5432/shop.public.orders#id", ORDERS_ID),
    ("postgres://db/shop.public.orders/id", Lookup("native", "postgres://db:5432/shop.public.orders#id")),
    ("dataset:arn:aws:glue:eu-west-1:123:table/db/t", Lookup("key", "data|glue|eu-west-1:123|db.t", True)),
    ("arn:aws:glue:eu-west-1:123/table/db/t", Lookup("key", "data|glue|eu-west-1:123|db.t", True)),
    ("dataset:spanner://proj:inst:db.s.t", Lookup("key", "data|spanner|proj:inst|db.s.t")),
    ("dataset:postgres://db:5432:9lives.s.t", Lookup("key", "data|postgres|db:5432|9lives.s.t")),
    ("dataset:file:/srv/lake/x", Lookup("key", "data|file||/srv/lake/x")),
    ("dataset:file:/srv/lake/warehouse:shop.t", Lookup("key", "data|warehouse|file:/srv/lake/warehouse|shop.t")),
    ("file:/srv/lake/warehouse/shop.t", Lookup("key", "data|warehouse|file:/srv/lake/warehouse|shop.t")),
    ("file//srv/lake/x", Lookup("native", "file//srv/lake/x")),
    ("file//srv/lake/x", Lookup("key", "data|file||/srv/lake/x")),
    ("file:/srv/lake/x", Lookup("key", "data|file||/srv/lake/x")),
    ("file:///srv/lake/x", Lookup("native", "file//srv/lake/x")),
    ("/srv/lake/x", Lookup("anywhere", "data|file||/srv/lake/x")),
    ("inmemory:///frame", Lookup("key", "data|openlineage|inmemory://|frame")),
    ("dataset:food_delivery:public.orders", Lookup("key", "data|openlineage|food_delivery|public.orders")),
    ("food_delivery/public.orders", Lookup("native", "food_delivery/public.orders")),
    ("job:airflow_prod:dag.task", Lookup("native", "job:airflow_prod/dag.task")),
    ("job:airflow_prod:dag.task", Lookup("key", "process|openlineage|airflow_prod|dag.task")),
    ("job:airflow_prod/dag.task", Lookup("native", "job:airflow_prod/dag.task")),
    ("job:http://h:8080:dag.task", Lookup("key", "process|openlineage|http://h:8080|dag.task")),
    ("airflow_prod/dag.task", Lookup("key", "process|openlineage|airflow_prod|dag.task")),
    (f"run:{UUID}", Lookup("native", f"run:{UUID}")),
    (f"run:{UUID.upper()}", Lookup("key", f"run|openlineage||{UUID}")),
    (UUID, Lookup("key", f"run|openlineage||{UUID}")),
    (UUID, Lookup("key", f"data|table-uuid||{UUID}")),
    (HEX, Lookup("anywhere", f"run|mlflow||{HEX}")),
    ("s3://bucket/dir/x", Lookup("key", "data|s3|bucket|dir/x")),
    ("s3a://bucket/dir/x/", Lookup("key", "data|s3|bucket|dir/x")),
    ("s3a://bucket/dir/x/", Lookup("native", "s3://bucket/dir/x")),
    ("https://acct.blob.core.windows.net/cont/x?sig=s", Lookup("key", "data|abs|acct|cont/x")),
    ("hf://datasets/org/name", Lookup("key", "data|hf|datasets|org/name")),
    ("dbfs:/mnt/x", Lookup("anywhere", "data|dbfs||/mnt/x")),
    ("models:/churn/3", Lookup("anywhere", "model|mlflow||churn/3")),
    ("models:/churn", Lookup("anywhere", "model|mlflow||churn")),
    ("models:/churn@champion", Lookup("alias", ("model|mlflow||churn", "champion"))),
    ("models:/churn/Production", Lookup("alias", ("model|mlflow||churn", "Production"))),
    ("models:/main.ml.churn/3", Lookup("anywhere", "model|mlflow||main.ml.churn/3")),
    ("models:/m-0123abc", Lookup("anywhere", "model|mlflow||m-0123abc")),
    ("m-0123abc", Lookup("anywhere", "model|mlflow||m-0123abc")),
    (f"runs:/{HEX}", Lookup("anywhere", f"run|mlflow||{HEX}")),
    (f"runs:/{HEX}/model", Lookup("anywhere", f"run|mlflow||{HEX}")),
    ("prompts:/qa/3", Lookup("anywhere", "other|mlflow||prompt/qa/3")),
    ("prompts:/qa@live", Lookup("alias", ("other|mlflow||prompt/qa", "live"))),
    ("prompts:/qa", Lookup("anywhere", "other|mlflow||prompt/qa")),
    ("models:/qa/3", Lookup("anywhere", "other|mlflow||prompt/qa/3")),
    ("mlflow://127.0.0.1:5000/models/churn/3", Lookup("key", "model|mlflow|tracking/default|churn/3")),
    ("main.fraud.Features", Lookup("anywhere", "data|unitycatalog||main.fraud.features", True)),
    ("main.fraud.Features", Lookup("anywhere", "data|unitycatalog||=main.fraud.Features")),
    ("shop.public.orders", Lookup("anywhere", "data|postgres||shop.public.orders")),
    ("svc.shop.public.orders", Lookup("anywhere", "data|postgres||shop.public.orders")),
    ("shop.t", Lookup("anywhere", "data|warehouse||shop.t")),
    ("shop.t", Lookup("anywhere", "data|openlineage||shop.t")),
    ("dag.task", Lookup("anywhere", "process|openlineage||dag.task")),
    ("shop.t", Lookup("anywhere", "data|hive||shop.t", True)),
    ("acme/shop/model:v3", Lookup("anywhere", "model|wandb||acme/shop/model:v3")),
    ("acme/shop/data:latest", Lookup("anywhere", "data|wandb||acme/shop/data:latest")),
    ("acme/shop/1a2b3c", Lookup("anywhere", "run|wandb||acme/shop/1a2b3c")),
    (
        "urn:li:dataset:(urn:li:dataPlatform:postgres,shop.public.orders,PROD)",
        Lookup("anywhere", "data|postgres||shop.public.orders"),
    ),
    (
        "urn:li:dataset:(urn:li:dataPlatform:s3,bucket/x,PROD)",
        Lookup("native", "urn:li:dataset:(urn:li:dataPlatform:s3,bucket/x,PROD)"),
    ),
    ("urn:li:dataset:(urn:li:dataPlatform:s3,bucket/x,PROD)", Lookup("key", "data|s3|bucket|x")),
    (f"http://127.0.0.1:5000/#/experiments/7/runs/{HEX}", Lookup("key", f"run|mlflow|tracking/default|{HEX}")),
    (f"http://127.0.0.1:5000/#/experiments/7/runs/{HEX}/artifacts", Lookup("anywhere", f"run|mlflow||{HEX}")),
    ("http://127.0.0.1:5000/#/models/churn/versions/3", Lookup("key", "model|mlflow|tracking/default|churn/3")),
    ("http://127.0.0.1:5000/#/models/my%20model", Lookup("anywhere", "model|mlflow||my model")),
    ("http://127.0.0.1:5000/#/experiments/7/models/m-01", Lookup("anywhere", "model|mlflow||m-01")),
    ("http://127.0.0.1:5000/#/experiments/7", Lookup("anywhere", "other|mlflow||experiment/7")),
    ("http://127.0.0.1:5000/#/prompts/qa", Lookup("anywhere", "other|mlflow||prompt/qa")),
    ("http://127.0.0.1:3000/lineage/dataset/postgres%3A%2F%2Fdb%3A5432/shop.public.orders", ORDERS),
    (
        "http://127.0.0.1:3000/lineage/job/airflow_prod/dag.task?depth=2",
        Lookup("key", "process|openlineage|airflow_prod|dag.task"),
    ),
    ("http://127.0.0.1:3000/api/v1/namespaces/postgres%3A%2F%2Fdb%3A5432/datasets/shop.public.orders", ORDERS),
    ("http://127.0.0.1:3000/datasets/column-level/postgres%3A%2F%2Fdb/shop.public.orders", ORDERS),
    (f"http://127.0.0.1:3000/api/v1/jobs/runs/{UUID}", Lookup("key", f"run|openlineage||{UUID}")),
    ("  models:/churn/3\n", Lookup("anywhere", "model|mlflow||churn/3")),
]


@pytest.mark.parametrize(("text", "wanted"), CASES)
def test_a_pasted_text_is_looked_up_as_what_it_may_mean(text: str, wanted: Lookup) -> None:
    assert wanted in spellings_of(text, REGISTRY)


def test_an_exact_reading_goes_before_one_without_case() -> None:
    found = spellings_of("snowflake://acct/DB.S.Orders")
    assert [one.folded for one in found] == sorted(one.folded for one in found)
    exact, loose = "data|snowflake|acct|=DB.S.Orders", "data|snowflake|acct|db.s.orders"
    assert found.index(Lookup("key", exact)) < found.index(Lookup("key", loose, True))


def test_a_page_of_one_server_is_looked_for_there_first() -> None:
    found = spellings_of("http://127.0.0.1:5000/#/models/churn/versions/3", REGISTRY)
    there, anywhere = (
        Lookup("key", "model|mlflow|tracking/default|churn/3"),
        Lookup("anywhere", "model|mlflow||churn/3"),
    )
    assert found.index(there) < found.index(anywhere)


def test_no_reading_comes_twice() -> None:
    found = spellings_of("postgres://db:5432/shop.public.orders")
    assert len(found) == len(set(found))


@pytest.mark.parametrize("text", ["", "   ", "x" * 5000])
def test_nothing_and_far_too_much_mean_nothing(text: str) -> None:
    assert spellings_of(text) == ()


@pytest.mark.parametrize("sign", [":", "/", ".", "#"])
def test_a_hostile_text_costs_little(sign: str) -> None:
    assert len(spellings_of("dataset:" + f"a{sign}" * 2000)) < 2000
    assert len(spellings_of("datasetField:" + f"a{sign}" * 2000)) < 10000


@given(st.text(alphabet="abm:/.@#|%-{}()\"' 0123"))
def test_no_text_is_too_odd(text: str) -> None:
    for one in spellings_of(text, REGISTRY):
        if one.kind in ("key", "anywhere"):
            assert str(one.value).count("|") == 3


DOTTED_PAIR = {
    *("cassandra", "clickhouse", "dremio", "iceberg", "milvus", "mongodb", "mysql", "oceanbase", "sqlite"),
    *("athena", "glue", "hive", "oracle", "teradata"),
}
"""The systems whose full names have two parts, or may have."""

ONLY = [
    ("1²", {("native", "1²")}),
    ("a:b", {("native", "a:b")}),
    ("data|b|c", {("native", "data|b|c")}),
    ("shelf|b|c|d", {("native", "shelf|b|c|d")}),
    ("m-", {("native", "m-")}),
    ("m-a.b", {("native", "m-a.b"), ("anywhere", "data|openlineage||m-a.b")}),
    ("mabc", {("native", "mabc")}),
    ("shelf:etl:daily", {("native", "shelf:etl:daily")}),
    (
        "job:etl:daily",
        {("native", "job:etl:daily"), ("native", "job:etl/daily"), ("key", "process|openlineage|etl|daily")},
    ),
    (
        "datasetField:ns:t:c",
        {("native", "datasetField:ns:t:c"), ("native", "ns/t#c"), ("key", "column|openlineage|ns|t#c")},
    ),
]


@pytest.mark.parametrize(("text", "wanted"), ONLY)
def test_it_means_nothing_else(text: str, wanted: set[tuple[str, str]]) -> None:
    found = {(one.kind, one.value) for one in spellings_of(text)}
    assert found >= wanted
    assert {kind for kind, _ in found - wanted} <= ({"anywhere"} if "." in text else set())


def test_two_words_are_a_name_in_the_systems_whose_names_have_two_parts() -> None:
    found = spellings_of("shop.orders")
    keys = [str(one.value).split("|") for one in found if one.kind == "anywhere" and "=" not in one.value]
    assert {system for class_, system, *_ in keys if class_ == "data"} == DOTTED_PAIR | {"warehouse", "openlineage"}


def test_a_name_of_three_parts_may_begin_with_the_catalogue_that_it_stands_in() -> None:
    found = {one.value for one in spellings_of("svc.shop.orders")}
    assert "data|mysql||shop.orders" in found
    assert "data|openlineage||svc.shop.orders" in found
    assert "data|openlineage||shop.orders" not in found


@pytest.mark.parametrize("text", ["s3://bucket/x", "postgres://db:5432/shop.public.orders", "file:///srv/x"])
def test_no_border_falls_into_a_scheme(text: str) -> None:
    scheme = text.partition(":")[0]
    assert not [one for one in spellings_of(text) if f"|{scheme}:|" in one.value or f"|{scheme}:/|" in one.value]
