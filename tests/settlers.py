"""What finds out, of another gateway on the same store, so that a test says when it looks and what time it is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from connectors.http import new_client
from domain.times import utc_now
from gateway.app import connected, sources, tenants
from gateway.meanings import meanings
from gateway.settings import load
from gateway.settling import Settler
from journal.bus import Bus
from journal.journal import Journal
from journal.store import open_store
from resolvers.context import Graph
from resolvers.cursors import CursorSigner
from resolvers.dispatcher import Dispatcher


@dataclass(slots=True)
class Looking:
    """`later`: by how many seconds its clock is ahead of the time, or of `stands` where that is to stand still."""

    later: float = 0.0
    stands: datetime | None = None
    settler: Settler | None = None

    def now(self) -> datetime:
        return (self.stands or utc_now()) + timedelta(seconds=self.later)

    async def look(self, *, later: float | None = None) -> None:
        """Once at all commands; returns when it has done what it does."""
        assert self.settler is not None
        self.later = self.later if later is None else later
        await self.settler.look()


@asynccontextmanager
async def looking(folder: Path, *, seconds: float = 0.0) -> AsyncIterator[Looking]:
    """`folder`: the gateway's; `seconds`: how long a sale is left to see whether another comes."""
    settings = load(folder / "vendgraph.toml")
    store, found = open_store(settings.store.url.get_secret_value()), Looking()
    async with new_client() as client:
        connectors = connected(settings, client)
        journal = Journal(store, Bus(), meanings(connectors))
        await journal.start()
        accounts = sources(settings, connectors, journal)
        graph = Graph(tenants(settings), accounts, CursorSigner(b"x" * 32), journal, Dispatcher(journal))
        found.settler = Settler(graph, seconds=seconds, clock=lambda: found.now().timestamp(), now=found.now)
        try:
            yield found
        finally:
            for source in accounts.values():
                await source.aclose()
            await journal.close()
            store.dispose()
