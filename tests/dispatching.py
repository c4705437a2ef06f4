"""Dispatchers over SmartVend and a store, as a gateway puts them together, in the test's own event loop: so that one
can be stopped at any point, and its clock be another."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Engine

from connectors.http import new_client
from domain.capabilities import Capability
from domain.commands import Command
from domain.model import Vendor
from domain.money import Money
from domain.orders import SendDeposit
from domain.refs import Kind, Ref
from domain.times import utc_now
from gateway.app import connected
from gateway.meanings import meanings
from gateway.settings import load
from gateway.settling import Settler
from journal import commands
from journal.audit import Actor
from journal.bus import Bus
from journal.intents import Intent, Kept, begun
from journal.journal import Journal
from resolvers.context import Graph
from resolvers.cursors import CursorSigner
from resolvers.dispatcher import Dispatcher
from resolvers.sources import CacheTimes, Source
from tests.attempts import commanded

ACCOUNT = "acme-coffee"


@dataclass(slots=True)
class Dispatching:
    """`machine` is the vendor's id of the one that all is asked of."""

    journal: Journal
    source: Source
    dispatcher: Dispatcher
    machine: str

    def intent(self, cents: int, key: str | None = None) -> Intent:
        ref, machine = Ref(Kind.COMMAND, ACCOUNT, uuid4().hex), Ref(Kind.MACHINE, ACCOUNT, self.machine)
        amount = Money(Decimal(cents).scaleb(-2), "EUR")
        return Intent(
            command=begun(ref, Capability.SEND_DEPOSIT, machine, "me", key or ref.native, utc_now()),
            vendor=Vendor.SMARTVEND,
            organization="acme",
            order=SendDeposit(machine=self.machine, amount=amount),
            amount=amount,
            fingerprint=str(cents),
            actor=Actor(name="me"),
            owner=self.dispatcher.owner,
            until=self.dispatcher.until,
        )

    async def recorded(self, intent: Intent) -> Kept:
        """By a process that then does nothing about it."""
        await self.journal.change(lambda ledger: ledger.place(intent))
        return self.kept(intent.command)

    async def placed(self, intent: Intent) -> Command:
        return await self.dispatcher.place(self.source, intent)

    def kept(self, command: Command) -> Kept:
        found = commands.find(self.journal.engine, command.ref.native)
        assert found is not None
        return found

    def settler(self, later: float) -> Settler:
        """Of a gateway that looks so many seconds later."""
        graph = Graph({}, {ACCOUNT: self.source}, CursorSigner(b"x" * 32), self.journal, self.dispatcher)
        return Settler(
            graph, seconds=0, clock=lambda: time.time() + later, now=lambda: utc_now() + timedelta(seconds=later)
        )


@asynccontextmanager
async def dispatching(store: Engine, vendor: str, machine: str, folder: Path) -> AsyncIterator[Dispatching]:
    """`vendor`: the address of a sandbox, or of what stands before it. The journal may be closed before the end."""
    path = folder / "vendgraph.toml"
    path.write_text(commanded("sqlite:///unused.db", vendor), encoding="utf-8")
    async with new_client() as client:
        connectors = connected(load(path), client)
        journal = Journal(store, Bus(), meanings(connectors))
        await journal.start()
        source = Source(connectors[ACCOUNT], CacheTimes(), journal)
        dispatcher = Dispatcher(journal, answer_seconds=0.1)
        try:
            yield Dispatching(journal, source, dispatcher, machine)
        finally:
            await dispatcher.aclose(1.0)
            await source.aclose()
            await journal.close()
