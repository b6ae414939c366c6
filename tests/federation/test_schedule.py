"""When sources are pulled, and by whom."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from watersmeet.config.schedule import parse_schedule
from watersmeet.federation.errors import AlreadyRunning
from watersmeet.federation.model import SyncState
from watersmeet.federation.rows import SourceRow
from watersmeet.federation.schedule import LOCK, Scheduler, next_after
from watersmeet.federation.store import Store

MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOURLY = parse_schedule("every 1h")


class Clock:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.now = MONDAY

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/store.db", clock=clock) as store:
        store.journal.declare(
            [SourceRow("shop", "shop", "marquez", None, 0), SourceRow("lab", "lab", "mlflow", None, 1)]
        )
        yield store


def ran(store: Store, source_id: str, state: SyncState = SyncState.SUCCEEDED) -> None:
    number = store.journal.enqueue(source_id, full=False)
    store.journal.start(number)
    store.journal.finish(number, state, complete=state is SyncState.SUCCEEDED)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("every 15m", MONDAY + timedelta(minutes=15)),
        ("0 3 * * *", datetime(2026, 11, 24, 3, 0, tzinfo=UTC)),
        ("30 12 * * *", datetime(2026, 11, 23, 12, 30, tzinfo=UTC)),
        ("0 6 * * 0", datetime(2026, 11, 29, 6, 0, tzinfo=UTC)),  # cron's 0 is Sunday
        ("0 6 * * 7", datetime(2026, 11, 29, 6, 0, tzinfo=UTC)),
        ("0 6 * * mon", datetime(2026, 11, 30, 6, 0, tzinfo=UTC)),
        ("0 0 1 * *", datetime(2026, 12, 1, 0, 0, tzinfo=UTC)),
        ("*/20 * * * *", datetime(2026, 11, 23, 12, 20, tzinfo=UTC)),
    ],
)
def test_a_schedule_tells_the_next_time(schedule: str, expected: datetime) -> None:
    assert next_after(parse_schedule(schedule), MONDAY) == expected


def test_a_source_without_schedule_has_no_next_run(store: Store, clock: Clock) -> None:
    scheduler = Scheduler(store, {"shop": HOURLY}, print, clock=clock)
    assert scheduler.next_run("lab") is None


def test_a_source_that_never_ran_is_due_at_once(store: Store, clock: Clock) -> None:
    assert Scheduler(store, {"shop": HOURLY}, print, clock=clock).next_run("shop") == MONDAY


def test_the_next_run_counts_from_the_last_begin(store: Store, clock: Clock) -> None:
    ran(store, "shop")
    clock.now += timedelta(minutes=20)
    assert Scheduler(store, {"shop": HOURLY}, print, clock=clock).next_run("shop") == MONDAY + timedelta(hours=1)


def test_after_a_downtime_one_run_makes_up_for_all_that_were_missed(store: Store, clock: Clock) -> None:
    ran(store, "shop")
    ran(store, "lab")
    clock.now += timedelta(hours=7, minutes=1)
    pulled: list[str] = []
    both = threading.Event()

    def pull(source_id: str) -> None:
        ran(store, source_id)
        pulled.append(source_id)
        if len(pulled) == 2:
            both.set()

    scheduler = Scheduler(store, {"shop": HOURLY, "lab": HOURLY}, pull, clock=clock, jitter=timedelta())
    scheduler.start()
    try:
        assert both.wait(10)
    finally:
        scheduler.stop()
    assert sorted(pulled) == ["lab", "shop"]
    assert scheduler.next_run("shop") == clock.now + timedelta(hours=1)


def test_a_slow_source_is_never_pulled_twice_at_a_time(store: Store) -> None:
    running: list[str] = []
    most: list[int] = []
    again = threading.Event()

    def pull(source_id: str) -> None:
        running.append(source_id)
        most.append(len(running))
        threading.Event().wait(1.6)
        running.pop()
        if len(most) >= 2:
            again.set()

    scheduler = Scheduler(store, {"shop": parse_schedule("every 1s")}, pull, jitter=timedelta())
    scheduler.start()
    try:
        assert again.wait(15)
    finally:
        scheduler.stop()
    assert max(most) == 1


def test_a_source_that_is_busy_is_left_alone(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    tried = threading.Event()

    def pull(source_id: str) -> None:
        tried.set()
        raise AlreadyRunning(f"{source_id} is busy")

    scheduler = Scheduler(store, {"shop": HOURLY}, pull, jitter=timedelta())
    scheduler.start()
    try:
        assert tried.wait(10)
    finally:
        scheduler.stop()
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_only_one_process_schedules_and_another_takes_over_when_it_ends(store: Store, tmp_path: Path) -> None:
    pulled = threading.Event()
    with Store.open(f"sqlite:///{tmp_path}/store.db") as other:
        waiting = Scheduler(
            other, {"shop": HOURLY}, lambda _: pulled.set(), jitter=timedelta(), retry=timedelta(seconds=1)
        )
        with store.lock(LOCK):
            waiting.start()
            assert not pulled.wait(1.5)
            assert not waiting.holds
        try:
            assert pulled.wait(10)
            assert waiting.holds
        finally:
            waiting.stop()
    with store.lock(LOCK):
        assert not waiting.holds
