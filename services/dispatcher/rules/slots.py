"""Who may have how many attempts on the wire at once.

Each account's share shrinks as more accounts are active, and one share always stays free: so a
newcomer starts at once, whatever the others' receivers do.
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
        share = self._share(len(self._accounts))
        most = max((share - count for count in self._accounts.values()), default=share)
        return min(self.free, max(most, 0) + NEWCOMERS)

    def saturated_accounts(self) -> list[str]:
        """Name the accounts that use up their share."""
        share = self._share(len(self._accounts))
        return [account for account, count in self._accounts.items() if count >= share]

    def held_cues(self) -> list[str]:
        """Name the cues that wait for a slot of their destination host."""
        return [cue_id for cues in self._held_cues.values() for cue_id in cues]

    def take(self, account_id: str, host: str, cue_id: str) -> bool:
        """Take a slot, or refuse; a cue whose host is full is held until the host has room."""
        active = len(self._accounts) + (account_id not in self._accounts)
        if self.free <= 0 or self._accounts[account_id] >= self._share(active):
            self._forget_empty(account_id)
            return False
        if self._hosts[host] >= self._per_host:
            self._forget_empty(account_id)
            self._held_cues.setdefault(host, set()).add(cue_id)
            return False
        self._accounts[account_id] += 1
        self._hosts[host] += 1
        return True

    def release(self, account_id: str, host: str) -> None:
        """Give a slot back."""
        self._accounts[account_id] -= 1
        self._forget_empty(account_id)
        self._hosts[host] -= 1
        if not self._hosts[host]:
            del self._hosts[host]
        self._held_cues.pop(host, None)

    def _share(self, active: int) -> int:
        return max(1, min(self._per_account, self._total // (active + 1)))

    def _forget_empty(self, account_id: str) -> None:
        if not self._accounts[account_id]:
            del self._accounts[account_id]
