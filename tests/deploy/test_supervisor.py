"""When a crashed process is started again."""

from deploy.local.supervisor import RESTART_WAITS, WINDOW_SECONDS, wait_before_restart


def test_each_restart_within_a_minute_waits_longer() -> None:
    crashes = [100.0 + n for n in range(len(RESTART_WAITS))]
    waits = [wait_before_restart(crashes[: n + 1], crashes[n]) for n in range(len(crashes))]
    assert waits == list(RESTART_WAITS)


def test_the_sixth_crash_within_a_minute_is_given_up() -> None:
    crashes = [100.0 + n for n in range(6)]
    assert wait_before_restart(crashes, crashes[-1]) is None


def test_crashes_of_earlier_minutes_do_not_count() -> None:
    crashes = [100.0 + n for n in range(6)]
    now = crashes[-1] + WINDOW_SECONDS
    assert wait_before_restart([*crashes, now], now) == RESTART_WAITS[0]
