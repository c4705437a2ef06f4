"""What a vendor tells by itself: the roles of a connector whose vendor sends webhooks. Pure, one and all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from domain.facts import Fact, Observation
from domain.model import Machine, Product, Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One webhook request as it came. `headers` by lower-case name; `machine` and `token` as its address told them."""

    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    machine: str | None = None
    token: str | None = None


class Forged(Exception):
    """Says why, for the log; the sender is not told."""


class Illegible(Exception):
    """Says why, for the sender."""


@runtime_checkable
class SendsWebhooks(Protocol):
    """What comes to an account's webhook address. Its methods are pure: they ask nobody, and the time is passed in.

    `by_machine`: each machine has an address of its own."""

    by_machine: bool

    def verify(self, delivery: Delivery) -> Any:
        """What was signed, as JSON: that, and never the body, is what to act on. None where nothing can be read.

        Raises Forged, or Illegible."""
        ...

    def facts(self, signed: Any, delivery: Delivery) -> Sequence[Fact]:
        """What it tells; empty for a test. Raises VendorProtocolError where it is genuine and cannot be read."""
        ...

    def address(self, machine: str | None) -> str:
        """What follows `/webhooks/{account}` in the address to enter at the vendor: empty, or `/{machine}/{token}`.

        Raises BadInput where a machine has to be named, or none can be."""
        ...


@runtime_checkable
class BindsAddresses(Protocol):
    """Some of its webhook addresses were made before their machine was known: they are of the first that is told."""

    def binding(self, signed: Any, delivery: Delivery) -> tuple[str, str] | None:
        """Identities of states that `facts` tells, too: that the address is some machine's, and that it is this one's.

        None for an address that tells its machine, and where no machine is named. Pure."""
        ...


@runtime_checkable
class LearnsMachines(Protocol):
    """The vendor has no list of machines: some are known only because they reported something."""

    def learned(self, native: str, name: str | None, seen_at: datetime) -> Machine: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Which tag is of which product, by the product's native id, and what products are called."""

    products: Mapping[str, str]
    names: Mapping[str, str]


@runtime_checkable
class CountsTags(Protocol):
    """The vendor tells stock as tags: what a machine holds, and what left it, is deduced. All of it is pure."""

    def taken(self, observed: Observation, before: frozenset[str] | None, links: Links, now: datetime) -> Fact | None:
        """The sale that a scan proves, where `before` is what the machine held by its last scan; None for no sale."""
        ...

    def moved(self, scan: Fact, before: frozenset[str] | None, links: Links, now: datetime) -> Sequence[Fact]:
        """The movements of stock that a scan proves, where `before` is what the machine held by the one before it."""
        ...

    def stock(self, machine: str, tags: frozenset[str], links: Links, at: datetime) -> Sequence[Slot]: ...

    def catalogue(self, links: Links) -> Sequence[Product]: ...
