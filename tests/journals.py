"""Journals for tests: what is told to them, and journals and gateways over stores that tests can do things to."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from domain.facts import Fact, Origin, identity_of, recorded
from domain.model import Trust, Vendor
from domain.refs import Kind, Ref
from domain.sales import Sale, SaleKind, SaleStatus
from journal.appending import NO_MEANINGS, Illegible, Report, Taken
from journal.bus import Bus
from journal.journal import Journal
from journal.log import Entry
from journal.tail import Lost
from journal.writer import Writer
from resolvers.context import Graph
from resolvers.cursors import CursorSigner
from resolvers.dispatcher import Dispatcher

AT = datetime(2026, 3, 4, 12, tzinfo=UTC)


def sale(identity: str, *, machine: str = "m1", at: datetime = AT, **changed: Any) -> Fact:
    known: dict[str, Any] = {
        "ref": Ref(Kind.SALE, "acme", identity),
        "kind": SaleKind.PURCHASE,
        "status": SaleStatus.COMPLETED,
        "trust": Trust.SIGNED,
        "machine_ref": Ref(Kind.MACHINE, "acme", machine),
        "vendor": Vendor.SMARTVEND,
        "vendor_id": identity,
        "recorded_at": at,
        "occurred_at": at,
        "total": None,
        "tax": None,
        "discount": None,
        "payments": [],
        "lines": [],
        "person": None,
        "vendor_data": None,
    }
    return recorded(identity, Sale(**(known | changed)))


def report(*facts: Fact, account: str = "acme", at: datetime = AT, **changed: Any) -> Report:
    """One delivery."""
    known: dict[str, Any] = {"origin": Origin.WEBHOOK, "raw": b"{}", "delivered": True}
    return Report(account=account, facts=facts, received_at=at, **(known | changed))


def sold(*identities: str, **changed: Any) -> Report:
    return report(*map(sale, identities), **changed)


def illegible(key: str, **changed: Any) -> Illegible:
    known: dict[str, Any] = {"account": "acme", "machine": None, "received_at": AT, "reason": "because"}
    return Illegible(key=key, headers=b"{}", body=b"?", signed=b"{}", **(known | changed))


@contextmanager
def writer(
    engine: Engine, taken: Taken = NO_MEANINGS.taken, committed: Callable[[], None] = lambda: None
) -> Iterator[Writer]:
    found = Writer(engine, replace(NO_MEANINGS, taken=taken), committed)
    found.start()
    try:
        yield found
    finally:
        found.close()


@asynccontextmanager
async def journal(engine: Engine, bus: Bus | None = None, *, follows: bool = True) -> AsyncIterator[Journal]:
    found = Journal(engine, bus or Bus(), NO_MEANINGS)
    await found.start()
    if follows:
        found.follow()
    try:
        yield found
    finally:
        await found.close()


def bare(source: Journal) -> Graph:
    """A graph of no tenants and no accounts."""
    return Graph({}, {}, CursorSigner(b"x" * 32), source, Dispatcher(source))


async def follow(source: Journal, after: int) -> AsyncGenerator[Entry | Lost, None]:
    """Everything after a number, for ever."""
    while True:
        part = await source.tail.after(after)
        for one in part.found:
            yield one
        after = part.until


async def followed(source: Journal, after: int, count: int) -> list[Entry | Lost]:
    """The next so many."""
    found: list[Entry | Lost] = []
    if count:
        async for one in follow(source, after):
            found.append(one)
            if len(found) == count:
                break
    return found


def identities(entries: Iterable[Entry | Lost]) -> list[str]:
    """Of the sales."""
    sales = (one.content for one in entries if isinstance(one, Entry) and isinstance(one.content, Sale))
    return [identity_of(sale.ref) for sale in sales]


async def until(so: Callable[[], bool]) -> None:
    """Looks again and again, for what has no event of its own; for half a minute."""
    for _ in range(3_000):
        if so():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to that")
