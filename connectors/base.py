"""What the rest of Vendgraph knows of a vendor: an account, a connector, and the roles it plays.

A connector has a role or has not: `isinstance(connector, ReadsSlots)` decides, and nothing raises
"not implemented". Every method may raise any `domain.errors.VendorError`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from connectors.guard import Guard, Limits
from domain.errors import VendorError
from domain.model import (
    Capability,
    Machine,
    MachineEvent,
    Organization,
    Place,
    Product,
    Sale,
    SaleKind,
    Slot,
    UnavailableReason,
    Vendor,
)
from domain.paging import Listing, Slice
from domain.refs import Kind, Ref
from domain.times import Span


class Secret:
    """A credential. It prints as stars wherever it is printed; `reveal()` is for the wire only."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "***"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownMachine:
    """A machine that only the configuration can tell of."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One set of credentials at one vendor. `base_url` has no trailing slash.

    `currency` serves where the vendor tells none; `endpoints` overrides operations: name -> "METHOD /path".
    `online_minutes` is how old a machine's last sign of life may be, None for the vendor's usual."""

    key: str
    organization: str
    vendor: Vendor
    name: str
    base_url: str | None
    currency: str | None
    timezone: str | None
    credentials: Mapping[str, Secret]
    limits: Limits = field(default_factory=Limits)
    endpoints: Mapping[str, str] = field(default_factory=dict)
    machines: Sequence[KnownMachine] = ()
    online_minutes: int | None = None

    @property
    def ref(self) -> Ref:
        return Ref(Kind.ACCOUNT, self.key, "")

    def to(self, kind: Kind, native: object) -> Ref:
        """A reference to something of this account; the vendor's id may come as a number or as text."""
        return Ref(kind, self.key, str(native))


class Connector(Protocol):
    account: Account
    guard: Guard
    capabilities: frozenset[Capability]

    async def sign_in(self) -> None:
        """Proves the credentials with the cheapest call that the vendor has."""
        ...

    def refusal(self, capability: Capability) -> UnavailableReason | None:
        """Why this account may not do what its vendor could, where that is known without asking."""
        ...

    async def aclose(self) -> None: ...


@runtime_checkable
class ReadsMachines(Protocol):
    async def machines(self) -> Listing[Machine]: ...


@runtime_checkable
class ReadsOrganizations(Protocol):
    async def organizations(self) -> Listing[Organization]:
        """The vendor's own; those without a `parent_ref` hang under the tenant's root."""
        ...


@runtime_checkable
class ReadsPlaces(Protocol):
    async def places(self) -> Listing[Place]: ...


@runtime_checkable
class ReadsProducts(Protocol):
    async def products(self) -> Listing[Product]: ...


@runtime_checkable
class ReadsSlots(Protocol):
    """`slots_at_once`: of how many machines one request can tell."""

    slots_at_once: int

    async def slots(self, machines: Sequence[str]) -> Mapping[str, Sequence[Slot] | VendorError]:
        """By native machine id, in the fewest requests; one machine's error is that machine's alone."""
        ...


@runtime_checkable
class ReadsSales(Protocol):
    """`sale_kinds`: all that this vendor records."""

    sale_kinds: frozenset[SaleKind]

    async def sales(self, span: Span, want: int, machines: frozenset[str] | None) -> Slice[Sale]:
        """The newest of the span by `recorded_at`: about `want` of them, or all there are.

        `machines`: native ids, None for all. May return sales of other machines where the vendor cannot filter."""
        ...

    async def sale(self, native: str) -> Sale | None: ...


@runtime_checkable
class ReadsSalesByKind(Protocol):
    """For a vendor that keeps each kind of sale in a list of its own."""

    async def sales_of_kinds(
        self, kinds: frozenset[SaleKind], span: Span, want: int, machines: frozenset[str] | None
    ) -> Slice[Sale]:
        """As `ReadsSales.sales`."""
        ...


@runtime_checkable
class ReadsEvents(Protocol):
    async def events(self, span: Span, want: int, machines: frozenset[str] | None) -> Slice[MachineEvent]:
        """As `ReadsSales.sales`."""
        ...

    async def event(self, native: str) -> MachineEvent | None: ...
