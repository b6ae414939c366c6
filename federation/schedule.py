"""When each source is pulled, and that only one process of a store decides it."""
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# (APScheduler 3 ships no types; it is named in this module only.)

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from ..config.schedule import Cron, Every
from .clock import Clock, utcnow
from .errors import AlreadyRunning, StoreUnavailable
from .store import Store
from .store.lock import Held

LOCK = "scheduler"
_log = structlog.get_logger(__name__)


def trigger(schedule: Every | Cron, jitter: timedelta = timedelta()) -> BaseTrigger:
    """The same schedule in APScheduler's words."""
    seconds = int(jitter.total_seconds())
    match schedule:
        case Every(interval):
            return IntervalTrigger(seconds=int(interval.total_seconds()), timezone=UTC, jitter=seconds)
        case Cron():
            return CronTrigger(
                month=_listed(schedule.months),
                day=_listed(schedule.days),
                day_of_week=",".join(schedule.weekdays),
                hour=_listed(schedule.hours),
                minute=_listed(schedule.minutes),
                timezone=UTC,
                jitter=seconds,
            )


def next_after(schedule: Every | Cron, began_at: datetime) -> datetime:
    """The first time to pull after a pull that began at `began_at`."""
    fires: datetime | None = trigger(schedule).get_next_fire_time(began_at, began_at)
    assert fires is not None, f"{schedule} never comes, which config refuses"
    return fires


def _listed(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))


class Scheduler:
    """Starts the pulls of a store's sources when they are due, as long as no other process does."""

    def __init__(
        self,
        store: Store,
        schedules: Mapping[str, Every | Cron],
        run: Callable[[str], object],
        *,
        clock: Clock = utcnow,
        jitter: timedelta = timedelta(seconds=10),
        retry: timedelta = timedelta(seconds=30),
        at_once: int = 4,
    ) -> None:
        """`schedules` by source id; `run` pulls one source and returns when that has ended; `at_once` run abreast."""
        self._store = store
        self._schedules = dict(schedules)
        self._run = run
        self._clock = clock
        self._jitter = jitter
        self._retry = retry
        self._held = ExitStack()
        self._holds = False
        self._lock: Held | None = None
        self._jobs = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(at_once), "claim": ThreadPoolExecutor(1)},
            # However many were missed, one run makes up for them; never two of one source.
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    @property
    def holds(self) -> bool:
        """Whether it is this process that schedules."""
        return self._holds

    def start(self) -> None:
        """Begin to schedule, or wait until the process that does so now has gone."""
        self._jobs.start()
        self._jobs.add_job(
            self._claim,
            IntervalTrigger(seconds=max(1, int(self._retry.total_seconds())), timezone=UTC),
            id=LOCK,
            executor="claim",
            next_run_time=datetime.now(UTC),
        )

    def stop(self) -> None:
        """Schedule nothing more; pulls that run go on until whoever runs them stops them."""
        self._jobs.shutdown(wait=False)
        self._held.close()
        self._holds, self._lock = False, None

    def next_run(self, source_id: str) -> datetime | None:
        """When a source is due; None without a schedule. Whichever process schedules, the answer is the same."""
        schedule = self._schedules.get(source_id)
        return None if schedule is None else self._due(source_id, schedule)

    def _due(self, source_id: str, schedule: Every | Cron) -> datetime:
        """At once if it never ran or a time was missed, else at the next time."""
        now = self._clock()
        last = next(iter(self._store.journal.syncs(source_id, first=1)), None)
        return now if last is None else max(now, next_after(schedule, last.started_at or last.queued_at))

    def _claim(self) -> None:
        """Take the lock, or see whether it is still ours: PostgreSQL's goes with the connection that took it."""
        try:
            if self._lock is None:
                self._lock = self._held.enter_context(self._store.lock(LOCK))
                self._begin()
            else:
                self._lock.check()
        except AlreadyRunning:
            _log.debug("another process schedules")
        except StoreUnavailable as error:
            _log.warning("nothing is scheduled until the store answers", reason=str(error))
            self._end()

    def _begin(self) -> None:
        self._holds = True
        for source_id, schedule in self._schedules.items():
            self._jobs.add_job(
                self._fire,
                trigger(schedule, self._jitter),
                args=[source_id],
                id=f"sync/{source_id}",
                next_run_time=self._due(source_id, schedule),
                replace_existing=True,
            )

    def _end(self) -> None:
        """Leave it to whoever takes the lock next."""
        self._holds, self._lock = False, None
        self._held.close()
        for job in self._jobs.get_jobs():
            if job.id != LOCK:
                job.remove()

    def _fire(self, source_id: str) -> None:
        try:
            self._run(source_id)
        except AlreadyRunning:
            _log.info("not pulled: a sync of it is running", source=source_id)
        except StoreUnavailable as error:
            _log.warning("not pulled: the store does not answer", source=source_id, reason=str(error))
