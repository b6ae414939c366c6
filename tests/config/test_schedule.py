"""Schedules are read once, into values that no scheduler has to parse again."""

from datetime import timedelta

import pytest

from watersmeet.config.schedule import Cron, Every, parse_schedule


@pytest.mark.parametrize(
    ("text", "interval", "spelt"),
    [
        ("every 15m", timedelta(minutes=15), "every 15m"),
        ("Every 90s", timedelta(seconds=90), "every 1m30s"),
        ("every 1h 30m", timedelta(minutes=90), "every 1h30m"),
        ("every 1.5d", timedelta(hours=36), "every 1d12h"),
    ],
)
def test_a_distance_is_read_and_spelt(text: str, interval: timedelta, spelt: str):
    schedule = parse_schedule(text)
    assert schedule == Every(interval)
    assert str(schedule) == spelt
    assert parse_schedule(spelt) == schedule


def test_a_line_of_cron_is_spelt_out():
    assert parse_schedule("*/20 8-10,22 * * mon-fri") == Cron(
        "*/20 8-10,22 * * mon-fri",
        minutes=(0, 20, 40),
        hours=(8, 9, 10, 22),
        days=tuple(range(1, 32)),
        months=tuple(range(1, 13)),
        weekdays=("mon", "tue", "wed", "thu", "fri"),
    )


@pytest.mark.parametrize(("word", "weekdays"), [("0", ("sun",)), ("7", ("sun",)), ("5-7", ("sun", "fri", "sat"))])
def test_sunday_is_zero_and_seven(word: str, weekdays: tuple[str, ...]):
    schedule = parse_schedule(f"0 6 * * {word}")
    assert isinstance(schedule, Cron)
    assert schedule.weekdays == weekdays


def test_a_step_from_a_number_runs_to_the_end():
    schedule = parse_schedule("50/4 0 1 jan-mar/2 *")
    assert isinstance(schedule, Cron)
    assert schedule.minutes == (50, 54, 58)
    assert schedule.months == (1, 3)


@pytest.mark.parametrize(
    ("text", "gap"),
    [
        ("every 15m", timedelta(minutes=15)),
        ("0 * * * *", timedelta(hours=1)),
        ("0 6,18 * * *", timedelta(hours=12)),
        ("0 6 * * mon-fri", timedelta(days=3)),
        ("30 4 1 * *", timedelta(days=31)),
        ("0 0 31 * *", timedelta(days=61)),
        ("0 0 29 2 *", timedelta(days=8 * 365 + 1)),
    ],
)
def test_the_longest_gap_tells_when_a_sync_is_missed(text: str, gap: timedelta):
    assert parse_schedule(text).longest_gap == gap


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "neither `every`"),
        ("hourly", "neither `every`"),
        ("* * * *", "neither `every`"),
        ("every", "not a duration"),
        ("every 15", "not a duration"),
        ("every 15x", "not a duration"),
        ("every 0s", "too often"),
        ("every 9999d", "longer than ten years"),
        ("60 * * * *", "minute out of 0-59"),
        ("* 24 * * *", "hour out of 0-23"),
        ("* * 0 * *", "day of the month out of 1-31"),
        ("* * * foo *", "a month that cron does not know"),
        ("* * * * 8", "day of the week out of 0-7"),
        ("5-1 * * * *", "minute out of"),
        ("*/0 * * * *", "minute out of"),
        ("*-5 * * * *", "minute that cron does not know"),
        ("1,,2 * * * *", "minute that cron does not know"),
        ("0 0 1 * mon", "name only one of them"),
        ("0 0 31 feb *", "a day that none of its months has"),
    ],
)
def test_what_cannot_be_is_refused_with_its_part(text: str, reason: str):
    with pytest.raises(ValueError, match=reason):
        parse_schedule(text)
