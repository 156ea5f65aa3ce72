"""How a destination that fails again and again is slowed down. Pure.

A destination is one account's host. After `FAILURES` in a row its circuit is open: attempts wait,
and only a probe is made, one at a time, after pauses that grow to `LONGEST_PAUSE`. The first answer
that says that somebody is there closes it. Nothing is dropped: what waits is put off for a bounded
time (`decider.attempts.postpone_attempt`), and uses up no attempt meanwhile.
"""

from __future__ import annotations

from enum import Enum
from typing import assert_never

from msgspec.structs import replace

from libs.events.base import Value

FAILURES = 10
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0

MOST_KNOWN = 10_000

_TRANSPORT = ("connect", "tls", "timeout", "protocol")


class Verdict(Enum):
    """What an attempt's result says of its destination."""

    ALIVE = "alive"
    FAILING = "failing"
    UNKNOWN = "unknown"


class Circuit(Value):
    """How a destination does; times are monotonic seconds.

    `probes` is how many pauses there have been, 0 while it is closed. The last one began at `since`
    and ends at `until`; `probing` says that a probe is on the wire.
    """

    failures: int = 0
    probes: int = 0
    since: float = 0.0
    until: float = 0.0
    probing: bool = False


CLOSED = Circuit()


def verdict_of(http_status: int | None, error: str | None) -> Verdict:
    """Judge a destination by its answer's status, or without one by the class of the failure.

    An answer under 500 shows that it works. An address that is blocked was not dialed, so nothing
    is known of it.
    """
    if http_status is not None:
        return Verdict.FAILING if http_status >= 500 else Verdict.ALIVE
    return Verdict.FAILING if error in _TRANSPORT else Verdict.UNKNOWN


def wait_of(circuit: Circuit, now: float) -> float:
    """Seconds for which an attempt must wait; 0 when it may be made, as a probe if it is open.

    While a probe is on the wire that is a whole pause: its result may come at any moment.
    """
    if not circuit.probes:
        return 0.0
    return pause_of(circuit.probes) if circuit.probing else max(0.0, circuit.until - now)


def pause_of(probes: int) -> float:
    """Seconds between a failure and the next probe, after so many pauses."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(probes - 1, 16))


def begun(circuit: Circuit) -> Circuit:
    """An attempt is on its way; in an open circuit it is the probe."""
    return replace(circuit, probing=True) if circuit.probes else circuit


def ended(circuit: Circuit, verdict: Verdict, began: float, now: float, spread: float) -> Circuit:
    """Take in a result of an attempt that `began` then; `spread` (0.5 to 1) shortens the pause.

    What was on the wire when the circuit opened tells nothing new when it fails.
    """
    match verdict:
        case Verdict.ALIVE:
            return CLOSED
        case Verdict.UNKNOWN:
            return replace(circuit, probing=False)
        case Verdict.FAILING:
            if circuit.probes and began < circuit.since:
                return circuit
            return _failed(circuit, now, spread)
        case _:
            assert_never(verdict)


def _failed(circuit: Circuit, now: float, spread: float) -> Circuit:
    failures = circuit.failures + 1
    if failures < FAILURES:
        return replace(circuit, failures=failures)
    probes = circuit.probes + 1
    until = now + pause_of(probes) * spread
    return Circuit(failures=failures, probes=probes, since=now, until=until)


class Circuits:
    """The circuits of the destinations that one process knows to fail, at most `MOST_KNOWN`.

    The one that has been longest without news is forgotten first, which closes it. Replicas learn
    for themselves: with n of them there are at most n probes at once.
    """

    def __init__(self) -> None:
        self._circuits: dict[tuple[str, str], Circuit] = {}

    @property
    def open(self) -> int:
        """How many destinations are being slowed down."""
        return sum(1 for circuit in self._circuits.values() if circuit.probes)

    def wait_of(self, account_id: str, host: str, now: float) -> float:
        """Seconds for which an attempt must wait; 0 when it may be made."""
        return wait_of(self._circuits.get((account_id, host), CLOSED), now)

    def begin(self, account_id: str, host: str) -> None:
        """An attempt is on its way."""
        self._keep(account_id, host, begun(self._circuits.get((account_id, host), CLOSED)))

    def end(
        self, account_id: str, host: str, verdict: Verdict, began: float, now: float, spread: float
    ) -> None:
        """Take in what an attempt that `began` then says of its destination."""
        known = self._circuits.get((account_id, host), CLOSED)
        self._keep(account_id, host, ended(known, verdict, began, now, spread))

    def _keep(self, account_id: str, host: str, circuit: Circuit) -> None:
        self._circuits.pop((account_id, host), None)
        if circuit == CLOSED:
            return
        if len(self._circuits) >= MOST_KNOWN:
            del self._circuits[next(iter(self._circuits))]
        self._circuits[account_id, host] = circuit
