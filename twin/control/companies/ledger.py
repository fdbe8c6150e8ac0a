"""The money of one policy: budget in, ordered, received, balance; nobody twice, never more than there is.

Amounts are kept in whole fen (0.01 CNY), so that money in = money out + balance holds exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, field


def fen(amount_cny: float) -> int:
    """Return an amount in fen."""
    return round(amount_cny * 100)


@dataclass
class Ledger:
    """One policy's account. ``period_days`` 0: a company is paid once and never again."""

    period_days: int
    budget: int = 0
    received: int = 0
    pending: dict[tuple[str, int], int] = field(default_factory=dict)  # (batch, company) → fen
    ordered: int = 0  # sum of what is pending
    _paid_day: dict[int, int] = field(default_factory=dict)  # company → day of the last order that stands

    @property
    def balance(self) -> int:
        """What can still be ordered, fen."""
        return self.budget - self.received - self.ordered

    def may(self, company: int, day: int) -> bool:
        """Say whether a company may be paid on a day: not in its period yet, nothing on its way."""
        last = self._paid_day.get(company)
        return last is None or (self.period_days > 0 and day - last >= self.period_days)

    def order(self, batch: str, company: int, amount: int, day: int) -> None:
        """Set money aside for a company. ValueError: there is not enough, or it was paid already."""
        if amount > self.balance:
            raise ValueError(f"{amount} fen ordered, {self.balance} are left")
        if not self.may(company, day):
            raise ValueError(f"company {company} was paid on day {self._paid_day[company]}")
        self.pending[batch, company] = amount
        self.ordered += amount
        self._paid_day[company] = day

    def told(self, batch: str, company: int, paid: bool) -> None:
        """Take what the bank says; said again, or of what was not ordered, it has no effect."""
        amount = self.pending.pop((batch, company), None)
        if amount is None:
            return
        self.ordered -= amount
        if paid:
            self.received += amount
        else:
            del self._paid_day[company]
