"""What an account's machines reported by themselves, and how it joins what the vendor's lists tell."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from connectors.base import Connector
from connectors.reporting import CountsTags, LearnsMachines, Links
from domain.facts import FactKind, Observation, Record, TagLinks
from domain.model import Connectivity, DoorState, Machine, MachineEvent, Product, Slot
from domain.paging import Listing, Slice
from domain.sales import Sale
from domain.states import MachineState, merged
from domain.stock import StockMovement
from domain.times import Span, utc_now
from journal.journal import Journal
from journal.log import Entry
from resolvers.instead import FromReports
from resolvers.standing import Mark, Reading
from resolvers.stretches import INSTANT, Machines

R = TypeVar("R", Sale, MachineEvent, StockMovement)

ONLINE_MINUTES = 15  # how old a machine's last sign of life may be
MANY = 100_000  # reports of one stretch of a list, at the most


class Reported:
    """One account's, kept up by the journal. Nothing here asks the vendor."""

    def __init__(self, connector: Connector, journal: Journal, now: Callable[[], datetime] = utc_now) -> None:
        self._journal = journal
        self._now = now
        # Once, for it takes long to see.
        self._counter = connector if isinstance(connector, CountsTags) else None
        self._learner = connector if isinstance(connector, LearnsMachines) else None
        self.counts = self._counter is not None
        self._account = connector.account.key
        self._online = timedelta(minutes=connector.account.online_minutes or ONLINE_MINUTES)
        self._states: dict[str, MachineState] = {}
        self._marks: dict[str, Mark] = {}  # of the stock of machines that somebody has read
        self._names: dict[str, str] = {}
        self._seen: dict[str, datetime] = {}
        self._products: dict[str, str] = {}
        self._product_names: dict[str, str] = {}

    def begin(self, states: Mapping[str, MachineState], links: Mapping[str, tuple[str, str]]) -> None:
        """With what the journal knew when the process began."""
        self._states = dict(states)
        self._fall(*self._marks)
        for tag, (product, name) in links.items():
            self._link(tag, product, name)

    def observe(self, observed: Observation) -> None:
        state = self._states.get(observed.machine, MachineState())
        self._states[observed.machine] = merged(state, observed)[0]
        self._fall(observed.machine)

    def meet(self, entry: Entry) -> None:
        """A record names its machine, and shows that it was alive."""
        content = entry.content
        if entry.machine is not None and isinstance(content, Sale | MachineEvent):
            self._seen[entry.machine] = max(content.recorded_at, self._seen.get(entry.machine, content.recorded_at))
            if entry.machine_name is not None:
                self._names[entry.machine] = entry.machine_name

    def knows(self, machine: str) -> bool:
        return machine in self._states or machine in self._seen

    def joined(self, told: Listing[Machine]) -> Listing[Machine]:
        """The vendor's list with what was reported since, and the machines that only reports tell of."""
        listed = {machine.ref.native for machine in told.items}
        learned = [machine for native in (*self._states, *self._seen) if (machine := self._learned(native, listed))]
        unique = {machine.ref: machine for machine in learned}
        return replace(told, items=[*map(self.seen, told.items), *unique.values()])

    def _learned(self, native: str, listed: set[str]) -> Machine | None:
        if native in listed or self._learner is None:
            return None
        state = self._states.get(native)
        times = [at for at in (self._seen.get(native), state.last_seen if state else None) if at is not None]
        return self.seen(self._learner.learned(native, self._names.get(native), max(times, default=self._now())))

    def seen(self, machine: Machine) -> Machine:
        """As it was seen to be since the vendor told of it."""
        machine = self._met(machine)
        state = self._states.get(machine.ref.native)
        if state is None:
            return machine
        if state.last_seen is None:
            return _grouped(machine, state)
        found = replace(
            machine,
            connectivity=self._connectivity(state, state.last_seen),
            last_seen_at=state.last_seen,
            door=state.door or machine.door,
            temperature=state.temperature or machine.temperature,
            group=state.group or machine.group,
            observed_at=max(machine.observed_at, state.last_seen),
        )
        told = {
            "connectivity": True,
            "lastSeenAt": True,
            "door": found.door is not DoorState.UNKNOWN,
            "temperature": found.temperature is not None,
            "group": found.group is not None,
            "slots": state.tags is not None,
        }
        return replace(found, unavailable=[one for one in machine.unavailable if not told.get(one.field)])

    def _met(self, machine: Machine) -> Machine:
        """Where only records tell of machines, the newest of them is their last sign of life."""
        at = self._seen.get(machine.ref.native)
        if at is None or self._learner is None:
            return machine
        if machine.last_seen_at is not None and machine.last_seen_at >= at:
            return machine
        return replace(machine, last_seen_at=at, observed_at=max(machine.observed_at, at))

    def _connectivity(self, state: MachineState, last_seen: datetime) -> Connectivity:
        lively = state.alive is not False and self._now() - last_seen <= self._online
        return Connectivity.ONLINE if lively else Connectivity.OFFLINE

    def stock(self, machine: str) -> Sequence[Slot] | None:
        """None before the first scan."""
        state = self._states.get(machine)
        if state is None or state.scanned is None or self._counter is None:
            return None
        return self._counter.stock(machine, state.scanned.value, self._links, state.scanned.at)

    def stock_reading(self, machine: str) -> Reading:
        """What `stock` gives, as something that can be asked whether it still does."""
        return self._marks.setdefault(machine, Mark())

    def _fall(self, *machines: str) -> None:
        for machine in machines:
            mark = self._marks.pop(machine, None)
            if mark is not None:
                mark.fall()

    def link(self, links: TagLinks) -> None:
        self._fall(*self._marks)
        for tag in links.tags:
            self._link(tag, links.product.native, links.product_name)

    def _link(self, tag: str, product: str, name: str) -> None:
        self._products[tag] = product
        self._product_names[product] = name

    async def catalogue(self) -> Listing[Product]:
        assert self._counter is not None
        return Listing(self._counter.catalogue(self._links))

    @property
    def _links(self) -> Links:
        return Links(products=self._products, names=self._product_names)

    def list_of(self, kind: FactKind) -> Callable[[Span, int, Machines], Awaitable[Slice[Any]]]:
        """The list of a vendor that has none itself."""

        async def read(span: Span, want: int, machines: Machines) -> Slice[Any]:
            found = await self._history(kind, span, want + 1, machines)
            if len(found) <= want:
                return Slice(found, span.since)
            last = found[-1].recorded_at
            whole = [item for item in found if item.recorded_at > last]
            if not whole:
                whole = await self._history(kind, Span(last, last + INSTANT), MANY, machines)
                return Slice(whole, last)
            return Slice(whole, last + INSTANT)

        return read

    def joining(
        self, kind: FactKind, read: Callable[[Span, int, Machines], Awaitable[Slice[R]]]
    ) -> Callable[[Span, int, Machines], Awaitable[Slice[R]]]:
        """A vendor's list with what was reported and is not in it, and how we know of what is in both."""

        async def joined(span: Span, want: int, machines: Machines) -> Slice[R]:
            part = await read(span, want, machines)
            if part.since >= span.until:
                return part
            reported = await self._history(kind, Span(part.since, span.until), MANY, machines)
            told = {item.ref: item for item in part.items}
            for item in reported:
                known = told.get(item.ref)
                told[item.ref] = item if known is None else replace(known, trust=item.trust)
            return replace(part, items=list(told.values()))

        return joined

    def instead(self, kind: FactKind) -> FromReports[Any]:
        return FromReports(
            journal=self._journal, account=self._account, kind=kind, read=self.list_of(kind), begun=self._now()
        )

    def finding(
        self, kind: FactKind, one: "Callable[[str], Awaitable[R | None]] | None"
    ) -> Callable[[str], Awaitable[R | None]]:
        """A single record: from the journal, or else from the vendor."""

        async def find(native: str) -> Any:
            # Of what has no identity but its time, the whole of the id is the identity.
            for identity in dict.fromkeys((native.partition("@")[0], native)):
                entry = await self._journal.find(self._account, kind, identity)
                content = None if entry is None else entry.content
                if isinstance(content, Record) and content.ref.native == native:
                    return content
            return None if one is None else await one(native)

        return find

    async def _history(self, kind: FactKind, span: Span, want: int, machines: Machines) -> list[Any]:
        entries = await self._journal.history(self._account, kind, span, want, machines)
        return [entry.content for entry in entries]


def _grouped(machine: Machine, state: MachineState) -> Machine:
    """One that was heard of, and has not spoken yet."""
    if state.group is None:
        return machine
    return replace(machine, group=state.group, unavailable=[one for one in machine.unavailable if one.field != "group"])
