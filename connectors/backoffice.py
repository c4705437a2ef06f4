"""Roles of a connector whose vendor tells more than of machines and what they sell. Every method may raise any
`domain.errors.VendorError`."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from domain.backoffice import (
    CustomerAccount,
    EventType,
    ProductCount,
    SaleMetadata,
    ServiceSession,
    ServiceSessionEvent,
)
from domain.errors import VendorError
from domain.model import Connectivity
from domain.terminals import MachineTerminal
from domain.times import Span


@runtime_checkable
class ReadsEventTypes(Protocol):
    async def event_types(self) -> Sequence[EventType]: ...


@runtime_checkable
class ReadsConnectivity(Protocol):
    async def connectivity(self, machine: str) -> Connectivity:
        """As it is at this moment, by a request of its own."""
        ...


@runtime_checkable
class ReadsTerminal(Protocol):
    async def terminal(self, machine: str) -> MachineTerminal: ...


@runtime_checkable
class ReadsSaleMetadata(Protocol):
    """`metadata_at_once`: of how many sales one request can tell."""

    metadata_at_once: int

    async def sale_metadata(self, sales: Sequence[str]) -> Mapping[str, SaleMetadata | VendorError]:
        """By native id. One of which nothing is kept has neither tags nor files."""
        ...


@runtime_checkable
class ReadsCustomerAccounts(Protocol):
    async def customer_accounts(self) -> Sequence[CustomerAccount]: ...


@runtime_checkable
class CountsProducts(Protocol):
    async def products_sold(self, span: Span) -> Sequence[ProductCount]:
        """How many were handed out in a span, as the vendor counts them."""
        ...


@runtime_checkable
class ReadsServiceSessions(Protocol):
    async def service_sessions(self, span: Span) -> Sequence[ServiceSession]:
        """Those that began in the span, newest first."""
        ...

    async def service_session_events(self, session: str) -> Sequence[ServiceSessionEvent]:
        """Oldest first."""
        ...
