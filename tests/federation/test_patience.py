"""Work for somebody who waits no longer stops, wherever it is done."""

import time

import pytest
import sqlalchemy as sa

from watersmeet.federation import patience
from watersmeet.federation.errors import OutOfTime
from watersmeet.federation.store import Store
from watersmeet.federation.store.database import Database

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def test_the_database_stops_a_statement_that_nobody_waits_for(store: Store, store_url: str):
    database = Database(store_url)
    try:
        with (
            pytest.raises(OutOfTime, match="time for this question is over"),
            patience.until(time.monotonic() + 0.2),
            database.reading() as connection,
        ):
            connection.execute(sa.text(ENDLESS)).scalar_one()
        with database.reading() as connection:  # and the connection is as good as before
            assert connection.execute(sa.text("SELECT 7")).scalar_one() == 7
    finally:
        database.close()


def test_nothing_is_read_for_who_waits_no_longer(store: Store):
    with patience.until(time.monotonic()), pytest.raises(OutOfTime):
        store.reader.head()


def test_the_patience_of_one_question_ends_with_it(store: Store):
    with patience.until(time.monotonic()):
        with patience.until(None):
            assert store.reader.head() == 0
            assert patience.left() is None
        assert patience.left() == 0.0
    assert not patience.is_over()
