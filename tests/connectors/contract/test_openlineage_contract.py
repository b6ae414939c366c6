"""Files of OpenLineage events are held to the contract."""

from watersmeet.federation.model import SyncState

from .house import Bench
from .openlineage_house import OpenLineageHouse
from .suite import ConnectorContract


class TestOpenLineage(ConnectorContract):
    house = OpenLineageHouse

    def test_nothing_is_read_before_it_is_asked_for(self, bench: Bench) -> None:
        """File by file: one that goes away while another is read is missed, and said to be."""
        house = bench.house
        assert isinstance(house, OpenLineageHouse)
        house.grow(10)
        connector = house.connect(bench.now)
        batches = connector.read(None)
        assert len(next(batches).events) == 5
        for one in house.folder.glob("grown-*-000005.ndjson"):
            one.unlink()
        rest = list(batches)
        assert [one.skipped[0].what for one in rest if one.skipped] == ["file grown-000010-000005.ndjson"]
        assert bench.sync().state is SyncState.SUCCEEDED
