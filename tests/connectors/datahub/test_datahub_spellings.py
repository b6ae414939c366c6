"""What a URN says of identity: bindings give it a place, siblings are one thing, and names are not lost on the way."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from watersmeet.federation.connector import Batch
from watersmeet.federation.model import AssetKind, Form, Record, Scope, Spelling
from watersmeet.federation.naming import Registry
from watersmeet.federation.naming.spelling import keys
from watersmeet.federation.rows import SourceRow
from watersmeet.federation.store import Store

ORDERS = "urn:li:dataset:(urn:li:dataPlatform:snowflake,sf_main.db.public.orders,PROD)"
FIELD = f"urn:li:schemaField:({ORDERS},id)"
BOUND = Registry.of(
    {"snowflake/acme": {}},
    [{"source": "dh", "platform": "snowflake", "instance": "sf_main", "authority": "snowflake/acme"}],
)
NOW = datetime(2026, 11, 26, tzinfo=UTC)


def texts(spelling: Spelling, kind: AssetKind, registry: Registry = BOUND) -> set[str]:
    return {one.text for one in keys(spelling, kind, registry) if one.strong}


def test_a_binding_of_the_source_gives_a_dataset_and_its_fields_their_place() -> None:
    assert "data|snowflake|acme|db.public.orders" in texts(Spelling(Form.URN, (ORDERS, "dh")), AssetKind.DATASET)
    assert any("|snowflake|acme|" in one for one in texts(Spelling(Form.URN, (FIELD, "dh")), AssetKind.COLUMN))


def test_the_same_urn_of_two_sources_is_two_things() -> None:
    one, other = (texts(Spelling(Form.URN, (ORDERS, source)), AssetKind.DATASET, Registry.EMPTY) for source in "ab")
    assert one
    assert not one & other


def test_a_sibling_is_a_further_name_and_says_nothing_of_places() -> None:
    [alias] = keys(Spelling(Form.URN, (ORDERS, "dh", "sibling")), AssetKind.DATASET, BOUND)
    assert alias.is_alias
    assert alias.text in texts(Spelling(Form.URN, (ORDERS, "dh")), AssetKind.DATASET)


def test_a_urn_without_its_source_names_no_thing_of_a_source() -> None:
    assert texts(Spelling(Form.URN, (ORDERS,)), AssetKind.DATASET, Registry.EMPTY) == set()


@pytest.mark.parametrize("later", ["", "Orders"])
def test_a_scope_that_tells_no_name_leaves_the_one_that_was_told(tmp_path: Path, later: str) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'w.db'}") as store:
        store.journal.declare([SourceRow("dh", "dh", "datahub", None, 0)])
        spelled = Scope("dataset/a/datasetKey", (Record("a", AssetKind.DATASET, "db.orders"),), stated_at=NOW)
        said = Scope("dataset/a/status", (Record("a", AssetKind.DATASET, later),))
        store.ledger.write("dh", Batch(scopes=(said, spelled)), read_started_at=NOW + timedelta(days=1))
        store.resolve(BOUND)
        [match] = store.reader.find_native(["a"])
        [row] = store.reader.assets([match.asset])[match.asset]
        assert row.name == (later or "db.orders")
