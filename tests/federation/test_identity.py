"""Which records are one asset: the rules, by example."""

from itertools import count

import pytest

from watersmeet.federation.identity import TOO_MANY, Joins, Member, kind_of, resolve
from watersmeet.federation.model import AssetKind, Form, Spelling
from watersmeet.federation.naming import Registry, keys_of
from watersmeet.federation.naming.datahub import urn_keys


class World:
    """Records told one after the other."""

    def __init__(self, registry: Registry = Registry.EMPTY) -> None:
        self._registry = registry
        self._numbers = count(1)
        self.members: list[Member] = []

    def tell(
        self,
        teller: str,
        *spellings: Spelling,
        kind: AssetKind = AssetKind.DATASET,
        suspect: bool = False,
        source: str | None = None,
    ) -> int:
        """Add a record; a teller without a source is one."""
        number = next(self._numbers)
        found = keys_of(spellings, kind, self._registry)
        self.members.append(Member(number, source or teller, teller, kind, found, suspect))
        return number

    def urn(self, teller: str, urn: str) -> int:
        """Add a record that DataHub would hold."""
        number = next(self._numbers)
        self.members.append(
            Member(number, teller, teller, AssetKind.DATASET, urn_keys(urn, self._registry, teller), False)
        )
        return number

    @property
    def joins(self) -> Joins:
        return resolve(self.members)

    @property
    def groups(self) -> list[set[int]]:
        return [set(group) for group in self.joins.groups]


def pair(namespace: str, name: str) -> Spelling:
    return Spelling(Form.OPENLINEAGE, (namespace, name))


def symlink(namespace: str, name: str, type_: str = "TABLE") -> Spelling:
    return Spelling(Form.SYMLINK, (namespace, name, type_))


def uri(text: str) -> Spelling:
    return Spelling(Form.URI, (text,))


@pytest.fixture
def world() -> World:
    return World()


def test_one_place_told_by_two_sources_is_one_asset(world: World) -> None:
    spark = world.tell("spark", pair("s3a://lake", "/orders/"))
    mlflow = world.tell("mlflow", uri("s3://lake/orders"))
    world.tell("mlflow", uri("s3://lake/customers"))
    (link,) = world.joins.links
    assert world.groups == [{spark, mlflow}]
    assert (link.left, link.right, link.rule, link.score) == (spark, mlflow, "OpenLineage name = URI", 1.0)
    assert link.evidence == ("data|s3|lake|orders",)


def test_a_record_alone_stands_in_no_group(world: World) -> None:
    world.tell("spark", pair("s3://lake", "orders"))
    assert world.joins == Joins((), (), ())


def test_weak_keys_join_nobody(world: World) -> None:
    world.tell("a", Spelling(Form.LOCAL, ("", "/x")))
    world.tell("b", Spelling(Form.LOCAL, ("laptop", "/x")))
    world.tell("c", pair("file", "/x"))
    world.urn("d", "urn:li:dataset:(urn:li:dataPlatform:file,/x,PROD)")
    world.tell("e", Spelling(Form.URI, ("file:/x",), weak=True))
    assert world.groups == []


def test_a_suspect_name_is_joined_with_nobody(world: World) -> None:
    world.tell("dbt", pair("duckdb:///x", "a.b.read_parquet"), suspect=True)
    world.tell("airflow", pair("duckdb:///x", "a.b.read_parquet"), suspect=True)
    world.tell("marquez", pair("duckdb:///x", "a.b.read_parquet"))
    assert world.groups == []


class TestTellers:
    def test_what_one_teller_keeps_apart_joins_nobody(self, world: World) -> None:
        upper = world.tell("events", pair("snowflake://acct", "DB.S.ORDERS"))
        quoted = world.tell("events", pair("snowflake://acct", "DB.S.Orders"))
        third = world.tell("catalog", pair("snowflake://acct", "db.s.orders"))
        (refusal,) = world.joins.refused
        assert world.groups == []
        assert refusal.key == "data|snowflake|acct|db.s.orders"
        assert refusal.records == {upper, quoted, third}
        assert "keeps these apart" in refusal.reason

    def test_it_joins_nobody_either_if_the_second_comes_later(self, world: World) -> None:
        first = world.tell("events", pair("snowflake://acct", "DB.S.ORDERS"))
        other = world.tell("catalog", pair("snowflake://acct", "db.s.orders"))
        assert world.groups == [{first, other}]
        world.tell("events", pair("snowflake://acct", "DB.S.Orders"))
        assert world.groups == []
        world.members.pop()
        assert world.groups == [{first, other}]

    def test_where_case_is_in_doubt_the_exact_names_still_join(self, world: World) -> None:
        upper = world.tell("events", pair("snowflake://acct", "DB.S.ORDERS"))
        world.tell("events", pair("snowflake://acct", "DB.S.Orders"))
        same = world.tell("marquez", pair("snowflake://acct", "DB.S.ORDERS"))
        assert world.groups == [{upper, same}]

    def test_a_teller_who_states_an_alias_of_its_own_records_joins_them(self, world: World) -> None:
        path = world.tell("spark", pair("file", "/wh/shop.db/t"), symlink("file:/wh", "shop.t"))
        table = world.tell("spark", pair("file:/wh", "shop.t"))
        (link,) = world.joins.links
        assert world.groups == [{path, table}]
        assert link.rule == "OpenLineage name = symlink"
        assert world.joins.refused == ()

    def test_what_a_teller_states_as_one_may_share_every_name(self, world: World) -> None:
        path = world.tell("spark", pair("file", "/wh/shop.db/t"), symlink("file:/wh", "shop.t"), symlink("prod", "t"))
        table = world.tell("spark", pair("file:/wh", "shop.t"), symlink("prod", "t"))
        other = world.tell("airflow", pair("prod", "t"))
        assert world.groups == [{path, table, other}]

    def test_one_name_for_two_places_of_a_teller_is_nobodys(self, world: World) -> None:
        old = world.tell("spark", pair("file", "/wh/t_v1"), symlink("prod", "t"))
        new = world.tell("spark", pair("file", "/wh/t_v2"), symlink("prod", "t"))
        name = world.tell("spark", pair("prod", "t"))
        other = world.tell("airflow", pair("prod", "t"))
        assert world.groups == []
        assert world.joins.refused[0].records == {old, new, name, other}

    def test_two_producers_in_one_source_are_two_tellers(self, world: World) -> None:
        spark = world.tell("spark", pair("file", "/x"), source="events")
        client = world.tell("client", pair("file", "/x"), source="events")
        assert world.groups == [{spark, client}]

    def test_one_producer_in_two_sources_is_two_tellers(self, world: World) -> None:
        events = world.tell("spark", pair("file", "/x"), source="events")
        marquez = world.tell("spark", pair("file", "/x"), source="marquez")
        assert world.groups == [{events, marquez}]

    def test_a_third_partys_alias_does_not_join_what_a_teller_keeps_apart(self, world: World) -> None:
        path = world.tell("airflow", pair("file", "/wh/shop.db/t"))
        table = world.tell("airflow", pair("prod", "shop.t"))
        both = world.tell("spark", pair("file", "/wh/shop.db/t"), symlink("prod", "shop.t"))
        assert world.groups == [{path, both}]
        assert [(one.key, one.records) for one in world.joins.refused] == [
            ("data|openlineage|prod|shop.t", {table, both})
        ]

    def test_where_a_third_party_has_both_for_its_own_name_neither_counts(self, world: World) -> None:
        uuid = "018f0e0e-1234-4abc-8def-0123456789ab"
        world.tell("unity", uri("s3://lake/t"))
        world.tell("unity", Spelling(Form.TABLE_UUID, (uuid,)))
        world.tell("mlflow", uri("s3://lake/t"), Spelling(Form.TABLE_UUID, (uuid,)))
        assert world.groups == []
        assert len(world.joins.refused) == 2

    def test_a_conflict_leaves_alone_what_only_hangs_on_to_it(self, world: World) -> None:
        uuid = "018f0e0e-1234-4abc-8def-0123456789ab"
        path = world.tell("unity", uri("s3://lake/t"), Spelling(Form.NATIVE, ("unity", "1")))
        world.tell("unity", Spelling(Form.TABLE_UUID, (uuid,)))
        world.tell("mlflow", uri("s3://lake/t"), Spelling(Form.TABLE_UUID, (uuid,)))
        leaf = world.tell("notes", Spelling(Form.NATIVE, ("unity", "1")))
        assert world.groups == [{path, leaf}]


class TestPlaces:
    def test_a_symlink_does_not_cross_from_one_known_place_to_another(self, world: World) -> None:
        here = world.tell("spark", pair("postgres://a", "d.s.t"), symlink("postgres://b", "d.s.t"))
        there = world.tell("airflow", pair("postgres://b", "d.s.t"))
        (refusal,) = world.joins.refused
        assert world.groups == []
        assert refusal.records == {here, there}
        assert "different places" in refusal.reason

    def test_not_even_if_its_teller_says_so_of_its_own_records(self, world: World) -> None:
        world.tell("spark", pair("postgres://a", "d.s.t"), symlink("postgres://b", "d.s.t"))
        world.tell("spark", pair("postgres://b", "d.s.t"))
        assert world.groups == []

    def test_nor_by_a_chain_through_a_name_that_has_no_place(self, world: World) -> None:
        world.tell("one", pair("postgres://a", "d.s.t"), symlink("prod", "t"))
        world.tell("two", pair("postgres://b", "d.s.t"), symlink("prod", "t"))
        world.tell("three", pair("prod", "t"))
        assert world.groups == []

    def test_places_of_different_systems_do_not_contradict(self, world: World) -> None:
        path = world.tell("spark", pair("s3://lake", "shop.db/t"), symlink("hive://h", "shop.t"))
        table = world.tell("hive", pair("hive://h", "shop.t"))
        assert world.groups == [{path, table}]

    def test_buckets_of_one_name_in_two_clouds_are_two(self, world: World) -> None:
        world.tell("a", uri("s3://lake/t"))
        world.tell("b", uri("gs://lake/t"))
        assert world.groups == []

    def test_the_registry_makes_two_names_of_a_place_one(self) -> None:
        world = World(Registry.of({"postgres/pg": {"aliases": ["a", "b"]}}))
        here = world.tell("spark", pair("postgres://a", "d.s.t"))
        there = world.tell("airflow", pair("postgres://b", "d.s.t"))
        assert world.groups == [{here, there}]

    def test_a_record_that_has_two_places_of_its_own_says_that_they_are_one(self, world: World) -> None:
        metastore, host = ("unitycatalog", "metastore", "c.s.t"), ("unitycatalog", "host", "c.s.t")
        unity = world.tell("unity", Spelling(Form.TABLE, metastore), Spelling(Form.TABLE, host))
        events = world.tell("events", pair("unitycatalog://host", "c.s.t"))
        mlflow = world.tell("mlflow", Spelling(Form.TABLE, metastore))
        assert world.groups == [{unity, events, mlflow}]

    def test_environments_are_never_crossed(self, world: World) -> None:
        prod = world.urn("one", "urn:li:dataset:(urn:li:dataPlatform:s3,lake/t,PROD)")
        dev = world.urn("two", "urn:li:dataset:(urn:li:dataPlatform:s3,lake/t,DEV)")
        assert world.groups == []
        assert world.joins.refused[0].records == {prod, dev}

    def test_one_environment_and_none_are_no_contradiction(self, world: World) -> None:
        prod = world.urn("one", "urn:li:dataset:(urn:li:dataPlatform:s3,lake/t,PROD)")
        none = world.tell("spark", uri("s3://lake/t"))
        assert world.groups == [{prod, none}]


class TestKinds:
    def test_a_dataset_version_is_never_its_dataset(self, world: World) -> None:
        dataset = world.tell("a", Spelling(Form.NATIVE, ("x", "1")))
        other = world.tell("c", Spelling(Form.NATIVE, ("x", "1")))
        world.tell("b", Spelling(Form.NATIVE, ("x", "1")), kind=AssetKind.DATASET_VERSION)
        assert world.groups == [{dataset, other}]
        assert world.joins.refused == ()

    def test_columns_are_one_with_columns(self, world: World) -> None:
        field = Spelling(Form.FIELD, ("file", "/x", "id"))
        one = world.tell("a", field, kind=AssetKind.COLUMN)
        two = world.tell("b", field, kind=AssetKind.COLUMN)
        world.tell("c", field)
        assert world.groups == [{one, two}]

    def test_a_model_version_told_as_a_dataset_is_that_version(self) -> None:
        world = World(Registry.of({"mlflow/tracking": {"aliases": ["127.0.0.1:5000"]}}))
        event = world.tell("client", pair("mlflow://127.0.0.1:5000", "models/churn/3"))
        spelling = Spelling(Form.MLFLOW, ("tracking", "default", "model-version", "churn/3"))
        version = world.tell("mlflow", spelling, kind=AssetKind.MODEL_VERSION)
        assert world.groups == [{event, version}]
        assert kind_of(member.kind for member in world.members) is AssetKind.MODEL_VERSION

    def test_a_model_is_never_its_version_whatever_they_share(self, world: World) -> None:
        world.tell("a", uri("s3://lake/models/churn"), kind=AssetKind.MODEL)
        world.tell("b", uri("s3://lake/models/churn"), kind=AssetKind.MODEL_VERSION)
        assert world.groups == []
        assert "kinds" in world.joins.refused[0].reason

    def test_runs_are_one_by_their_id(self, world: World) -> None:
        run = Spelling(Form.OPENLINEAGE_RUN, ("018F0E0E-1234-7ABC-8DEF-0123456789AB",))
        events = world.tell("events", run, kind=AssetKind.RUN)
        marquez = world.tell("marquez", run, kind=AssetKind.RUN)
        assert world.groups == [{events, marquez}]

    def test_a_job_whose_namespace_marquez_rewrote_is_that_job(self, world: World) -> None:
        events = world.tell("events", Spelling(Form.OPENLINEAGE_JOB, ("Team A", "load")), kind=AssetKind.JOB)
        marquez = world.tell("marquez", Spelling(Form.OPENLINEAGE_JOB, ("Team_A", "load")), kind=AssetKind.JOB)
        assert world.groups == [{events, marquez}]
        world.tell("events", Spelling(Form.OPENLINEAGE_JOB, ("Team;A", "load")), kind=AssetKind.JOB)
        assert world.groups == []

    @pytest.mark.parametrize(
        ("kinds", "kind"),
        [
            ([AssetKind.DATASET, AssetKind.MODEL_VERSION], AssetKind.MODEL_VERSION),
            ([AssetKind.OTHER, AssetKind.JOB], AssetKind.JOB),
            ([AssetKind.ARTIFACT, AssetKind.DATASET], AssetKind.DATASET),
            ([AssetKind.DATASET, AssetKind.FEATURE_TABLE], AssetKind.FEATURE_TABLE),
            ([AssetKind.OTHER], AssetKind.OTHER),
            ([], AssetKind.OTHER),
        ],
    )
    def test_the_most_specific_kind_is_told(self, kinds: list[AssetKind], kind: AssetKind) -> None:
        assert kind_of(kinds) is kind_of(reversed(kinds)) is kind

    @pytest.mark.parametrize("kind", AssetKind)
    def test_every_kind_has_its_rank(self, kind: AssetKind) -> None:
        assert kind_of([kind, AssetKind.OTHER]) is kind


class TestExplanations:
    def test_links_span_an_asset_and_name_every_key_that_joins(self, world: World) -> None:
        uuid = Spelling(Form.TABLE_UUID, ("018f0e0e-1234-4abc-8def-0123456789ab",))
        first = world.tell("a", uri("s3://lake/t"), uuid)
        second = world.tell("b", uri("s3://lake/t"), uuid)
        third = world.tell("c", uuid)
        links = world.joins.links
        assert {(link.left, link.right) for link in links} == {(first, second), (first, third)}
        assert links[0].evidence == (
            "data|s3|lake|t",
            "data|table-uuid||018f0e0e-1234-4abc-8def-0123456789ab",
        )

    def test_a_join_by_an_alias_or_without_case_scores_lower(self, world: World) -> None:
        world.tell("a", pair("snowflake://acct", "DB.S.T"))
        world.tell("b", pair("snowflake://acct", "db.s.t"))
        world.tell("c", pair("s3://lake", "t"), symlink("snowflake://acct", "DB.S.T"))
        assert [link.score for link in world.joins.links] == [0.99, 0.97]
        assert world.joins.links[0].rule == "OpenLineage name, case folded"

    def test_a_suspiciously_large_asset_is_kept_and_reported(self, world: World) -> None:
        records = {world.tell(f"source {number}", uri("s3://lake/t")) for number in range(25)}
        (refusal,) = world.joins.refused
        assert world.groups == [records]
        assert (refusal.reason, refusal.records) == (TOO_MANY, records)

    def test_twenty_records_are_not_yet_suspicious(self, world: World) -> None:
        for number in range(20):
            world.tell(f"source {number}", uri("s3://lake/t"))
        assert world.joins.refused == ()
