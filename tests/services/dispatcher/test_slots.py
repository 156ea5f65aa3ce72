"""One account cannot slow another (design §2 rule 12): who gets how many attempts on the wire."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.dispatcher.rules.slots import NEWCOMERS, Slots

HOST = "agent.example:443"


def saturate(slots: Slots, account: str, host: str | None = None) -> int:
    """Take all that an account can have, as if its receiver hung; give how many that were."""
    taken = 0
    while slots.take(account, host or account, f"cue of {account}"):
        taken += 1
    return taken


def test_one_account_alone_leaves_half() -> None:
    slots = Slots(total=512, per_account=512, per_host=512)
    assert saturate(slots, "a") == 256
    assert (slots.taken, slots.free) == (256, 256)
    assert slots.saturated_accounts() == ["a"]


def test_an_account_has_its_bound_however_much_is_free() -> None:
    slots = Slots(total=512, per_account=7, per_host=512)
    assert saturate(slots, "a") == 7


@pytest.mark.parametrize("total", [2, 3, 10, 64, 512, 1_000])
def test_a_newcomer_gets_a_slot_while_others_saturate(total: int) -> None:
    slots = Slots(total=total, per_account=total, per_host=total)
    for number in range(math.isqrt(total)):
        assert saturate(slots, f"account {number}") >= 1
        assert slots.free >= 1


def test_hanging_accounts_leave_room_to_those_that_answer() -> None:
    slots = Slots(total=512, per_account=256, per_host=512)
    for number in range(10):
        saturate(slots, f"hanging {number}")
    assert all(slots.take(f"quick {number}", HOST, "cue") for number in range(20))


def test_a_newcomer_may_have_several() -> None:
    slots = Slots(total=512, per_account=512, per_host=512)
    assert [saturate(slots, account) for account in "abcd"] == [256, 86, 42, 26]


def test_those_that_answer_share_evenly_again() -> None:
    slots = Slots(total=90, per_account=90, per_host=90)
    held = {account: saturate(slots, account) for account in "ab"}
    for _ in range(200):
        for account in "ab":
            slots.release(account, account)
            held[account] += saturate(slots, account) - 1
    assert held == {"a": 30, "b": 30}
    assert slots.free == 30


def test_release_restores_what_was_taken() -> None:
    slots = Slots(total=10, per_account=10, per_host=10)
    for _ in range(saturate(slots, "a")):
        slots.release("a", "a")
    assert (slots.taken, slots.free, slots.saturated_accounts()) == (0, 10, [])
    assert saturate(slots, "b") == 5


def test_a_full_host_holds_the_cue_that_waits_for_it() -> None:
    slots = Slots(total=100, per_account=100, per_host=2)
    assert slots.take("a", HOST, "cue 1")
    assert slots.take("b", HOST, "cue 2")
    assert not slots.take("a", HOST, "cue 3")
    assert not slots.take("c", HOST, "cue 4")
    assert sorted(slots.held_cues()) == ["cue 3", "cue 4"]
    assert slots.take("a", "another.example:443", "cue 5")
    slots.release("b", HOST)
    assert slots.held_cues() == []
    assert slots.take("c", HOST, "cue 4")


def test_a_refused_account_is_not_counted_as_active() -> None:
    slots = Slots(total=4, per_account=4, per_host=1)
    assert slots.take("a", HOST, "cue 1")
    assert not slots.take("b", HOST, "cue 2")
    assert saturate(slots, "a", "another.example:443") == 1


def test_no_more_is_looked_at_than_can_start() -> None:
    slots = Slots(total=512, per_account=256, per_host=512)
    assert slots.room == 256 + NEWCOMERS
    saturate(slots, "a")
    assert slots.room == NEWCOMERS
    slots.release("a", "a")
    assert slots.room == 1 + NEWCOMERS
    few = Slots(total=3, per_account=3, per_host=3)
    assert few.room == 3
    for account in "abc":
        assert few.take(account, account, "cue")
    assert few.room == 0


class SlotsMachine(RuleBasedStateMachine):
    """Accounts come, hang and answer in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.total, self.per_account, self.per_host = 12, 5, 4
        self.slots = Slots(self.total, self.per_account, self.per_host)
        self.held: list[tuple[str, str]] = []

    @rule(account=st.sampled_from("abcdefgh"), host=st.sampled_from("xyz"))
    def take(self, account: str, host: str) -> None:
        of_account = Counter(name for name, _ in self.held)[account]
        of_host = Counter(name for _, name in self.held)[host]
        saturated = account in self.slots.saturated_accounts()
        free = self.slots.free
        taken = self.slots.take(account, host, f"{account}{host}")
        assert taken == (free > 0 and not saturated and of_host < self.per_host)
        if taken:
            self.held.append((account, host))
        if free and not of_account and of_host < self.per_host:
            assert taken, "a newcomer waits though a slot is free"
        if taken and of_account:
            assert self.slots.free >= 1, "an account took what a newcomer would need"

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        account, host = data.draw(st.sampled_from(self.held))
        self.held.remove((account, host))
        self.slots.release(account, host)

    @invariant()
    def no_bound_is_exceeded(self) -> None:
        assert self.slots.taken == len(self.held) <= self.total
        assert self.slots.free == self.total - len(self.held)
        for account, count in Counter(name for name, _ in self.held).items():
            assert count <= self.per_account
            if count >= self.per_account:
                assert account in self.slots.saturated_accounts()
        assert all(n <= self.per_host for n in Counter(h for _, h in self.held).values())

    @invariant()
    def a_cue_is_held_only_while_its_host_is_full(self) -> None:
        hosts = Counter(host for _, host in self.held)
        assert all(hosts[cue[1]] == self.per_host for cue in self.slots.held_cues())

    @invariant()
    def room_is_what_is_left(self) -> None:
        assert min(self.slots.free, 1) <= self.slots.room <= self.slots.free


SlotsMachine.TestCase.settings = hypothesis_settings(
    max_examples=50, stateful_step_count=40, deadline=None
)
TestSlotsMachine = SlotsMachine.TestCase
