"""Exact money. A currency is an ISO 4217 code in capitals; an amount is in its major unit."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Money:
    amount: Decimal
    currency: str


def from_cents(cents: int, currency: str) -> Money:
    """Hundredths of the major unit, whatever the currency: that is how the vendors count them."""
    return Money(Decimal(cents).scaleb(-2), currency)
