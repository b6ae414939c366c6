"""The registry of authorities: aliases, bindings, and what they do to keys."""

from dataclasses import dataclass

import pytest

from watersmeet.config.errors import Misconfigured
from watersmeet.federation.model import AssetKind, Form, Spelling
from watersmeet.federation.naming import Registry, keys

AUTHORITIES = {
    "snowflake/acme-prod": {"aliases": ["acme-prod", "ab12345.us-west-2.aws"]},
    "kafka/events": {"aliases": ["broker1:9092", "broker2", "kafka.acme.io:9092"]},
    "postgres/pg1": {"aliases": ["10.0.0.5:5432", "pg1.acme.io", "postgresql://pg1-replica.acme.io"]},
    "oracle/fin": {"aliases": ["ora.acme.io"]},
    "mlflow/tracking": {"aliases": ["ml.acme.io"]},
}
REGISTRY = Registry.of(AUTHORITIES)


def of(namespace: str, name: str, registry: Registry = REGISTRY) -> tuple[str, bool]:
    found = keys(Spelling(Form.OPENLINEAGE, (namespace, name)), AssetKind.DATASET, registry)[0]
    return found.text, found.strong


@pytest.mark.parametrize(
    ("namespace", "name", "key"),
    [
        ("snowflake://acme-prod", "D.S.T", "data|snowflake|acme-prod|d.s.t"),
        ("snowflake://AB12345.us-west-2.aws", "D.S.T", "data|snowflake|acme-prod|d.s.t"),
        ("snowflake://another", "D.S.T", "data|snowflake|another|d.s.t"),
        ("kafka://broker1", "t", "data|kafka|events|t"),
        ("kafka://broker2:9092", "t", "data|kafka|events|t"),
        ("kafka://unknown:9092,broker2:9092", "t", "data|kafka|events|t"),
        ("kafka://broker3:9092", "t", "data|kafka|broker3:9092|t"),
        ("postgres://10.0.0.5", "d.s.t", "data|postgres|pg1|d.s.t"),
        ("postgresql://PG1.acme.io/", "d.s.t", "data|postgres|pg1|d.s.t"),
        ("postgres://pg1-replica.acme.io:5432", "d.s.t", "data|postgres|pg1|d.s.t"),
        ("postgres://10.0.0.5:5433", "d.s.t", "data|postgres|10.0.0.5:5433|d.s.t"),
        ("oracle://ora.acme.io", "svc.s.t", "data|oracle|fin/svc|s.t"),
        ("mlflow://ml.acme.io", "models/churn/3", "model|mlflow|tracking/default|churn/3"),
        ("mysql://10.0.0.5:5432", "d.t", "data|mysql|10.0.0.5:5432|d.t"),
    ],
)
def test_every_name_of_a_place_is_its_one_name(namespace: str, name: str, key: str) -> None:
    assert of(namespace, name) == (key, True)


def test_fields_and_tables_and_addresses_know_the_aliases_too() -> None:
    field = Spelling(Form.FIELD, ("postgres://10.0.0.5", "d.s.t", "x"))
    assert keys(field, AssetKind.COLUMN, REGISTRY)[0].text == "column|postgres|pg1|d.s.t#x"
    table = Spelling(Form.TABLE, ("postgres", "10.0.0.5", "d.s.t"))
    assert keys(table, AssetKind.DATASET, REGISTRY)[0].text == "data|postgres|pg1|d.s.t"
    address = Spelling(Form.URI, ("postgresql://u:p@10.0.0.5/d/s/t",))
    assert keys(address, AssetKind.DATASET, REGISTRY)[0].text == "data|postgres|pg1|d.s.t"


def bound(**binding: str) -> Registry:
    return Registry.of(bindings=[binding])


@pytest.mark.parametrize(
    ("binding", "namespace", "name", "key"),
    [
        ({"openlineage": "snowflake://a", "authority": "snowflake/acme"}, "snowflake://a", "D.S.T",
         ("data|snowflake|acme|d.s.t", True)),
        ({"openlineage": "snowflake://A/", "authority": "snowflake/acme"}, "snowflake://a", "D.S.T",
         ("data|snowflake|acme|d.s.t", True)),
        ({"openlineage": "postgres://*.acme.io:5432", "authority": "postgres/pg"}, "postgres://db.acme.io", "d.s.t",
         ("data|postgres|pg|d.s.t", True)),
        ({"openlineage": "spark_prod", "authority": "hive/metastore"}, "spark_prod", "shop.T",
         ("data|hive|metastore|shop.t", True)),
        ({"openlineage": "file:/srv/wh", "authority": "hive/metastore"}, "file:/srv/wh", "shop.T",
         ("data|hive|metastore|shop.t", True)),
        ({"openlineage": "unity-catalog", "authority": "unitycatalog/m1"}, "unity-catalog", "main.s.t",
         ("data|unitycatalog|m1|main.s.t", True)),
        ({"openlineage": "oracle://h", "authority": "oracle/fin"}, "oracle://h", "svc.s.t",
         ("data|oracle|fin/svc|s.t", True)),
        ({"openlineage": "snowflake://a", "authority": "unknown"}, "snowflake://a", "D.S.T",
         ("data|snowflake||d.s.t", False)),
    ],
)  # fmt: skip
def test_a_bound_namespace_means_what_a_person_said(
    binding: dict[str, str], namespace: str, name: str, key: tuple[str, bool]
) -> None:
    assert of(namespace, name, bound(**binding)) == key


def test_a_bound_namespace_binds_addresses_and_tables_of_that_place_too() -> None:
    registry = bound(openlineage="postgres://h", authority="postgres/pg")
    address = Spelling(Form.URI, ("postgresql://u:p@h:5432/d/s/t",))
    table = Spelling(Form.TABLE, ("postgresql", "h", "d.s.t"))
    for spelling in (address, table):
        assert keys(spelling, AssetKind.DATASET, registry)[0].text == "data|postgres|pg|d.s.t"


def test_where_a_person_said_unknown_not_even_the_pair_joins() -> None:
    registry = bound(openlineage="spark_prod", authority="unknown")
    found = keys(Spelling(Form.OPENLINEAGE, ("spark_prod", "shop.t")), AssetKind.DATASET, registry)
    assert not any(key.strong for key in found)


def test_a_binding_of_one_source_holds_within_it_alone() -> None:
    registry = bound(source="team-a", openlineage="spark_prod", authority="hive/metastore")
    assert of("spark_prod", "s.t", registry)[0] == "data|openlineage|spark_prod|s.t"
    assert of("spark_prod", "s.t", registry.within("team-b"))[0] == "data|openlineage|spark_prod|s.t"
    assert of("spark_prod", "s.t", registry.within("team-a"))[0] == "data|hive|metastore|s.t"


@pytest.mark.parametrize("instances", [("prod", "prod.eu"), ("prod.eu", "prod")])
def test_of_two_instances_that_begin_alike_the_longer_name_is_meant(instances: tuple[str, str]) -> None:
    bindings = [
        {"source": "catalog", "platform": "postgres", "instance": one, "authority": f"postgres/{one}-db:5432"}
        for one in instances
    ]
    urn = "urn:li:dataset:(urn:li:dataPlatform:postgres,prod.eu.shop.public.orders,PROD)"
    found = keys(Spelling(Form.URN, (urn, "catalog")), AssetKind.DATASET, Registry.of({}, bindings))
    assert "data|postgres|prod.eu-db:5432|shop.public.orders" in [one.text for one in found]


def test_an_mlflow_source_is_known_by_its_address() -> None:
    sources = [{"id": "tracking", "name": "Tracking", "platform": "mlflow", "url": "http://user@ML.acme.io:5000/x"}]
    registry = Registry.of(sources=sources)
    assert of("mlflow://ml.acme.io:5000", "models/churn/3", registry)[0] == "model|mlflow|tracking/default|churn/3"


@dataclass(frozen=True)
class Aliases:
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class Binding:
    authority: str
    openlineage: str | None = None
    source: str | None = None
    platform: str | None = None
    instance: str | None = None
    env: str | None = None
    service: str | None = None
    workspace: str | None = None
    metastore: str | None = None


def test_typed_configuration_says_the_same_as_plain() -> None:
    typed = Registry.of(
        {"postgres/pg1": Aliases(("10.0.0.5",))}, [Binding("snowflake/acme", openlineage="snowflake://a")]
    )
    plain = Registry.of(
        {"postgres/pg1": {"aliases": ["10.0.0.5"]}}, [{"openlineage": "snowflake://a", "authority": "snowflake/acme"}]
    )
    assert typed == plain
    assert typed.fingerprint == plain.fingerprint


def test_the_fingerprint_tells_another_content_and_not_another_order() -> None:
    backwards = Registry.of(dict(reversed(AUTHORITIES.items())))
    fewer = Registry.of({name: AUTHORITIES[name] for name in list(AUTHORITIES)[1:]})
    marks = {REGISTRY.fingerprint, Registry.EMPTY.fingerprint, fewer.fingerprint}
    assert backwards.fingerprint == REGISTRY.fingerprint
    assert len(marks) == 3
    assert Registry.of().fingerprint == Registry.EMPTY.fingerprint
    own, of_all = bound(source="a", openlineage="n", authority="hive/h"), bound(openlineage="n", authority="hive/h")
    assert own.fingerprint != of_all.fingerprint != bound(openlineage="n", authority="hive/i").fingerprint
    assert own.fingerprint != bound(source="b", openlineage="n", authority="hive/h").fingerprint


@pytest.mark.parametrize(
    ("authorities", "bindings", "says"),
    [
        ({"snowflake": {"aliases": []}}, [], "system/name"),
        ({"kafka/a": {"aliases": ["h"]}, "kafka/b": {"aliases": ["h:9092"]}}, [], "alias of both"),
        ({}, [{"authority": "kafka/a"}], "binds nothing"),
        ({}, [{"openlineage": "kafka://h"}], "system/name"),
    ],
)
def test_what_cannot_be_meant_is_said_with_an_example(
    authorities: dict[str, object], bindings: list[dict[str, str]], says: str
) -> None:
    with pytest.raises(Misconfigured, match=says) as told:
        Registry.of(authorities, bindings)
    assert "Example:" in str(told.value)


@pytest.mark.parametrize("container", [{"workspace": "123"}, {"metastore": "m"}, {}])
def test_a_container_that_no_form_of_name_tells_is_kept_for_its_connector(container: dict[str, str]) -> None:
    assert bound(source="uc", authority="unitycatalog/m", **container).fingerprint
