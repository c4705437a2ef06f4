"""One loader an edge, made anew for each request: what a level of the query needs is asked for together.

Keys are references, split by account; what is fresh in the shared cache is taken from there without waiting."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from aiodataloader import DataLoader

from domain.errors import VendorError
from domain.model import Machine, MachineEvent, Organization, Place, Product, Slot
from domain.people import EntitlementGroup, OrganizationUnit, PersonRecord
from domain.refs import Ref
from domain.sales import Sale
from domain.stock import CashCollection, StockMovement
from journal.reports import Counts
from resolvers.cache import Cached
from resolvers.metadata import Metadata
from resolvers.sources import Source
from resolvers.stretches import Machines, Recorded, Wanted
from resolvers.timeline import Found, Timeline
from resolvers.whole import HasRef, Indexed, Whole

if TYPE_CHECKING:
    from resolvers.context import Context

T = TypeVar("T", bound=HasRef)
R = TypeVar("R", bound=Recorded)


class Lists:
    """Whole lists, each asked for at most once in a request, so that all of the request sees the same."""

    def __init__(self, context: "Context") -> None:
        self._context = context
        self._asked: dict[Whole[Any], asyncio.Task[Cached[Indexed[Any]] | VendorError]] = {}

    def begin(self, whole: Whole[Any] | None) -> None:
        """For a list that will be needed; nobody waits yet."""
        if whole is not None and whole not in self._asked:
            self._asked[whole] = asyncio.create_task(self._ask(whole))

    async def get(self, whole: Whole[T]) -> Cached[Indexed[T]]:
        """Raises VendorError."""
        found = await self.outcome(whole)
        if isinstance(found, VendorError):
            raise found
        return found

    async def outcome(self, whole: Whole[T]) -> Cached[Indexed[T]] | VendorError:
        self.begin(whole)
        return await self._asked[whole]

    def peek(self, whole: Whole[T]) -> Indexed[T] | None:
        """What this request was told, or else what is fresh."""
        asked = self._asked.get(whole)
        if asked is None:
            return whole.peek()
        told = asked.result() if asked.done() else None
        return told.value if isinstance(told, Cached) else None

    async def _ask(self, whole: Whole[Any]) -> Cached[Indexed[Any]] | VendorError:
        try:
            return await whole.get(self._context.patience(whole.seconds))
        except VendorError as error:
            return error


class ByRef(Generic[T]):
    """Finds things in an account's whole list of them."""

    def __init__(self, context: "Context", lists: Lists, whole: Callable[[Source], Whole[T] | None]) -> None:
        self._context = context
        self._lists = lists
        self._whole = whole
        self._loader: DataLoader[Ref, T | None] = DataLoader(self._load)
        self._asked: set[str] = set()

    def get(self, ref: Ref | None) -> "T | Awaitable[T | None] | None":
        """At once where the list is fresh, else a promise."""
        whole = self._list_of(ref)
        if ref is None or whole is None:
            return None
        fresh = self._lists.peek(whole)
        if fresh is not None:
            return fresh.by_native.get(ref.native)
        self._asked.add(ref.account)
        return self._loader.load(ref)

    async def find(self, ref: Ref | None) -> T | None:
        """Raises VendorError."""
        found = self.get(ref)
        return await found if isinstance(found, Awaitable) else found

    def knows(self, ref: Ref) -> bool:
        """Whether finding it will ask nothing of the vendor that this request has not asked already."""
        whole = self._list_of(ref)
        return whole is not None and (ref.account in self._asked or self._lists.peek(whole) is not None)

    def _list_of(self, ref: Ref | None) -> Whole[T] | None:
        source = None if ref is None else self._context.source(ref.account)
        return None if source is None else self._whole(source)

    async def _load(self, refs: list[Ref]) -> list[Any]:
        accounts = list(dict.fromkeys(ref.account for ref in refs))
        lists = dict(zip(accounts, await asyncio.gather(*map(self._outcome, accounts)), strict=True))
        return [
            found if isinstance(found := lists[ref.account], VendorError) else found.value.by_native.get(ref.native)
            for ref in refs
        ]

    async def _outcome(self, account: str) -> "Cached[Indexed[T]] | VendorError":
        whole = self._whole(self._context.graph.sources[account])
        assert whole is not None
        return await self._lists.outcome(whole)


class Slots:
    """The slots of machines, or the error that kept them from us."""

    def __init__(self, context: "Context") -> None:
        self._context = context
        self._loader: DataLoader[Ref, Sequence[Slot]] = DataLoader(self._load)
        self._asked: set[Ref] = set()

    def get(self, machine: Ref) -> "Sequence[Slot] | Awaitable[Sequence[Slot]] | None":
        source = self._context.source(machine.account)
        if source is None:
            return None
        if not source.reads_slots:
            return source.peek_slots(machine.native)
        if machine not in self._asked:
            fresh = source.peek_slots(machine.native)
            if fresh is not None:
                return fresh
            self._asked.add(machine)
        return self._loader.load(machine)

    def begin(self, machines: Iterable[Ref]) -> None:
        """For slots that will be needed; nobody waits yet."""
        for machine in machines:
            promise = self.get(machine)
            if isinstance(promise, asyncio.Future):
                promise.add_done_callback(_take)

    def knows(self, machine: Ref) -> bool:
        """As `ByRef.knows`."""
        return machine in self._asked

    async def _load(self, machines: list[Ref]) -> list[Any]:
        found: dict[Ref, Any] = {}
        await asyncio.gather(*(self._of(*group, found) for group in _by_account(machines)))
        return [found[machine] for machine in machines]

    async def _of(self, account: str, machines: list[Ref], found: dict[Ref, Any]) -> None:
        source = self._context.graph.sources[account]
        natives = [machine.native for machine in machines]
        told = await source.slots(natives, self._context.patience(source.seconds))
        for machine in machines:
            outcome = told[machine.native]
            found[machine] = outcome if isinstance(outcome, VendorError) else outcome.value


def _take(promise: "asyncio.Future[Any]") -> None:
    """Whoever waits is told what went wrong; nobody waiting is no reason to warn."""
    if not promise.cancelled():
        promise.exception()


def _by_account(refs: Iterable[Ref]) -> Iterable[tuple[str, list[Ref]]]:
    groups: dict[str, list[Ref]] = {}
    for ref in refs:
        groups.setdefault(ref.account, []).append(ref)
    return groups.items()


@dataclass(frozen=True, slots=True)
class Request(Generic[R]):
    """What is wanted of one of an account's timelines, for one set of machines."""

    source: Source
    timeline: Timeline[R]
    machines: Machines
    wanted: Wanted


class Records(Generic[R]):
    """Sales or events: sets of machines of which the same is wanted are read together."""

    def __init__(self, context: "Context") -> None:
        self._context = context
        self._loader: DataLoader[Request[R], Found[R]] = DataLoader(self._load, cache=False)
        self._begun: dict[Request[R], asyncio.Future[Found[R]]] = {}

    def begin(self, request: Request[R]) -> None:
        """For what will be needed; nobody waits yet."""
        if request not in self._begun and request.timeline.peek(request.machines, request.wanted) is None:
            promise = self._begun[request] = self._loader.load(request)
            promise.add_done_callback(_take)

    async def get(self, request: Request[R]) -> Found[R]:
        """What was begun is not read again, unless it failed. Raises VendorError."""
        begun = self._begun.get(request)
        if begun is not None and not (begun.done() and begun.exception() is not None):
            return await begun
        return await self._loader.load(request)

    async def _load(self, requests: list[Request[R]]) -> list[Any]:
        groups: dict[Hashable, list[Request[R]]] = {}
        for request in requests:
            groups.setdefault((request.timeline, request.wanted), []).append(request)
        found = dict(zip(groups, await asyncio.gather(*map(self._of, groups.values())), strict=True))
        return [found[(request.timeline, request.wanted)][request.machines] for request in requests]

    async def _of(self, group: list[Request[R]]) -> "dict[Machines, Found[R] | VendorError]":
        one = group[0]
        sets = {request.machines for request in group}
        return await one.timeline.newest(sets, one.wanted, self._context.patience(one.source.seconds))


class Loaders:
    """Each is made when it is first needed."""

    def __init__(self, context: "Context") -> None:
        self._context = context
        self._webhooks: asyncio.Task[Mapping[str, Counts]] | None = None
        self.lists = Lists(context)

    @cached_property
    def machines(self) -> ByRef[Machine]:
        return ByRef(self._context, self.lists, lambda source: source.machines)

    @cached_property
    def organizations(self) -> ByRef[Organization]:
        return ByRef(self._context, self.lists, lambda source: source.organizations)

    @cached_property
    def places(self) -> ByRef[Place]:
        return ByRef(self._context, self.lists, lambda source: source.places)

    @cached_property
    def products(self) -> ByRef[Product]:
        return ByRef(self._context, self.lists, lambda source: source.products)

    @cached_property
    def people(self) -> ByRef[PersonRecord]:
        return ByRef(self._context, self.lists, lambda source: source.people)

    @cached_property
    def units(self) -> ByRef[OrganizationUnit]:
        return ByRef(self._context, self.lists, lambda source: source.units)

    @cached_property
    def groups(self) -> ByRef[EntitlementGroup]:
        return ByRef(self._context, self.lists, lambda source: source.groups)

    @cached_property
    def slots(self) -> Slots:
        return Slots(self._context)

    @cached_property
    def metadata(self) -> Metadata:
        return Metadata(self._context)

    @cached_property
    def sales(self) -> Records[Sale]:
        return Records(self._context)

    @cached_property
    def events(self) -> Records[MachineEvent]:
        return Records(self._context)

    @cached_property
    def movements(self) -> Records[StockMovement]:
        return Records(self._context)

    @cached_property
    def collections(self) -> Records[CashCollection]:
        return Records(self._context)

    async def webhooks(self) -> Mapping[str, Counts]:
        """How the webhooks of all accounts fare, read once."""
        if self._webhooks is None:
            self._webhooks = asyncio.create_task(self._context.graph.journal.counts())
        return await self._webhooks
