"""An account that records things, as a timeline reads it, and a clock that all of them share."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from domain.errors import VendorError, VendorUnavailable
from domain.paging import Slice
from domain.refs import Kind, Ref
from domain.times import Span
from resolvers.cursors import EVERYWHERE, Gap
from resolvers.stretches import NEWEST_FIRST, Machines, Wanted
from resolvers.timeline import Found, Timeline

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
ALWAYS = Span(datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
HORIZON = timedelta(days=365)
TTL = 10.0
PATIENT = 5.0


def down(why: str = "down") -> VendorUnavailable:
    return VendorUnavailable(why, account="acme-kiosks", vendor="livello")


class Time:
    """Passes when it is told to, for both kinds of clock."""

    def __init__(self) -> None:
        self.passed = 0.0

    def clock(self) -> float:
        return self.passed

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.passed)


@dataclass(frozen=True, slots=True)
class Item:
    ref: Ref
    recorded_at: datetime
    machine_ref: Ref | None


def ids(items: Sequence[Item]) -> list[str]:
    return [item.ref.native for item in items]


@dataclass
class Vendor:
    """`lag`: how far its clock is behind ours. Each read is kept as span, how many were wanted, and machines."""

    time: Time = field(default_factory=Time)
    lag: timedelta = timedelta(0)
    items: list[Item] = field(default_factory=list)
    reads: list[tuple[Span, int, Machines]] = field(default_factory=list)
    error: VendorError | None = None
    gate: asyncio.Event | None = None
    spare: int = 0  # how many more it tells than are wanted

    def record(self, machine: str | None = "m1", ago: timedelta = timedelta(0)) -> Item:
        native = f"{len(self.items):05}"
        at = self.time.now() - self.lag - ago
        owner = None if machine is None else Ref(Kind.MACHINE, "acme-kiosks", machine)
        item = Item(Ref(Kind.SALE, "acme-kiosks", native), at, owner)
        self.items.append(item)
        return item

    def past(self, count: int, every: timedelta = timedelta(minutes=10), machine: str = "m1") -> None:
        """So many, one each `every`, the newest an hour ago."""
        for number in range(count):
            self.record(machine, timedelta(hours=1) + every * number)

    def truth(self, machines: Machines = None) -> list[Item]:
        return NEWEST_FIRST.sorted(item for item in self.items if _is_of(item, machines))

    async def read(self, span: Span, want: int, machines: Machines) -> Slice[Item]:
        self.reads.append((span, want, machines))
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        inside = [item for item in self.truth(machines) if item.recorded_at in span]
        told = inside[: want + self.spare]
        if len(told) == len(inside):
            return Slice(told, span.since)
        since = told[-1].recorded_at
        return Slice([item for item in inside if item.recorded_at >= since][::-1], since)

    def timeline(self, *, ttl: float = TTL, horizon: timedelta = HORIZON) -> Timeline[Item]:
        return Timeline(
            self.read,
            ttl=ttl,
            horizon=horizon,
            late=lambda seconds: down(f"late after {seconds}"),
            clock=self.time.clock,
            now=self.time.now,
        )


def _is_of(item: Item, machines: Machines) -> bool:
    return machines is None or (item.machine_ref is not None and item.machine_ref.native in machines)


async def newest(
    timeline: Timeline[Item],
    count: int,
    *,
    gap: Gap = EVERYWHERE,
    span: Span = ALWAYS,
    machines: Machines = None,
    patience: float = PATIENT,
) -> Found[Item]:
    """Raises VendorError."""
    found = (await timeline.newest({machines}, Wanted(span, gap, count), patience))[machines]
    if isinstance(found, VendorError):
        raise found
    return found


def after(found: Found[Item]) -> Gap:
    """What follows the last of what was found."""
    return Gap(NEWEST_FIRST.position(found.items[-1]), None)
