"""Who may have how many attempts on the wire at once.

Each account's share shrinks as more accounts are active. Its first slot an account gets while any
is free; any other only while more than a share stays free. So a newcomer starts at once, whatever
the others' receivers do.
"""

from __future__ import annotations

from collections import Counter

NEWCOMERS = 32


class Slots:
    """Counts attempts on the wire in all, by account and by destination host."""

    def __init__(self, total: int, per_account: int, per_host: int) -> None:
        self._total = total
        self._per_account = per_account
        self._per_host = per_host
        self._accounts: Counter[str] = Counter()
        self._hosts: Counter[str] = Counter()
        self._held_cues: dict[str, set[str]] = {}

    @property
    def taken(self) -> int:
        """How many attempts are on the wire."""
        return self._accounts.total()

    @property
    def free(self) -> int:
        """How many more may start."""
        return self._total - self.taken

    @property
    def room(self) -> int:
        """How many due executions are worth looking at: what one account may start, and some."""
        share, fewest = self._share(), min(self._accounts.values(), default=0)
        most = min(share - fewest, self.free - share)
        return min(self.free, max(most, 0) + NEWCOMERS)

    def saturated_accounts(self) -> list[str]:
        """Name the accounts that may have no other slot now."""
        return [account for account in self._accounts if not self._may_have_another(account)]

    def held_cues(self) -> list[str]:
        """Name the cues that wait for a slot of their destination host."""
        return [cue_id for cues in self._held_cues.values() for cue_id in cues]

    def take(self, account_id: str, host: str, cue_id: str) -> bool:
        """Take a slot, or refuse; a cue whose host is full is held until the host has room."""
        if self.free <= 0 or not self._may_have_another(account_id):
            return False
        if self._hosts[host] >= self._per_host:
            self._held_cues.setdefault(host, set()).add(cue_id)
            return False
        self._accounts[account_id] += 1
        self._hosts[host] += 1
        return True

    def release(self, account_id: str, host: str) -> None:
        """Give a slot back."""
        for counts, key in ((self._accounts, account_id), (self._hosts, host)):
            counts[key] -= 1
            if not counts[key]:
                del counts[key]
        self._held_cues.pop(host, None)

    def _may_have_another(self, account_id: str) -> bool:
        count, share = self._accounts[account_id], self._share()
        return not count or (count < share and self.free > share)

    def _share(self) -> int:
        active = max(1, len(self._accounts))
        return max(1, min(self._per_account, self._total // (active + 1)))
