from __future__ import annotations

import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from uuid import UUID

import pytest

from libs.runtime.clock import read_from
from libs.runtime.ids import (
    drawn_from,
    jittered,
    new_api_key,
    new_cue_id,
    new_span_of,
    new_trace_parent,
    new_uuid,
    new_webhook_secret,
)

FORMS: list[tuple[Callable[[], str], str]] = [
    (new_uuid, r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
    (new_cue_id, r"cue_[a-z0-9]{12}"),
    (new_api_key, r"cue_sk_[0-9a-f]{32}"),
    (new_webhook_secret, r"whsec_[0-9a-f]{64}"),
    (new_trace_parent, r"00-[0-9a-f]{32}-[0-9a-f]{16}-01"),
]


@pytest.mark.parametrize(("make", "form"), FORMS, ids=lambda part: getattr(part, "__name__", ""))
def test_ids_have_their_form_and_never_repeat(make: Callable[[], str], form: str) -> None:
    made = [make() for _ in range(3_000)]
    assert all(re.fullmatch(form, text) for text in made)
    assert len(set(made)) == len(made)


def test_a_uuid_is_a_version_7_with_the_time_in_front() -> None:
    before = int(time.time() * 1000)
    made = UUID(new_uuid())
    after = int(time.time() * 1000)
    assert made.version == 7
    assert before <= made.int >> 80 <= after


def test_uuids_made_later_sort_later_by_the_millisecond() -> None:
    made = [new_uuid() for _ in range(5_000)]
    milliseconds = [text[:13] for text in made]
    assert milliseconds == sorted(milliseconds)


def test_the_random_part_uses_all_its_bits() -> None:
    ones = zeros = 0
    for _ in range(500):
        random_bits = UUID(new_uuid()).int & ((1 << 62) - 1)
        ones |= random_bits
        zeros |= ~random_bits
    assert ones & ((1 << 62) - 1) == (1 << 62) - 1
    assert zeros & ((1 << 62) - 1) == (1 << 62) - 1


def test_threads_never_make_the_same_id() -> None:
    made: list[str] = []

    def make() -> None:
        made.extend([new_uuid()[19:] for _ in range(5_000)])

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=make) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert len(set(made)) == len(made)


def test_a_forked_process_makes_other_ids() -> None:
    program = (
        "import os, sys; from libs.runtime.ids import new_uuid; new_uuid()\n"
        "child = os.fork()\n"
        "sys.stdout.write(new_uuid()[19:] + '\\n'); sys.stdout.flush()\n"
        "child and os.waitpid(child, 0)"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    parent, child = output.stdout.split()
    assert parent != child


def test_a_span_stays_in_its_trace() -> None:
    trace = new_trace_parent()[:-2] + "00"
    span = new_span_of(trace)
    assert span[:36] == trace[:36]
    assert span[36:52] != trace[36:52]
    assert span[-3:] == "-00"
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", new_span_of(None))


def test_jitter_spreads_over_the_upper_half() -> None:
    delays = [jittered(10.0) for _ in range(500)]
    assert all(5.0 <= delay <= 10.0 for delay in delays)
    assert min(delays) < 6.0 < 9.0 < max(delays)


def test_ids_and_jitter_of_one_source_repeat_themselves_and_end_with_its_block() -> None:
    def drawn() -> list[object]:
        with drawn_from(random.Random(7).randbytes), read_from(lambda: 1.7e9, lambda: 0.0):
            return [new_uuid(), new_trace_parent(), jittered(1.0)]

    first = drawn()
    assert first == drawn()
    assert new_uuid() != first[0]
    assert new_uuid()[:8] != str(first[0])[:8]
