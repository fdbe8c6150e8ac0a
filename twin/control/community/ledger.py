"""Neighbour points 邻里积分 (F31): an append-only ledger; nothing is paid twice, nobody can spend what he has not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One line of the ledger, for good. ``reason`` (a report or a wish) and ``rule`` are its idempotency key."""

    account: int
    reason: str
    rule: str
    points: int
    balance: int


class Ledger:
    """Entries are only appended; a balance is the sum of an account's entries."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._keys: set[tuple[str, str]] = set()
        self._balance: dict[int, int] = {}

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries, the oldest first."""
        return tuple(self._entries)

    def balance(self, account: int) -> int:
        """Return the points of an account."""
        return self._balance.get(account, 0)

    def book(self, account: int, reason: str, rule: str, points: int) -> Entry | None:
        """Append an entry and return it; None: it is there already, it is nothing, or it would overdraw the account."""
        key = (reason, rule)
        after = self.balance(account) + points
        if key in self._keys or points == 0 or after < 0:
            return None
        self._keys.add(key)
        self._balance[account] = after
        entry = Entry(account, reason, rule, points, after)
        self._entries.append(entry)
        return entry
