"""What is said about failures that cannot be made on every machine."""

import errno
import os
from pathlib import Path

import pytest

from deploy.local.failures import of_crashes, of_os_error, of_output

FOLDER = Path("/data")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('initdb: could not write file "/data/x": No space left on device', "is full"),
        ("HINT:  Check free disk space.", "is full"),
        ('could not create directory "/data": Permission denied', "No permission"),
        ('FATAL:  data directory "/data" has wrong ownership', "No permission"),
        ("PANIC:  could not locate a valid checkpoint record at 0/16", "not a usable"),
        ("LOG:  could not bind IPv4 address: Address already in use", "port"),
        ("FATAL:  something else", "something else"),
    ],
)
def test_the_cause_is_read_from_what_postgres_wrote(line: str, problem: str) -> None:
    error = of_output("postgres", ["LOG:  starting", line], FOLDER)
    assert problem in error.problem
    assert error.what_to_do


@pytest.mark.parametrize(
    ("number", "problem"),
    [
        (errno.ENOSPC, "The disk that holds /data is full"),
        (errno.EACCES, "No permission to use /data"),
        (errno.EROFS, "No permission to use /data"),
        (errno.ENOTDIR, "/data cannot be used: Not a directory"),
    ],
)
def test_an_error_of_the_system_is_put_in_words(number: int, problem: str) -> None:
    assert problem in of_os_error(OSError(number, os.strerror(number)), FOLDER).problem


def test_a_full_disk_is_named_when_it_makes_a_process_crash() -> None:
    words = ['PANIC:  could not write to file "pg_wal/xlogtemp.7": No space left on device']
    assert "is full" in of_crashes("postgres", 5, -6, words, FOLDER).problem


def test_a_crash_without_a_known_cause_shows_the_last_lines() -> None:
    error = of_crashes("api", 5, -9, [f"line {n}" for n in range(40)], FOLDER)
    assert "signal SIGKILL" in error.problem
    assert "line 39" in error.problem
    assert "line 3\n" not in error.problem
    assert "the data is kept in /data" in error.what_to_do
