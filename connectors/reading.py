"""What a vendor can be asked: the roles of a connector that reads. Every method may raise any
`domain.errors.VendorError`."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from domain.details import Ingredient, Language, MachineCash, MachineConfig, MachineSession, ProductLine, TaxRate
from domain.errors import VendorError
from domain.model import Machine, MachineEvent, Organization, Place, Product, Slot
from domain.paging import Listing, Slice
from domain.people import EntitlementGroup, OrganizationUnit, PersonRecord
from domain.promotions import PromoCode
from domain.sales import Sale, SaleKind
from domain.stock import CashCollection, MovementKind, StockMovement
from domain.temperatures import Readings
from domain.times import Span


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
    """`movement_kinds`: all that this vendor records."""

    movement_kinds: frozenset[MovementKind]

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
class ReadsTemperatures(Protocol):
    async def temperatures(self, machine: str, span: Span) -> Readings:
        """What one machine measured. `machine`: its native id. May return readings from outside of the span."""
        ...


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


@runtime_checkable
class Translates(Protocol):
    async def translated(self, event: MachineEvent, language: Language) -> str | None:
        """The text of an event; None where there is none, or it cannot be read in time."""
        ...
