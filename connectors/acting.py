"""What a vendor can be told to do: the roles of a connector that takes orders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from connectors.base import Secret
from domain.capabilities import Capability
from domain.commands import Progress
from domain.facts import CommandWord, Fact
from domain.orders import Order
from domain.refs import Ref
from domain.sales import Sale


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorRequest:
    """What is sent for an order: an operation of the vendor's table with all that fills it."""

    operation: str
    path: Mapping[str, str] = field(default_factory=dict)
    body: Any = field(default=None, repr=False)  # it may hold secrets
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The vendor took an order. `done`: and that is all there will be to know; else its words follow by webhook, and
    name it `vendor_id`. `result`: what is worth showing of the answer, less secrets; `subject`: what was made or
    changed; `facts`: what is known by it besides. `told_once`: a secret for whoever asked, which is kept nowhere."""

    done: bool
    vendor_id: str | None = None
    result: Any = None
    subject: Ref | None = None
    facts: Sequence[Fact] = ()
    told_once: Secret | None = None


@runtime_checkable
class TakesOrders(Protocol):
    """For every act among its `capabilities`: reading first what it takes to know, and then one request, sent once."""

    def check(self, order: Order) -> None:
        """Raises BadInput, or Unsupported, for what has no request, whatever the vendor holds. Asks nobody."""
        ...

    async def prepare(self, order: Order) -> VendorRequest:
        """Reads at the most. Raises BadInput where the vendor has no request for such an order."""
        ...

    async def send(self, request: VendorRequest) -> Taken:
        """Never sends it a second time, but for a token that was refused. A VendorError that is `sent` leaves open
        whether it was carried out, but for a VendorRejected or a VendorUnauthorized: then it was not."""
        ...

    def shown(self, request: VendorRequest) -> tuple[str, str, Any]:
        """Method, path and body as they would be sent, less secrets."""
        ...


@runtime_checkable
class TellsProgress(Protocol):
    """The vendor tells by webhook what becomes of an order."""

    def progress(self, kind: Capability, word: CommandWord) -> Progress | None:
        """What a word means for an order of this kind; None for nothing."""
        ...


@runtime_checkable
class SellsOnOrder(Protocol):
    """The vendor's sales show what became of an order."""

    def shows(self, order: Order, sale: Sale) -> bool:
        """Whether the sale is just what the order leads to, at whatever time. Pure."""
        ...


@runtime_checkable
class ReadsBack(Protocol):
    async def fulfilled(self, order: Order) -> Ref | bool | None:
        """Whether the vendor now shows what was ordered, by a reference to what was made where something was; None
        where that cannot be read."""
        ...
