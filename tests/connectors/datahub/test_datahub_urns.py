"""DataHub's names: taken apart, refused with a reason, and brought together where one field is written in two ways."""

import re

import pytest

from watersmeet.connectors.datahub.urn import BadUrn, encoded, plain, read, urn

TOPIC = "urn:li:dataset:(urn:li:dataPlatform:kafka,orders,PROD)"


@pytest.mark.parametrize(
    ("text", "label", "platform", "parent"),
    [
        ("urn:li:dataset:(urn:li:dataPlatform:hive,db.t,PROD)", "db.t", "hive", ""),
        ("urn:li:dataset:(urn:li:dataPlatform:s3,bucket/a b/ü,DEV)", "bucket/a b/ü", "s3", ""),
        ("urn:li:dataset:(urn:li:dataPlatform:external,a%2C%28b%29%c,PROD)", "a,(b)%c", "external", ""),
        ("urn:li:dataFlow:(airflow,dag,prod)", "dag", "airflow", ""),
        (
            "urn:li:dataJob:(urn:li:dataFlow:(airflow,dag,prod),task)",
            "task",
            "",
            "urn:li:dataFlow:(airflow,dag,prod)",
        ),
        ("urn:li:dataProcess:(name,airflow,PROD)", "name", "", ""),
        ("urn:li:mlFeature:(customers,age)", "age", "", ""),
        ("urn:li:mlFeatureTable:(urn:li:dataPlatform:feast,users)", "users", "feast", ""),
        ("urn:li:chart:(looker,baz1)", "baz1", "looker", ""),
        ("urn:li:versionSet:(guid,mlModel)", "mlModel", "", ""),
        ("urn:li:tag:a:b", "a:b", "", ""),
        ("urn:li:foo:bar", "bar", "", ""),
        (f"urn:li:schemaField:({TOPIC},a.b)", "a.b", "", TOPIC),
    ],
)
def test_a_urn_is_taken_apart(text: str, label: str, platform: str, parent: str) -> None:
    one = urn(text)
    assert (one.label, one.platform, one.parent, str(one)) == (label, platform, parent, text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("urn:li:dataset:(urn:li:dataPlatform:hive,db.t)", "a dataset should have 3 parts, this one has 2"),
        ("urn:li:dataset:(urn:li:dataPlatform:hive,a,b,PROD)", "a dataset should have 3 parts, this one has 4"),
        ("urn:li:dataset:(hive,db.t,PROD)", "the part 'hive' should be the URN of a dataPlatform"),
        ("urn:li:dataset:(urn:li:tag:hive,db.t,PROD)", "should be the URN of a dataPlatform"),
        ("urn:li:dataset:(urn:li:dataPlatform:hive,,PROD)", "one of its parts is empty"),
        ("urn:li:dataset:(urn:li:dataPlatform:hive,t(1),PROD)", "holds parentheses that are not escaped"),
        ("urn:li:dataset:(urn:li:dataPlatform:hive,t,PROD", "its parentheses do not match"),
        ("urn:li:dataset:(urn:li:dataPlatform:hive,t,PROD),x", "something follows its last parenthesis"),
        ("URN:LI:dataset:x", "it does not begin with urn:li:"),
        ("urn:li:", "it names no type of thing"),
        ("urn:li:dataset:", "it names a type and no thing of it"),
        ("urn:li:dataset", "it names a type and no thing of it"),
        ("urn:li:schemaField:(orders,a)", "the part 'orders' should be the URN of a thing"),
        ("", "it does not begin with urn:li:"),
        (7, "it is no text"),
        (None, "it is no text"),
    ],
)
def test_what_is_no_urn_is_refused_with_the_reason(text: object, reason: str) -> None:
    with pytest.raises(BadUrn, match=re.escape(reason)):
        read(text)


def test_a_field_has_one_name_whatever_schema_version_wrote_it() -> None:
    old = urn(f"urn:li:schemaField:({TOPIC},items.sku)")
    new = urn(
        f"urn:li:schemaField:({TOPIC},[version=2.0].[type=struct].[type=array].[type=struct].items.[type=string].sku)"
    )
    assert plain(old) == plain(new) == old.text
    assert new.label == "items.sku"


def test_a_field_of_the_key_of_a_topic_is_not_the_one_of_its_value() -> None:
    of_key = urn(f"urn:li:schemaField:({TOPIC},[version=2.0].[key=True].[type=string].id)")
    of_value = urn(f"urn:li:schemaField:({TOPIC},[version=2.0].[type=string].id)")
    assert plain(of_key) != plain(of_value)


def test_a_path_that_holds_signs_of_the_grammar_is_written_as_datahub_writes_it() -> None:
    assert urn(f"urn:li:schemaField:({TOPIC},{encoded('sum(a,b)')})").label == "sum(a,b)"
