"""One account of one vendor as the resolvers see it: its connector, with what it told us kept above it."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from connectors.base import Account, Connector
from connectors.reading import (
    ReadsCollections,
    ReadsEvents,
    ReadsMachines,
    ReadsMovements,
    ReadsOrganizations,
    ReadsPeople,
    ReadsPlaces,
    ReadsProducts,
    ReadsSales,
    ReadsSalesByKind,
    ReadsSlots,
    ReadsStructure,
    ReadsTemperatures,
)
from connectors.reporting import LearnsMachines, SendsWebhooks
from domain.capabilities import Capability, UnavailableReason
from domain.commands import Command, CommandStatus
from domain.errors import VendorError, VendorUnavailable
from domain.every_order import EVERY_ORDER, OF_MACHINES
from domain.facts import Fact, FactKind, Observation, TagLinks
from domain.model import AccountStatus, Connectivity, Machine, MachineEvent, Product, RateLimit, Slot, Vendor
from domain.paging import Listing
from domain.people_orders import PEOPLE_ORDERS
from domain.sales import Sale, SaleKind
from domain.stock import CashCollection, MovementKind, StockMovement
from domain.temperatures import Readings
from domain.times import Span
from journal.journal import Journal
from journal.log import Entry
from resolvers.cache import Cache, Cached, Tally
from resolvers.details import Details
from resolvers.log import Log, Narrowing
from resolvers.reported import Reported
from resolvers.standing import Reading
from resolvers.timeline import Read, Timeline
from resolvers.whole import HasRef, Whole

T = TypeVar("T", bound=HasRef)
R = TypeVar("R", Sale, MachineEvent, StockMovement)
Reader = tuple[Read[R], Callable[[str], Awaitable[R | None]]]

RECORDS = {
    FactKind.SALE: Capability.SALES,
    FactKind.EVENT: Capability.EVENTS,
    FactKind.MOVEMENT: Capability.STOCK_MOVEMENTS,
}
DERIVED_KINDS = frozenset({SaleKind.PURCHASE})  # what is deduced from what left a machine
DERIVED_MOVEMENTS = frozenset({MovementKind.RESTOCK, MovementKind.TAKE, MovementKind.REMOVAL})
HEALTHY = frozenset({AccountStatus.OK, AccountStatus.UNKNOWN})
SERIES = 64  # of temperatures, at a megabyte or so
DETAILED = 5000  # of how many things the details may be kept
SLOTTED_MACHINES = 20_000  # how many machines' slots an account may keep
ACTS = frozenset(EVERY_ORDER)
STOCKING = frozenset({Capability.SET_PRICE, Capability.UPDATE_PLANOGRAM, Capability.ADJUST_STOCK})  # slots show it
LEFT_TO_THE_VENDOR = STOCKING | {  # of a machine that is offline
    Capability.UPDATE_CONFIG,
    Capability.COLLECT_CASH,
    Capability.UPDATE_MACHINE,
    Capability.CREATE_SERVICE_SESSION,
}
CATALOGUE = frozenset({Capability.CREATE_PRODUCT, Capability.UPDATE_PRODUCT, Capability.DELETE_PRODUCT})
ESTATE = frozenset({Capability.CREATE_ORGANIZATION, Capability.UPDATE_ORGANIZATION})
MACHINES = frozenset({Capability.UPDATE_CONFIG, Capability.UPDATE_MACHINE, Capability.PROVISION_MACHINE})


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheTimes:
    """Seconds that what was told counts as fresh. A machine carries its state, so the shorter of the two counts."""

    machines: float = 60.0
    slots: float = 30.0
    products: float = 300.0
    state: float = 30.0
    sales: float = 10.0


class Source:
    """Lists are None where the vendor has none of the kind. What GraphQL shows of an account stands here too."""

    def __init__(self, connector: Connector, times: CacheTimes, journal: Journal) -> None:
        self.connector = connector
        self.reported = Reported(connector, journal)
        self.silent = False  # its webhooks have stopped coming
        self.account: Account = connector.account
        self.ref = self.account.ref
        self.key = self.account.key
        self.vendor: Vendor = self.account.vendor
        self.organization_key = self.account.organization
        self.hooked = self.account.webhook is not None
        self.seconds = self.account.limits.timeout_seconds
        has = connector
        state = min(times.machines, times.state)
        self.machines = self._whole(self._machines, state) if isinstance(has, ReadsMachines) else None
        self.organizations = (
            self._whole(has.organizations, times.products) if isinstance(has, ReadsOrganizations) else None
        )
        self.places = self._whole(has.places, times.products) if isinstance(has, ReadsPlaces) else None
        self.products = self._products(times.products)
        self.details = Details(has, times.state, self.late)
        self.people = self._whole(has.people, times.products) if isinstance(has, ReadsPeople) else None
        structured = has if isinstance(has, ReadsStructure) else None
        self.units = None if structured is None else self._whole(structured.units, times.products)
        self.groups = None if structured is None else self._whole(structured.groups, times.products)
        self._details: Cache[tuple[str, str], Any] = Cache(ttl=times.products, size=DETAILED, late=self.late)
        self.temperatures: Cache[tuple[str, Span], Readings] | None = (
            Cache(ttl=times.state, size=SERIES, late=self.late) if isinstance(has, ReadsTemperatures) else None
        )
        self._slots: Cache[str, Sequence[Slot]] | None = (
            Cache(ttl=times.slots, size=SLOTTED_MACHINES, late=self.late) if isinstance(has, ReadsSlots) else None
        )
        self.sales: Log[Sale] | None = self._log(
            FactKind.SALE, (has.sales, has.sale) if isinstance(has, ReadsSales) else None, times.sales
        )
        self._sale_kinds = has.sale_kinds if isinstance(has, ReadsSales) else DERIVED_KINDS
        self.events: Log[MachineEvent] | None = self._log(
            FactKind.EVENT, (has.events, has.event) if isinstance(has, ReadsEvents) else None, times.sales
        )
        self.movements: Log[StockMovement] | None = self._log(
            FactKind.MOVEMENT, (has.movements, has.movement) if isinstance(has, ReadsMovements) else None, times.sales
        )
        self.movement_kinds = has.movement_kinds if isinstance(has, ReadsMovements) else DERIVED_MOVEMENTS
        self.collections: Log[CashCollection] | None = (
            Log(has.collections, has.collection, ttl=times.sales, late=self.late)
            if isinstance(has, ReadsCollections)
            else None
        )

    def _whole(self, read: Callable[[], Awaitable[Listing[T]]], ttl: float) -> Whole[T]:
        return Whole(read, Cache(ttl=ttl, size=1, late=self.late), self.seconds)

    async def _machines(self) -> Listing[Machine]:
        reader: Any = self.connector
        return self.reported.joined(await reader.machines())

    def _products(self, ttl: float) -> Whole[Product] | None:
        has = self.connector
        if self.reported.counts:
            return self._whole(self.reported.catalogue, ttl)
        return self._whole(has.products, ttl) if isinstance(has, ReadsProducts) else None

    def _log(self, kind: FactKind, reading: Reader[R] | None, ttl: float) -> Log[R] | None:
        """The vendor's list, with what webhooks told; that alone, where it has none but tells of such things."""
        if reading is None:
            if RECORDS[kind] not in self.connector.capabilities or not self.hooked:
                return None
            return Log(self.reported.list_of(kind), self.reported.finding(kind, None), ttl=ttl, late=self.late)
        read, one = reading
        if not self.hooked:
            return Log(read, one, ttl=ttl, late=self.late)
        read, one = self.reported.joining(kind, read), self.reported.finding(kind, one)
        return Log(read, one, ttl=ttl, late=self.late, instead=self.reported.instead(kind))

    def report(self, entry: Entry) -> None:
        """What came in shows at once, with nothing asked of the vendor."""
        content = entry.content
        if isinstance(content, Sale | MachineEvent):
            log: Any = self.sales if isinstance(content, Sale) else self.events
            if log is not None:
                log.report(content)
            self.reported.meet(entry)
        elif isinstance(content, StockMovement) and self.movements is not None:
            self.movements.report(content)
        elif isinstance(content, Observation):
            self.reported.observe(content)
        elif isinstance(content, TagLinks):
            self.reported.link(content)
            self._forget(self.products)
        elif isinstance(content, Command) and content.status is CommandStatus.SUCCEEDED:
            self._carried_out(content)
        if entry.machine is not None:
            self._show(entry.machine)

    def learn(self, fact: Fact) -> None:
        """What this process was told shows at once, before the journal tells it."""
        if isinstance(fact.content, Observation):
            self.reported.observe(fact.content)
            self._show(fact.content.machine)

    def done(self, command: Command) -> None:
        """What is kept here is of before: whoever asked for a change shall see it."""
        if command.status is CommandStatus.SUCCEEDED:
            self._carried_out(command)

    def _carried_out(self, command: Command) -> None:
        """What was kept of its machine may be another by now."""
        if command.machine_ref is not None:
            self.details.forget(command.machine_ref.native)
        if command.kind in STOCKING and self._slots is not None and command.machine_ref is not None:
            self._slots.forget(command.machine_ref.native)
        if command.kind in MACHINES:
            self._forget(self.machines)
        if command.kind is Capability.CREATE_SERVICE_SESSION:
            self._details.clear()
        if command.kind is Capability.CREATE_SITE:
            self._forget(self.places)
        if command.kind is Capability.RESOLVE_EVENT and self.events is not None and command.subject_ref is not None:
            self.events.forget(command.subject_ref.native)
        self.changed(command.kind)

    def changed(self, kind: Capability) -> None:
        """Perhaps, by a command of this kind or by what stood against it: it is read again when somebody looks."""
        if kind in PEOPLE_ORDERS:
            for whole in (self.people, self.units, self.groups):
                self._forget(whole)
        if kind in CATALOGUE:
            self._forget(self.products)
        if kind in ESTATE:
            self._forget(self.organizations)

    def _show(self, machine: str) -> None:
        """In the list that is kept; one that is not in it is learned where only reports tell of it."""
        if self.machines is None or not self.reported.knows(machine):
            return
        listed = self.machines.amend(self.reported.seen, machine)
        if not listed and isinstance(self.connector, LearnsMachines):
            self.machines.extend(self.reported.joined)

    @staticmethod
    def _forget(whole: Whole[Any] | None) -> None:
        if whole is not None:
            whole.forget()

    @property
    def id(self) -> str:
        return self.ref.text

    @property
    def status(self) -> AccountStatus:
        status = self.connector.guard.status
        return AccountStatus.DEGRADED if status in HEALTHY and self.silent else status

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
        if not self.hooked and (capability is Capability.WEBHOOKS or (self.reported.counts and capability not in ACTS)):
            return UnavailableReason.NEVER_REPORTED
        reason = self.connector.refusal(capability)
        if reason is None and machine is not None and capability in OF_MACHINES - LEFT_TO_THE_VENDOR:
            return UnavailableReason.MACHINE_OFFLINE if machine.connectivity is Connectivity.OFFLINE else None
        return reason

    def peek_slots(self, machine: str) -> Sequence[Slot] | None:
        if self.reported.counts:
            return self.reported.stock(machine)
        return None if self._slots is None else self._slots.peek(machine)

    def slots_reading(self, machine: str) -> Reading | None:
        """What `peek_slots` gives, as something that can be asked whether it still does; None where that is nothing."""
        if self.reported.counts:
            return self.reported.stock_reading(machine)
        return None if self._slots is None else self._slots.reading(machine)

    async def slots(
        self,
        machines: Sequence[str],
        timeout: float,  # noqa: ASYNC109  see Cache
    ) -> Mapping[str, Cached[Sequence[Slot]] | VendorError]:
        """By native id of the machine. Only for a source that reads slots."""
        reader: Any = self.connector
        assert self._slots is not None
        return await self._slots.get_many(machines, reader.slots, timeout, at_once=reader.slots_at_once)

    async def detail(
        self,
        key: tuple[str, str],
        load: Callable[[], Awaitable[Any]],
        timeout: float,  # noqa: ASYNC109  see Cache
    ) -> Cached[Any]:
        """Something that is asked for by itself: what it is, and of what. Raises VendorError."""
        return await self._details.get(key, load, timeout)

    async def readings(self, machine: str, span: Span, timeout: float) -> Cached[Readings]:  # noqa: ASYNC109  see Cache
        """Only for a source that reads temperatures. Raises VendorError."""
        reader: Any = self.connector
        assert self.temperatures is not None
        return await self.temperatures.get((machine, span), lambda: reader.temperatures(machine, span), timeout)

    def sales_of(self, kinds: frozenset[SaleKind] | None) -> Timeline[Sale] | None:
        """The sales of some kinds; None where the vendor has none of them. They are narrowed there where it can."""
        if self.sales is None or kinds is None or kinds >= self._sale_kinds:
            return None if self.sales is None else self.sales.whole
        wanted = kinds & self._sale_kinds
        if not wanted:
            return None
        name = " ".join(sorted(kind.value for kind in wanted))
        return self.sales.narrowed(Narrowing(name, lambda sale: sale.kind in wanted, self._reading(wanted)))

    def _reading(self, kinds: frozenset[SaleKind]) -> Read[Sale] | None:
        reader = self.connector
        if not isinstance(reader, ReadsSalesByKind):
            return None
        read = partial(reader.sales_of_kinds, kinds)
        return self.reported.joining(FactKind.SALE, read) if self.hooked else read

    def events_of(self, narrowing: Narrowing[MachineEvent] | None) -> Timeline[MachineEvent] | None:
        """Narrowed here: a vendor's filter would lose what it has in words that we do not know."""
        if self.events is None:
            return None
        return self.events.whole if narrowing is None else self.events.narrowed(narrowing)

    def movements_of(self, kinds: frozenset[MovementKind] | None) -> Timeline[StockMovement] | None:
        if self.movements is None or kinds is None:
            return None if self.movements is None else self.movements.whole
        name = " ".join(sorted(kind.value for kind in kinds))
        return self.movements.narrowed(Narrowing(name, lambda one: one.kind in kinds))

    @property
    def reads_slots(self) -> bool:
        return self._slots is not None

    @property
    def sends_webhooks(self) -> bool:
        return isinstance(self.connector, SendsWebhooks)

    @property
    def _lists(self) -> Mapping[str, Whole[Any] | None]:
        return {
            "machines": self.machines,
            "organizations": self.organizations,
            "places": self.places,
            "products": self.products,
            "people": self.people,
            "units": self.units,
            "groups": self.groups,
        }

    @property
    def _logs(self) -> Mapping[str, Log[Any] | None]:
        logs = {"sales": self.sales, "events": self.events, "movements": self.movements}
        return {**logs, "collections": self.collections}

    @property
    def _kept(self) -> Iterator[Cache[Any, Any] | Details | Log[Any]]:
        yield from (whole.cache for whole in self._lists.values() if whole is not None)
        asked = (self.details, self._details, self._slots, self.temperatures)
        yield from (one for one in (*asked, *self._logs.values()) if one is not None)

    @property
    def cache_counts(self) -> Tally:
        return Tally.total(one.counts for one in self._kept)

    @property
    def told_at(self) -> Mapping[str, datetime]:
        """When each list was read from the vendor last, of those that were."""
        times = {name: None if one is None else one.cache.as_of("") for name, one in self._lists.items()}
        times |= {name: None if one is None else one.whole.as_of for name, one in self._logs.items()}
        return {name: time for name, time in times.items() if time is not None}

    async def aclose(self) -> None:
        """Ends what is in flight."""
        for one in self._kept:
            await one.aclose()
        await self.connector.aclose()

    def late(self, seconds: float) -> VendorError:
        took = f"{self.vendor.value} did not answer within {seconds:.1f} s"
        return VendorUnavailable(
            took if seconds > 0 else f"there was no time left to ask {self.vendor.value}",
            account=self.key,
            vendor=self.vendor.value,
        )
