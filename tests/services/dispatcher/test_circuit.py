"""A destination that fails again and again is probed: given what happened, when it may be tried."""

from __future__ import annotations

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from services.dispatcher.rules.circuit import (
    CLOSED,
    FAILURES,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    MOST_KNOWN,
    Circuit,
    Circuits,
    Verdict,
    begun,
    ended,
    pause_of,
    verdict_of,
    wait_of,
)

ALIVE, FAILING, UNKNOWN = Verdict.ALIVE, Verdict.FAILING, Verdict.UNKNOWN


class Destination:
    """Tells a story of attempts, one after the other, and asks at its end."""

    def __init__(self, circuit: Circuit = CLOSED, now: float = 0.0) -> None:
        self.circuit, self.now = circuit, now

    def after(self, *verdicts: Verdict, seconds: float = 0.0) -> Destination:
        """Each of these attempts begins when the one before has ended, and takes `seconds`."""
        circuit, now = self.circuit, self.now
        for verdict in verdicts:
            began, now = now, now + seconds
            circuit = ended(begun(circuit), verdict, began, now, spread=1.0)
        return Destination(circuit, now)

    def later(self, seconds: float) -> Destination:
        return Destination(self.circuit, self.now + seconds)

    @property
    def wait(self) -> float:
        return wait_of(self.circuit, self.now)


OPEN = Destination().after(*[FAILING] * FAILURES)


def test_failures_in_a_row_open_it() -> None:
    assert Destination().after(*[FAILING] * (FAILURES - 1)).wait == 0
    assert OPEN.wait == FIRST_PAUSE


def test_an_answer_starts_the_row_anew() -> None:
    almost = [FAILING] * (FAILURES - 1)
    assert Destination().after(*almost, ALIVE, *almost).wait == 0


def test_what_says_nothing_neither_opens_nor_breaks_the_row() -> None:
    almost = [FAILING] * (FAILURES - 1)
    assert Destination().after(*[UNKNOWN] * 50).circuit == CLOSED
    assert Destination().after(*almost, UNKNOWN, FAILING).wait == FIRST_PAUSE


def test_after_its_pause_one_probe_goes_out() -> None:
    ready = OPEN.later(FIRST_PAUSE)
    assert ready.wait == 0
    probing = Destination(begun(ready.circuit), ready.now)
    assert probing.wait == FIRST_PAUSE
    assert probing.later(1_000).wait == FIRST_PAUSE, "a second one while the first is on the wire"


def test_pauses_double_with_each_failed_probe_up_to_a_bound() -> None:
    pauses, open_ = [], OPEN
    for _ in range(9):
        pauses.append(open_.wait)
        open_ = open_.later(open_.wait).after(FAILING)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_one_answer_closes_it() -> None:
    assert OPEN.later(FIRST_PAUSE).after(ALIVE).circuit == CLOSED


def test_a_probe_that_was_not_sent_leaves_room_for_the_next() -> None:
    assert OPEN.later(FIRST_PAUSE).after(UNKNOWN).wait == 0


def test_what_was_on_the_wire_when_it_opened_does_not_count_against_it() -> None:
    slow = Destination().after(*[FAILING] * FAILURES, seconds=30)
    late = ended(slow.circuit, FAILING, began=slow.now - 30, now=slow.now + 1, spread=1.0)
    assert late == slow.circuit
    assert ended(slow.circuit, ALIVE, began=slow.now - 30, now=slow.now + 1, spread=1.0) == CLOSED


@for_all(probes=st.integers(1, 10_000), spread=st.floats(0.5, 1.0))
def test_a_pause_is_bounded_and_spread(probes: int, spread: float) -> None:
    assert FIRST_PAUSE <= pause_of(probes) <= LONGEST_PAUSE
    circuit = ended(
        Circuit(failures=FAILURES, probes=probes), FAILING, began=5.0, now=5.0, spread=spread
    )
    assert circuit.until - 5.0 == pytest.approx(pause_of(probes + 1) * spread)


@pytest.mark.parametrize(
    ("status", "error", "verdict"),
    [
        *[(status, None, ALIVE) for status in (200, 204, 299)],
        *[(status, "status", ALIVE) for status in (301, 400, 404, 408, 410, 429, 499)],
        *[(status, "status", FAILING) for status in (500, 502, 503, 599)],
        *[(None, error, FAILING) for error in ("connect", "tls", "timeout", "protocol")],
        (None, "blocked", UNKNOWN),
    ],
)
def test_what_a_result_says(status: int | None, error: str | None, verdict: Verdict) -> None:
    assert verdict_of(status, error) is verdict


def fail(circuits: Circuits, account: str, host: str, times: int = FAILURES) -> None:
    for _ in range(times):
        circuits.end(account, host, FAILING, began=0.0, now=0.0, spread=1.0)


def test_each_account_and_host_has_its_own() -> None:
    circuits = Circuits()
    fail(circuits, "a", "x")
    assert circuits.wait_of("a", "x", 0.0) == FIRST_PAUSE
    assert circuits.wait_of("a", "y", 0.0) == circuits.wait_of("b", "x", 0.0) == 0
    assert circuits.open == 1
    circuits.end("a", "x", ALIVE, began=1.0, now=1.0, spread=1.0)
    assert (circuits.wait_of("a", "x", 1.0), circuits.open) == (0, 0)


def test_a_bounded_number_is_known() -> None:
    circuits = Circuits()
    fail(circuits, "a", "first")
    for number in range(MOST_KNOWN - 1):
        fail(circuits, "a", str(number), times=1)
    assert circuits.open == 1
    fail(circuits, "a", "one more", times=1)
    assert circuits.open == 0


def test_a_probe_is_one_of_its_destination() -> None:
    circuits = Circuits()
    fail(circuits, "a", "x")
    assert circuits.wait_of("a", "x", FIRST_PAUSE) == 0
    circuits.begin("a", "x")
    assert circuits.wait_of("a", "x", FIRST_PAUSE) == FIRST_PAUSE
