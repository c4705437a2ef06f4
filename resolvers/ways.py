"""How what callers ask for becomes orders: what all ways have in common."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from domain.capabilities import Capability
from domain.errors import BadInput
from domain.model import Machine
from domain.money import Money
from domain.orders import Order
from domain.refs import Kind, Ref
from resolvers.context import Context
from resolvers.sources import Source

LONGEST_TEXT = 255
LARGEST_AMOUNT = Decimal(10_000_000)


@dataclass(frozen=True, slots=True)
class Asking:
    """What an order is made in. `machine` is there where one is meant, `amount` where the way tells of one."""

    context: Context
    kind: Capability
    source: Source
    machine: Machine | None
    amount: Money | None

    @property
    def native(self) -> str:
        assert self.machine is not None
        return self.machine.ref.native


@dataclass(frozen=True, slots=True)
class Way:
    """How an input becomes an order. `target` finds what is meant, which is called `what`.

    `amount` and `check` raise BadInput, or NotFound for another's, before a vendor is asked for anything: `check` sees
    what its parts are to one another."""

    what: str
    target: Callable[[Any], Ref | None]
    order: Callable[[Asking, Any], Awaitable[Order]]
    amount: Callable[[Source, Any], Money | None] = lambda *_: None
    check: Callable[[Context, Source, Any], None] = lambda *_: None


def of(kind: Kind, field: str) -> Callable[[Any], Ref | None]:
    """What an id of this kind stands for."""

    def target(given: Any) -> Ref | None:
        ref = Ref.parse(getattr(given, field))
        return ref if ref is not None and ref.kind is kind else None

    return target


def money(source: Source, amount: Decimal, currency: str | None, field: str, *, least: Decimal) -> Money:
    """Exact, in the account's currency, and nothing below its hundredth. Raises BadInput."""
    own = source.account.currency
    if own is None and currency is None:
        raise BadInput("the account has no currency in the configuration: name one", "input", "currency")
    if currency is not None and own is not None and currency != own:
        raise BadInput(f"the account's currency is {own}, and {currency:.20} is another", "input", "currency")
    if not amount.is_finite() or not least <= amount < LARGEST_AMOUNT:
        raise BadInput(f"an amount from {least} to {LARGEST_AMOUNT} is expected", "input", field)
    exact = amount.quantize(Decimal("0.01"))
    if exact != amount:
        raise BadInput("it has more than two decimal places", "input", field)
    return Money(exact, own or currency or "")


def short(text: str, field: str) -> str:
    """Raises BadInput."""
    if not 1 <= len(text) <= LONGEST_TEXT:
        raise BadInput(f"a text of 1 to {LONGEST_TEXT} characters is expected", "input", field)
    return text
