"""One account of one vendor as the resolvers see it: its connector, with what it told us kept above it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from connectors.base import (
    Account,
    Connector,
    ReadsEvents,
    ReadsMachines,
    ReadsOrganizations,
    ReadsPlaces,
    ReadsProducts,
    ReadsSales,
    ReadsSlots,
)
from domain.errors import VendorError, VendorUnavailable
from domain.model import (
    AccountStatus,
    Capability,
    Connectivity,
    Machine,
    MachineEvent,
    RateLimit,
    Sale,
    Slot,
    UnavailableReason,
    Vendor,
)
from domain.paging import Listing
from domain.refs import Ref
from resolvers.cache import Cache, Cached
from resolvers.timeline import Timeline

T = TypeVar("T", bound="HasRef")

HISTORY = timedelta(days=731)
SLOTTED_MACHINES = 20_000  # how many machines' slots an account may keep
ACTS = frozenset(Capability) - {
    Capability.SLOTS,
    Capability.STOCK_COUNTS,
    Capability.SALES,
    Capability.EVENTS,
    Capability.WEBHOOKS,
    Capability.TEMPERATURE,
    Capability.DOOR,
}  # what needs the machine to be online


class HasRef(Protocol):
    @property
    def ref(self) -> Ref: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheTimes:
    """Seconds that what was told counts as fresh. A machine carries its state, so the shorter of the two counts."""

    machines: float = 60.0
    slots: float = 30.0
    products: float = 300.0
    state: float = 30.0
    sales: float = 10.0


@dataclass(frozen=True, slots=True)
class Indexed(Generic[T]):
    """A whole list, and where to find each of its things by native id."""

    items: Sequence[T]
    complete: bool
    growing: bool
    by_native: Mapping[str, T]

    @classmethod
    def of(cls, listing: Listing[T]) -> "Indexed[T]":
        return cls(listing.items, listing.complete, listing.growing, {item.ref.native: item for item in listing.items})


class Whole(Generic[T]):
    """A list that is always read whole."""

    def __init__(self, read: Callable[[], Awaitable[Listing[T]]], cache: "Cache[str, Indexed[T]]") -> None:
        self._read = read
        self.cache = cache

    async def get(self, timeout: float) -> Cached[Indexed[T]]:  # noqa: ASYNC109  see Cache
        """What is still growing is asked for again the next time."""
        found = await self.cache.get("", self._load, timeout)
        if found.value.growing:
            self.forget()
        return found

    def peek(self) -> Indexed[T] | None:
        return self.cache.peek("")

    def forget(self) -> None:
        self.cache.forget("")

    async def _load(self) -> Indexed[T]:
        return Indexed.of(await self._read())


class Source:
    """Lists are None where the vendor has none of the kind. What GraphQL shows of an account stands here too."""

    def __init__(self, connector: Connector, times: CacheTimes) -> None:
        self.connector = connector
        self.account: Account = connector.account
        self.ref = self.account.ref
        self.key = self.account.key
        self.vendor: Vendor = self.account.vendor
        self.organization_key = self.account.organization
        self.webhook = None
        has = connector
        state = min(times.machines, times.state)
        self.machines = self._whole(has.machines, state) if isinstance(has, ReadsMachines) else None
        self.organizations = (
            self._whole(has.organizations, times.products) if isinstance(has, ReadsOrganizations) else None
        )
        self.places = self._whole(has.places, times.products) if isinstance(has, ReadsPlaces) else None
        self.products = self._whole(has.products, times.products) if isinstance(has, ReadsProducts) else None
        self._slots: Cache[str, Sequence[Slot]] | None = (
            Cache(ttl=times.slots, size=SLOTTED_MACHINES, late=self.late) if isinstance(has, ReadsSlots) else None
        )
        self.sales: Timeline[Sale] | None = (
            Timeline(has.sales, ttl=times.sales, horizon=HISTORY, late=self.late)
            if isinstance(has, ReadsSales)
            else None
        )
        self.events: Timeline[MachineEvent] | None = (
            Timeline(has.events, ttl=times.sales, horizon=HISTORY, late=self.late)
            if isinstance(has, ReadsEvents)
            else None
        )

        self._single_sales: Cache[str, Sale | None] = Cache(ttl=times.sales, size=4_096, late=self.late)
        self._single_events: Cache[str, MachineEvent | None] = Cache(ttl=times.sales, size=4_096, late=self.late)

    def _whole(self, read: "Callable[[], Awaitable[Listing[T]]]", ttl: float) -> "Whole[T]":
        return Whole(read, Cache(ttl=ttl, size=1, late=self.late))

    @property
    def id(self) -> str:
        return self.ref.text

    @property
    def status(self) -> AccountStatus:
        return self.connector.guard.status

    @property
    def last_success_at(self) -> datetime | None:
        return self.connector.guard.last_success_at

    @property
    def last_error(self) -> str | None:
        return self.connector.guard.last_error

    @property
    def rate_limit(self) -> RateLimit | None:
        return self.connector.guard.rate_limit

    @property
    def capabilities(self) -> list[Capability]:
        return [capability for capability in Capability if capability in self.connector.capabilities]

    def refusal(self, capability: Capability, machine: Machine | None = None) -> UnavailableReason | None:
        """Why this cannot be done, now and here; None where it can."""
        if capability not in self.connector.capabilities:
            return UnavailableReason.UNSUPPORTED_BY_VENDOR
        reason = self.connector.refusal(capability)
        if reason is None and machine is not None and capability in ACTS:
            return UnavailableReason.MACHINE_OFFLINE if machine.connectivity is Connectivity.OFFLINE else None
        return reason

    def peek_slots(self, machine: str) -> Sequence[Slot] | None:
        return None if self._slots is None else self._slots.peek(machine)

    async def slots(
        self,
        machines: Sequence[str],
        timeout: float,  # noqa: ASYNC109  see Cache
    ) -> Mapping[str, Cached[Sequence[Slot]] | VendorError]:
        """By native id of the machine. Only for a source that reads slots."""
        reader: Any = self.connector
        assert self._slots is not None
        return await self._slots.get_many(machines, reader.slots, timeout)

    async def sale(self, native: str, timeout: float) -> Sale | None:  # noqa: ASYNC109  see Cache
        reader = self.connector
        if not isinstance(reader, ReadsSales):
            return None
        return (await self._single_sales.get(native, lambda: reader.sale(native), timeout)).value

    async def event(self, native: str, timeout: float) -> MachineEvent | None:  # noqa: ASYNC109  see Cache
        reader = self.connector
        if not isinstance(reader, ReadsEvents):
            return None
        return (await self._single_events.get(native, lambda: reader.event(native), timeout)).value

    @property
    def reads_slots(self) -> bool:
        return self._slots is not None

    async def aclose(self) -> None:
        """Ends what is in flight."""
        kept = (self.machines, self.organizations, self.places, self.products)
        caches = [whole.cache for whole in kept if whole is not None]
        closing = (*caches, self._slots, self.sales, self.events, self._single_sales, self._single_events)
        for cache in closing:
            if cache is not None:
                await cache.aclose()
        await self.connector.aclose()

    def late(self, seconds: float) -> VendorError:
        return VendorUnavailable(
            f"{self.vendor.value} did not answer within {max(seconds, 0):.1f} s",
            account=self.key,
            vendor=self.vendor.value,
        )
