"""One loader an edge, made anew for each request: what a level of the query needs is asked for together.

Keys are references, split by account; what is fresh in the shared cache is taken from there without waiting."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from aiodataloader import DataLoader

from domain.errors import VendorError
from domain.model import Machine, MachineEvent, Organization, Place, Product, Sale, Slot
from domain.refs import Ref
from domain.times import Span
from resolvers.cursors import Position
from resolvers.sources import HasRef, Source, Whole
from resolvers.timeline import Found, Machines, Recorded, Timeline, Wanted

if TYPE_CHECKING:
    from resolvers.context import Context

T = TypeVar("T", bound=HasRef)
R = TypeVar("R", bound=Recorded)


class ByRef(Generic[T]):
    """Finds things in an account's whole list of them."""

    def __init__(self, context: "Context", whole: Callable[[Source], Whole[T] | None]) -> None:
        self._context = context
        self._whole = whole
        self._loader: DataLoader[Ref, T | None] = DataLoader(self._load)

    def get(self, ref: Ref | None) -> "T | Awaitable[T | None] | None":
        """At once where the list is fresh, else a promise."""
        source = None if ref is None else self._context.source(ref.account)
        whole = None if source is None else self._whole(source)
        if ref is None or whole is None:
            return None
        fresh = whole.peek()
        return self._loader.load(ref) if fresh is None else fresh.by_native.get(ref.native)

    async def find(self, ref: Ref | None) -> T | None:
        found = self.get(ref)
        return await found if isinstance(found, Awaitable) else found

    async def _load(self, refs: list[Ref]) -> list[Any]:
        accounts = list(dict.fromkeys(ref.account for ref in refs))
        lists = dict(zip(accounts, await asyncio.gather(*map(self._list, accounts)), strict=True))
        return [
            found if isinstance(found := lists[ref.account], VendorError) else found.get(ref.native) for ref in refs
        ]

    async def _list(self, account: str) -> Any:
        whole = self._whole(self._context.graph.sources[account])
        assert whole is not None
        try:
            return (await whole.get(self._context.patience)).value.by_native
        except VendorError as error:
            return error


class Slots:
    """The slots of machines, or the error that kept them from us."""

    def __init__(self, context: "Context") -> None:
        self._context = context
        self._loader: DataLoader[Ref, Sequence[Slot]] = DataLoader(self._load)

    def get(self, machine: Ref) -> "Sequence[Slot] | Awaitable[Sequence[Slot]] | None":
        source = self._context.source(machine.account)
        if source is None or not source.reads_slots:
            return None
        fresh = source.peek_slots(machine.native)
        return self._loader.load(machine) if fresh is None else fresh

    async def _load(self, machines: list[Ref]) -> list[Any]:
        found: dict[Ref, Any] = {}
        await asyncio.gather(*(self._of(*group, found) for group in _by_account(machines)))
        return [found[machine] for machine in machines]

    async def _of(self, account: str, machines: list[Ref], found: dict[Ref, Any]) -> None:
        source = self._context.graph.sources[account]
        natives = [machine.native for machine in machines]
        told = await source.slots(natives, self._context.patience)
        for machine in machines:
            outcome = told[machine.native]
            found[machine] = outcome if isinstance(outcome, VendorError) else outcome.value


def _by_account(refs: Iterable[Ref]) -> Iterable[tuple[str, list[Ref]]]:
    groups: dict[str, list[Ref]] = {}
    for ref in refs:
        groups.setdefault(ref.account, []).append(ref)
    return groups.items()


@dataclass(frozen=True, slots=True)
class Request(Generic[R]):
    """What is wanted of one account's timeline, for one set of machines. `keeps` names what `keep` does."""

    account: str
    machines: Machines
    span: Span
    start: Position | None
    count: int
    keeps: Hashable
    keep: Callable[[R], bool] | None

    @property
    def together(self) -> Hashable:
        return (self.account, self.span, self.start, self.count, self.keeps)


class Records(Generic[R]):
    """Sales or events: sets of machines of which the same is wanted are read together."""

    def __init__(self, context: "Context", timeline: Callable[[Source], Timeline[R] | None]) -> None:
        self._context = context
        self._timeline = timeline
        self._loader: DataLoader[Request[R], Found[R]] = DataLoader(
            self._load, get_cache_key=lambda request: (request.machines, request.together)
        )

    async def get(self, request: Request[R]) -> Found[R]:
        return await self._loader.load(request)

    async def _load(self, requests: list[Request[R]]) -> list[Any]:
        groups: dict[Hashable, list[Request[R]]] = {}
        for request in requests:
            groups.setdefault(request.together, []).append(request)
        found = await asyncio.gather(*map(self._of, groups.values()))
        by_group = dict(zip(groups, found, strict=True))
        return [by_group[request.together][request.machines] for request in requests]

    async def _of(self, group: list[Request[R]]) -> "dict[Machines, Found[R] | VendorError]":
        one = group[0]
        timeline = self._timeline(self._context.graph.sources[one.account])
        assert timeline is not None
        wanted = Wanted(one.span, one.start, one.count, one.keep)
        return await timeline.newest({request.machines for request in group}, wanted, self._context.patience)


class Loaders:
    def __init__(self, context: "Context") -> None:
        self.machines: ByRef[Machine] = ByRef(context, lambda source: source.machines)
        self.organizations: ByRef[Organization] = ByRef(context, lambda source: source.organizations)
        self.places: ByRef[Place] = ByRef(context, lambda source: source.places)
        self.products: ByRef[Product] = ByRef(context, lambda source: source.products)
        self.slots = Slots(context)
        self.sales: Records[Sale] = Records(context, lambda source: source.sales)
        self.events: Records[MachineEvent] = Records(context, lambda source: source.events)
