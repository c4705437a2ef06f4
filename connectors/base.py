"""What the rest of Vendgraph knows of a vendor: an account, a connector, and the roles it plays.

A connector has a role or has not: `isinstance(connector, ReadsSlots)` decides, and nothing raises
"not implemented". Every method may raise any `domain.errors.VendorError`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Protocol, runtime_checkable

from connectors.guard import Guard, Limits, Rate
from connectors.shared import Shared
from domain.commands import Progress
from domain.details import Ingredient, Language, MachineCash, MachineConfig, MachineSession, ProductLine, TaxRate
from domain.errors import VendorError
from domain.facts import CommandWord, Fact, Observation
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
from domain.orders import Order
from domain.paging import Listing, Slice
from domain.people import EntitlementGroup, OrganizationUnit, PersonRecord
from domain.promotions import PromoCode
from domain.refs import Kind, Ref
from domain.stock import CashCollection, StockMovement
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
class WebhookCredentials:
    """Each of `keys` is good: while they are rotated there are two, the newer one first. What a key is depends on the
    vendor.

    `tolerance`: seconds by which a signed time may be off, either way. Where the vendor's documents leave open what
    is signed and how: `recipe` is a text with `{t}` and `{body}`, and by `encoding` the key is the whole text, or what
    is written in base64 after the vendor's prefix."""

    keys: Sequence[Secret]
    tolerance: float = 300.0
    recipe: str | None = None
    encoding: Literal["text", "base64"] = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One set of credentials at one vendor. `base_url` has no trailing slash.

    `currency` serves where the vendor tells none; `endpoints` overrides operations: name -> "METHOD /path".
    `online_minutes` is how old a machine's last sign of life may be, None for the vendor's usual.
    `webhook` is None where no webhooks are set up, `shared` for a gateway that is alone. `prices`, by a product's
    native id or its name, in `currency`, serve where the vendor knows none. `command_seconds`: how long a command may
    be without a final word before it is UNKNOWN. `members`: names of members that the vendor's documents have lost, by
    what they hold. `webhooks_url`: where the vendor reaches the account's webhooks, None where it cannot."""

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
    webhook: WebhookCredentials | None = None
    shared: Shared | None = None
    prices: Mapping[str, Decimal] = field(default_factory=dict)
    command_seconds: float = 120.0
    members: Mapping[str, str] = field(default_factory=dict)
    webhooks_url: str | None = None

    @property
    def ref(self) -> Ref:
        return Ref(Kind.ACCOUNT, self.key, "")

    def guarded(self, rates: Sequence[Rate] = ()) -> Guard:
        """A guard for its requests; `rates` are those that the vendor documents."""
        return Guard(account=self.key, vendor=self.vendor.value, limits=self.limits, rates=rates, shared=self.shared)

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
class ReadsPeople(Protocol):
    async def people(self) -> Listing[PersonRecord]: ...

    async def person(self, native: str) -> PersonRecord | None: ...


@runtime_checkable
class ReadsStructure(Protocol):
    """How an organization divides its people, and what they may take. A unit's native id tells its kind, too."""

    async def units(self) -> Listing[OrganizationUnit]: ...

    async def unit(self, native: str) -> OrganizationUnit | None: ...

    async def groups(self) -> Listing[EntitlementGroup]: ...

    async def group(self, native: str) -> EntitlementGroup | None: ...


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


@runtime_checkable
class ReadsMovements(Protocol):
    async def movements(self, span: Span, want: int, machines: frozenset[str] | None) -> Slice[StockMovement]:
        """As `ReadsSales.sales`."""
        ...

    async def movement(self, native: str) -> StockMovement | None: ...


@runtime_checkable
class ReadsCollections(Protocol):
    async def collections(self, span: Span, want: int, machines: frozenset[str] | None) -> Slice[CashCollection]:
        """As `ReadsSales.sales`."""
        ...

    async def collection(self, native: str) -> CashCollection | None: ...


@runtime_checkable
class ReadsSession(Protocol):
    async def session(self, machine: str) -> MachineSession | None:
        """The one that is under way, or the last one; None where there was none lately."""
        ...


@runtime_checkable
class ReadsCash(Protocol):
    async def cash(self, machine: str) -> MachineCash: ...


@runtime_checkable
class ReadsConfig(Protocol):
    async def config(self, machine: str) -> MachineConfig: ...


@runtime_checkable
class Translates(Protocol):
    async def translated(self, event: MachineEvent, language: Language) -> str | None:
        """The text of an event; None where there is none, or it cannot be read in time."""
        ...


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
class WarmsUp(Protocol):
    """Its webhooks are told in words that have to be asked for: better before the first one comes."""

    async def warm_up(self) -> None:
        """Asks for what is lacking or old. It is called again and again, and costs nothing where all is there."""
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


@runtime_checkable
class ReadsTaxRates(Protocol):
    async def tax_rates(self, organization: str) -> Sequence[TaxRate]: ...


@runtime_checkable
class ReadsProductLines(Protocol):
    async def product_lines(self, organization: str) -> Sequence[ProductLine]: ...


@runtime_checkable
class ReadsIngredients(Protocol):
    async def ingredients(self, machine: str) -> Sequence[Ingredient]: ...


@runtime_checkable
class ReadsPromoCodes(Protocol):
    async def promo_code(self, code: str) -> PromoCode | None: ...
