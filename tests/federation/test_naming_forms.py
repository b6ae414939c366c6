"""Every form of spelling: the keys it gives, and which of them may join."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watersmeet.federation.model import AssetKind, Form, Spelling
from watersmeet.federation.naming import Key, Registry, canonical_uri, keys, keys_of
from watersmeet.federation.naming.key import escaped, unescaped
from watersmeet.federation.naming.quoting import cut, dotted

UUID = "018f0e0e-1234-4abc-8def-0123456789ab"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def told(form: Form, *parts: str, kind: AssetKind = AssetKind.DATASET, weak: bool = False) -> list[tuple[str, bool]]:
    return [(key.text, key.strong) for key in keys(Spelling(form, parts, weak), kind, Registry.EMPTY)]


URIS = [
    ("s3://bucket/dir/x.csv", "data|s3|bucket|dir/x.csv"),
    ("s3a://Bucket/dir/x.csv", "data|s3|bucket|dir/x.csv"),
    ("s3n://bucket/dir/", "data|s3|bucket|dir"),
    ("s3://bucket", "data|s3|bucket|/"),
    ("https://bucket.s3.eu-west-1.amazonaws.com/dir/x.csv?X-Amz-Signature=secret", "data|s3|bucket|dir/x.csv"),
    ("https://s3.eu-west-1.amazonaws.com/bucket/dir/x.csv", "data|s3|bucket|dir/x.csv"),
    ("gcs://bucket/x", "data|gs|bucket|x"),
    ("https://storage.googleapis.com/bucket/dir/x.csv", "data|gs|bucket|dir/x.csv"),
    ("wasbs://cont@acct.blob.core.windows.net/dir/x", "data|abs|acct|cont/dir/x"),
    ("wasb://cont@acct.blob.core.windows.net/dir/x", "data|abs|acct|cont/dir/x"),
    ("abfs://cont@acct.dfs.core.windows.net/dir/x", "data|abs|acct|cont/dir/x"),
    ("abfss://cont@acct.dfs.core.windows.net/dir/x/", "data|abs|acct|cont/dir/x"),
    ("https://acct.blob.core.windows.net/cont/dir/x?sig=secret", "data|abs|acct|cont/dir/x"),
    ("hdfs://nn/user/x", "data|hdfs|nn:8020|/user/x"),
    ("viewfs://cluster/x", "data|viewfs|cluster|/x"),
    ("r2://bucket/x", "data|r2|bucket|x"),
    ("b2://bucket/x", "data|b2|bucket|x"),
    ("ftp://user:pw@host:21/pub/x", "data|ftp|host|/pub/x"),
    ("sftp://host/pub/x", "data|sftp|host|/pub/x"),
    ("http://Host:80/data/x.csv?token=secret#top", "data|http|host|/data/x.csv"),
    ("https://user:pw@host/data/x.csv", "data|https|host|/data/x.csv"),
    ("hf://datasets/org/name", "data|hf|datasets|org/name"),
    ("dbfs://workspace/mnt/x", "data|dbfs|workspace|/mnt/x"),
    ("file:/srv/x", "data|file||/srv/x"),
    ("file:///srv/x/", "data|file||/srv/x"),
    ("file://host/srv/x", "data|file|host|/srv/x"),
    ("postgresql://u:p@h/db/public/t", "data|postgres|h:5432|db.public.t"),
    ("oss://bucket/dir/x", "data|oss|bucket|dir/x"),
]


@pytest.mark.parametrize(("uri", "key"), URIS)
def test_an_address_is_the_place_it_names(uri: str, key: str) -> None:
    assert told(Form.URI, uri)[0] == (key, True)


@pytest.mark.parametrize(("uri", "key"), URIS)
def test_a_canonical_address_is_canonical_and_names_the_same(uri: str, key: str) -> None:
    once = canonical_uri(uri)
    assert canonical_uri(once) == once
    assert told(Form.URI, once)[0] == (key, True)
    assert "secret" not in once
    assert "pw" not in once


PAIRED = [
    ("s3a://bucket/dir/x", ("s3://bucket", "dir/x")),
    ("file:/srv/x", ("file", "/srv/x")),
    ("hdfs://nn/x", ("hdfs://nn:8020", "/x")),
    ("oss://bucket/dir/x", ("oss://bucket", "dir/x")),
    ("gcs://b/x", ("gs://b", "x")),
]


@pytest.mark.parametrize(("uri", "pair"), PAIRED)
def test_an_address_and_the_openlineage_pair_of_its_place_have_one_key(uri: str, pair: tuple[str, str]) -> None:
    assert told(Form.URI, uri) == told(Form.OPENLINEAGE, *pair)


UNPLACED = [
    (Form.URI, ("dbfs:/mnt/x",), "data|dbfs||/mnt/x"),
    (Form.URI, ("/srv/x",), "data|file||/srv/x"),
    (Form.URI, ("models:/churn/3",), "model|mlflow||churn/3"),
    (Form.URI, ("models:/m-0123abc",), "model|mlflow||m-0123abc"),
    (Form.URI, ("runs:/0123abc/model",), "run|mlflow||0123abc"),
    (Form.URI, ("dbfs:/Volumes/Main/shop/raw/x.csv",), "data|volume||main.shop.raw/x.csv"),
    (Form.LOCAL, ("", "/srv/x"), "data|file||/srv/x"),
    (Form.LOCAL, ("", "file:///srv/x"), "data|file||/srv/x"),
    (Form.LOCAL, ("host", "/dbfs/mnt/x"), "data|dbfs||/mnt/x"),
    (Form.LOCAL, ("host", "/Volumes/main/shop/raw/x.csv"), "data|volume||main.shop.raw/x.csv"),
    (Form.LOCAL, ("host", "main.fraud.Features"), "data|table||main.fraud.features"),
    (Form.TABLE, ("unitycatalog", "", "main.shop.T"), "data|unitycatalog||main.shop.t"),
    (Form.TABLE, ("hive", "", "db.t"), "data|hive||db.t"),
    (Form.TABLE_UUID, ("not a uuid",), "data|table-uuid||not a uuid"),
    (Form.MLFLOW, ("", "", "run", "0123"), "run|mlflow||0123"),
    (Form.NAME, ("orders",), "data|name||orders"),
]


@pytest.mark.parametrize(("form", "parts", "key"), UNPLACED)
def test_what_lacks_its_place_is_a_hint(form: Form, parts: tuple[str, ...], key: str) -> None:
    assert told(form, *parts) == [(key, False)]


@pytest.mark.parametrize("path", ["relative/x.csv", "x.csv", "", "data.parquet"])
def test_a_relative_path_is_nowhere(path: str) -> None:
    assert told(Form.LOCAL, "host", path) == []


def test_a_path_of_a_machine_is_never_that_path_of_no_machine_only_alike() -> None:
    scoped = told(Form.LOCAL, "Laptop", "/srv/x")
    assert scoped == [("data|file|laptop|/srv/x", True), ("data|file||/srv/x", False)]
    assert told(Form.OPENLINEAGE, "file", "/srv/x") == [("data|file||/srv/x", True)]
    assert told(Form.OPENLINEAGE, "file://laptop", "/srv/x") == scoped[:1]


PLACED = [
    (Form.TABLE, ("snowflake", "Org-Acct", "DB.S.T"), "data|snowflake|org-acct|db.s.t"),
    (Form.TABLE, ("postgresql", "h", "db.public.T"), "data|postgres|h:5432|db.public.T"),
    (Form.TABLE, ("postgres", "postgres://h:5432", "db.public.T"), "data|postgres|h:5432|db.public.T"),
    (Form.TABLE, ("unity-catalog", "metastore-1", "Main.shop.t"), "data|unitycatalog|metastore-1|main.shop.t"),
    (Form.TABLE, ("glue", "eu-west-1:123", "db.t"), "data|glue|eu-west-1:123|db.t"),
    (Form.TABLE, ("newbase", "h", 'a."b.c"'), 'data|newbase|h|a."b.c"'),
    (Form.TABLE_UUID, (UUID.upper(),), f"data|table-uuid||{UUID}"),
    (Form.MLFLOW_DATASET, ("ml", "default", "7", "iris", "abcd1234"), "data|mlflow-dataset|ml/default|7/iris@abcd1234"),
    (Form.MLFLOW, ("ml", "", "dataset", "d-1"), "data|mlflow|ml/default|dataset/d-1"),
    (Form.NATIVE, ("catalog", "abc|def"), "data|native|catalog|abc\\x7cdef"),
]


@pytest.mark.parametrize(("form", "parts", "key"), PLACED)
def test_what_tells_its_place_has_a_strong_key(form: Form, parts: tuple[str, ...], key: str) -> None:
    assert (key, True) in told(form, *parts)


MLFLOW = [
    ("run", "0123", AssetKind.RUN, "run|mlflow|ml/ws|0123"),
    ("model", "churn", AssetKind.MODEL, "model|mlflow|ml/ws|churn"),
    ("model-version", "churn/3", AssetKind.MODEL_VERSION, "model|mlflow|ml/ws|churn/3"),
    ("logged-model", "m-01", AssetKind.MODEL_VERSION, "model|mlflow|ml/ws|m-01"),
    ("experiment", "7", AssetKind.EXPERIMENT, "other|mlflow|ml/ws|experiment/7"),
    ("prompt", "qa", AssetKind.PROMPT, "other|mlflow|ml/ws|prompt/qa"),
    ("prompt-version", "qa/3", AssetKind.PROMPT_VERSION, "other|mlflow|ml/ws|prompt/qa/3"),
    ("gateway-endpoint", "chat", AssetKind.DEPLOYMENT, "other|mlflow|ml/ws|gateway-endpoint/chat"),
    ("evaluation", "e1", AssetKind.EVALUATION, "other|mlflow|ml/ws|evaluation/e1"),
    ("job", "train.py", AssetKind.JOB, "process|mlflow|ml/ws|job/train.py"),
]


@pytest.mark.parametrize(("type_", "id_", "kind", "key"), MLFLOW)
def test_mlflows_things_are_known_by_server_and_workspace(type_: str, id_: str, kind: AssetKind, key: str) -> None:
    assert told(Form.MLFLOW, "ml", "ws", type_, id_, kind=kind) == [(key, True)]


REPOSITORIES = [
    "git@github.com:acme/shop.git",
    "git@GitHub.com:acme/shop",
    "ssh://git@github.com/acme/shop.git",
    "ssh://git@github.com:22/acme/shop.git",
    "https://github.com/acme/shop",
    "https://github.com/acme/shop.git/",
    "https://user:token@github.com/acme/shop.git",
    "https://github.com:443/acme/shop?x=y#readme",
    "git+https://github.com/acme/shop.git",
    "git://github.com/acme/shop",
]


@pytest.mark.parametrize("url", REPOSITORIES)
def test_a_repository_is_one_however_it_is_fetched(url: str) -> None:
    assert told(Form.GIT, url, COMMIT.upper(), kind=AssetKind.CODE) == [
        (f"code|git|github.com|acme/shop@{COMMIT}", True)
    ]


def test_code_without_a_full_revision_is_a_hint() -> None:
    assert told(Form.GIT, REPOSITORIES[0], "", kind=AssetKind.CODE) == [("code|git|github.com|acme/shop", False)]
    assert told(Form.GIT, REPOSITORIES[0], "0123abc", kind=AssetKind.CODE)[0][1] is False
    assert told(Form.GIT, "/home/me/shop", COMMIT, kind=AssetKind.CODE) == []


def test_a_repository_and_revision_say_of_a_run_no_more_than_that_it_is_related() -> None:
    assert told(Form.GIT, REPOSITORIES[0], COMMIT, kind=AssetKind.RUN)[0][1] is False


RUNS = [
    (UUID, [UUID]),
    (UUID.upper(), [UUID]),
    ("hello", ["5d41402a-bc4b-3a76-b971-9d911017c592"]),
]


@pytest.mark.parametrize(("run", "ids"), RUNS)
def test_a_run_is_known_by_its_id_anywhere(run: str, ids: list[str]) -> None:
    assert told(Form.OPENLINEAGE_RUN, run, kind=AssetKind.RUN) == [(f"run|openlineage||{one}", True) for one in ids]


def test_a_run_id_without_dashes_is_kept_as_java_and_as_python_store_it() -> None:
    found = told(Form.OPENLINEAGE_RUN, UUID.replace("-", ""), kind=AssetKind.RUN)
    assert (f"run|openlineage||{UUID}", True) in found
    assert len(found) == 2


def test_a_job_is_known_by_its_pair_and_by_what_marquez_makes_of_its_namespace() -> None:
    assert told(Form.OPENLINEAGE_JOB, "airflow_prod", "dag.task", kind=AssetKind.JOB) == [
        ("process|openlineage|airflow_prod|dag.task", True)
    ]
    assert told(Form.OPENLINEAGE_JOB, "Customer Relationship", "x", kind=AssetKind.JOB) == [
        ("process|openlineage|Customer Relationship|x", True),
        ("process|openlineage|Customer_Relationship|x", True),
    ]


FIELDS = [
    (("postgres://h", "db.s.t", "Id"), "column|postgres|h:5432|db.s.t#Id", True),
    (("postgres://h", "db.s.t", "address.city"), "column|postgres|h:5432|db.s.t#address.city", True),
    (("postgres://h", "db.s.t", '"a.b".c'), 'column|postgres|h:5432|db.s.t#"a.b".c', True),
    (("snowflake://acct", "DB.S.T", "ID"), "column|snowflake|acct|db.s.t#id", True),
    (("snowflake://acct", "DB.S.T", "ID"), "column|snowflake|acct|=DB.S.T#ID", True),
    (("file", "/srv/a#b%23", "x"), "column|file||/srv/a%23b%2523#x", True),
    (("unity-catalog", "main.s.t", "x"), "column|unitycatalog||main.s.t#x", False),
    (("spark_prod", "db.t", "x"), "column|openlineage|spark_prod|db.t#x", True),
    (("postgres://h", "public.t", "x"), "column|openlineage|postgres://h:5432|public.t#x", True),
]


@pytest.mark.parametrize(("parts", "key", "strong"), FIELDS)
def test_a_column_is_its_dataset_and_the_path_in_it(parts: tuple[str, ...], key: str, strong: bool) -> None:
    assert (key, strong) in told(Form.FIELD, *parts, kind=AssetKind.COLUMN)


def test_a_column_told_under_a_symlink_has_an_alias() -> None:
    spelling = Spelling(Form.FIELD, ("file:/srv/wh", "shop.t", "id", "TABLE"))
    (key,) = keys(spelling, AssetKind.COLUMN, Registry.EMPTY)
    assert (key.text, key.strong, key.is_alias) == ("column|warehouse|file:/srv/wh|shop.t#id", True, True)
    spelling = Spelling(Form.FIELD, ("file:/srv/wh", "shop.t.snapshots", "id", "TABLE"))
    assert not keys(spelling, AssetKind.COLUMN, Registry.EMPTY)[0].strong


SYMLINKS = [
    (("file:/srv/lake/warehouse", "shop.t", "TABLE"), "data|warehouse|file:/srv/lake/warehouse|shop.t", True),
    (("file:///srv/lake/warehouse/", "shop.t", "TABLE"), "data|warehouse|file:/srv/lake/warehouse|shop.t", True),
    (("hdfs://host/user/hive/warehouse", "default.t1", "TABLE"),
     "data|warehouse|hdfs://host:8020/user/hive/warehouse|default.t1", True),
    (("s3://bucket", "shop.t", "TABLE"), "data|warehouse|s3://bucket|shop.t", True),
    (("hive://host:9083", "default.T1", "TABLE"), "data|hive|host:9083|default.t1", True),
    (("arn:aws:glue:eu-west-1:123", "table/db/t", "TABLE"), "data|glue|eu-west-1:123|db.t", True),
    (("spark_prod", "shop.t", "TABLE"), "data|openlineage|spark_prod|shop.t", True),
    (("s3://bucket", "a/b.c", "LOCATION"), "data|s3|bucket|a/b.c", True),
    (("unity-catalog", "main.s.t", "TABLE"), "data|unitycatalog||main.s.t", False),
    (("file:/srv/lake/warehouse", "db.t.snapshots", "TABLE"),
     "data|warehouse|file:/srv/lake/warehouse|db.t.snapshots", False),
    (("arn:aws:glue:eu-west-1:123", "table/db/t.history", "TABLE"), "data|glue|eu-west-1:123|db.\"t.history\"", False),
    (("unitycatalog://h", "main.shop.history", "TABLE"), "data|unitycatalog|h|main.shop.history", True),
    (("unitycatalog://h", "main.shop.t.history", "TABLE"), "data|unitycatalog|h|main.shop.t.history", False),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "key", "strong"), SYMLINKS)
def test_a_symlink_is_a_further_name(parts: tuple[str, ...], key: str, strong: bool) -> None:
    assert (key, strong) in told(Form.SYMLINK, *parts)
    assert all(one.is_alias for one in keys(Spelling(Form.SYMLINK, parts), AssetKind.DATASET, Registry.EMPTY))


def test_a_warehouses_table_has_one_key_as_a_symlink_and_as_a_name() -> None:
    assert told(Form.SYMLINK, "file:/srv/wh", "shop.t", "TABLE") == told(Form.OPENLINEAGE, "file:/srv/wh", "shop.t")


@pytest.mark.parametrize(
    "path",
    [
        f"s3://bucket/__unitystorage/tables/{UUID}",
        f"abfss://c@a.dfs.core.windows.net/x/tables/{UUID.upper()}/",
    ],
)
def test_the_folder_of_a_managed_table_tells_its_uuid(path: str) -> None:
    assert (f"data|table-uuid||{UUID}", True) in told(Form.URI, path)


def test_a_path_inside_the_folder_of_a_table_is_not_the_table() -> None:
    assert len(told(Form.URI, f"s3://bucket/tables/{UUID}/part-0.parquet")) == 1


FIT = [
    (Form.OPENLINEAGE, ("file", "/x"), AssetKind.DATASET, True),
    (Form.OPENLINEAGE, ("file", "/x"), AssetKind.OTHER, True),
    (Form.OPENLINEAGE, ("file", "/x"), AssetKind.DATASET_VERSION, False),
    (Form.OPENLINEAGE, ("file", "/x"), AssetKind.COLUMN, False),
    (Form.OPENLINEAGE, ("file", "/x"), AssetKind.RUN, False),
    (Form.FIELD, ("file", "/x", "a"), AssetKind.COLUMN, True),
    (Form.FIELD, ("file", "/x", "a"), AssetKind.DATASET, False),
    (Form.OPENLINEAGE, ("mlflow://h", "models/churn/3"), AssetKind.DATASET, True),
    (Form.OPENLINEAGE, ("mlflow://h", "models/churn/3"), AssetKind.MODEL_VERSION, True),
    (Form.OPENLINEAGE_RUN, (UUID,), AssetKind.RUN, True),
    (Form.OPENLINEAGE_RUN, (UUID,), AssetKind.JOB, False),
    (Form.OPENLINEAGE_JOB, ("n", "j"), AssetKind.JOB, True),
    (Form.OPENLINEAGE_JOB, ("n", "j"), AssetKind.DATASET, False),
    (Form.TABLE_UUID, (UUID,), AssetKind.DATASET_VERSION, False),
    (Form.MLFLOW_DATASET, ("i", "w", "1", "n", "d"), AssetKind.DATASET_VERSION, True),
    (Form.GIT, (REPOSITORIES[0], COMMIT), AssetKind.CODE, True),
    (Form.NATIVE, ("s", "x"), AssetKind.RUN, True),
]


@pytest.mark.parametrize(("form", "parts", "kind", "strong"), FIT)
def test_a_name_joins_only_what_it_can_be_the_name_of(
    form: Form, parts: tuple[str, ...], kind: AssetKind, strong: bool
) -> None:
    assert told(form, *parts, kind=kind)[0][1] is strong


@pytest.mark.parametrize("form", [form for form, *_ in FIT])
def test_a_weak_spelling_never_joins(form: Form) -> None:
    parts, kind = next((parts, kind) for one, parts, kind, _ in FIT if one is form)
    assert not any(strong for _, strong in told(form, *parts, kind=kind, weak=True))


def test_of_two_spellings_of_one_key_the_better_one_counts() -> None:
    own = Spelling(Form.OPENLINEAGE, ("file", "/x"))
    alias = Spelling(Form.SYMLINK, ("file", "/x", "LOCATION"))
    hint = Spelling(Form.URI, ("file:/x",), weak=True)
    for order in ((own, alias, hint), (hint, alias, own), (alias, own)):
        (key,) = keys_of(order, AssetKind.DATASET, Registry.EMPTY)
        assert key == Key("data|file||/x", True, "OpenLineage name")


@given(st.sampled_from(list(Form)), st.lists(st.text(), min_size=5, max_size=5), st.sampled_from(list(AssetKind)))
def test_no_spelling_is_too_odd(form: Form, parts: list[str], kind: AssetKind) -> None:
    for key in keys(Spelling(form, tuple(parts[: LENGTH[form]])), kind, Registry.EMPTY):
        assert len(key.parts) == 4


LENGTH = {
    Form.OPENLINEAGE: 2,
    Form.SYMLINK: 3,
    Form.FIELD: 3,
    Form.URI: 1,
    Form.LOCAL: 2,
    Form.TABLE: 3,
    Form.OPENLINEAGE_JOB: 2,
    Form.OPENLINEAGE_RUN: 1,
    Form.MLFLOW: 4,
    Form.MLFLOW_DATASET: 5,
    Form.WANDB: 3,
    Form.GIT: 2,
    Form.TABLE_UUID: 1,
    Form.NATIVE: 2,
    Form.NAME: 1,
    Form.URN: 2,
}

parts = st.lists(st.text(alphabet='ab."`[]=#\\|', max_size=5), min_size=1, max_size=4)


@given(parts)
def test_the_parts_of_a_name_come_back(parts: list[str]) -> None:
    assert list(cut(dotted(parts))) == parts


@given(st.text(alphabet="ab|\\x7c"))
def test_what_is_escaped_comes_back_and_holds_no_bar(text: str) -> None:
    assert "|" not in escaped(text)
    assert unescaped(escaped(text)) == text


@given(st.text(), st.text())
def test_two_addresses_with_one_canonical_spelling_have_one_key(left: str, right: str) -> None:
    left, right = f"s3://b/{left}", f"s3a://b/{right}"
    if canonical_uri(left) == canonical_uri(right):
        assert told(Form.URI, left) == told(Form.URI, right)


def test_the_address_of_a_whole_database_names_no_table() -> None:
    assert keys(Spelling(Form.URI, ("duckdb://shop.duckdb",), weak=True), AssetKind.DATASET, Registry.EMPTY) == ()
