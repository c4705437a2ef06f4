"""Commands over gateways that are processes of their own, asked for as often as it takes to get an answer."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import select

from domain.commands import Command, CommandStatus
from gateway.app import create_app
from gateway.server import serving as serving_app
from gateway.settings import load
from journal import codec
from journal.keys import digest
from journal.store import open_store
from journal.tables import commands
from sandbox.server import start
from tests.gateways import Served, config, serving
from tests.running import ADMIN, Gateway, Sandbox

TOLD = "command { id status error history { status note } } errors { code message }"
DEPOSIT = f"mutation($input: SendDepositInput!) {{ sendDeposit(input: $input) {{ {TOLD} }} }}"
PRICE = f"mutation($input: SetPriceInput!) {{ setPrice(input: $input) {{ {TOLD} }} }}"
COMMAND = f"query($id: ID!) {{ {TOLD.partition(' errors')[0].replace('command {', 'command(id: $id) {')} }}"
MACHINES = "{ machines { nodes { id connectivity slots { id position } } } }"
ENDED = frozenset({"SUCCEEDED", "FAILED", "UNKNOWN"})


def commanded(store: str, vendor: str, *, timeout: float = 30.0, bus: str = "memory://") -> str:
    """One SmartVend account. `timeout`: seconds for the vendor to answer; callers do not wait for that long."""
    limits = f"[accounts.limits]\ntimeout_seconds = {timeout}\n[accounts.credentials]"
    text = config(store, bus=bus, vendor=vendor).replace("[accounts.credentials]", limits)
    return text.replace("[store]", "[commands]\nanswer_seconds = 0.3\n[store]")


def keyed(text: str, store: str) -> str:
    """A sandbox's configuration with a store of its own, and a key to ask with."""
    text = text.replace("[server]", "[server]\nport = 0") + f'\n[store]\nurl = "{store}"\n'
    return f'{text}[[auth.keys]]\nname = "admin"\nsha256 = "{digest(ADMIN)}"\nrole = "admin"\norganizations = ["*"]\n'


def deposit(machine: str, key: str, cents: int) -> dict[str, Any]:
    return {"input": {"machineId": machine, "amount": f"{cents // 100}.{cents % 100:02}", "idempotencyKey": key}}


def price(slot: str, key: str, cents: int) -> dict[str, Any]:
    return {"input": {"slotId": slot, "amount": f"{cents // 100}.{cents % 100:02}", "idempotencyKey": key}}


def payload(answer: Any) -> Any:
    """What the one mutation of a request answered."""
    assert "errors" not in answer, answer["errors"]
    (found,) = answer["data"].values()
    assert (found["command"] is None) == bool(found["errors"])
    return found


@dataclass(slots=True)
class Line:
    """To a gateway, whichever is there: it may be another after each restart. By key, `asked` is what was asked, and
    `told` every command that was told."""

    client: httpx2.AsyncClient
    gateway: Gateway | None = None
    asked: dict[str, dict[str, Any]] = field(default_factory=dict)
    told: dict[str, list[Any]] = field(default_factory=dict)

    async def command(self, query: str, given: dict[str, Any]) -> Any:
        """As it is told, asked for until it is, always with the same key."""
        key = given["input"]["idempotencyKey"]
        self.asked[key] = given
        while True:
            found = None if self.gateway is None else await self.ask(query, given, self.gateway)
            if found is not None and found["command"] is not None:
                self.told.setdefault(key, []).append(found["command"])
                return found["command"]
            await asyncio.sleep(0.1)

    async def end(self, query: str, given: dict[str, Any]) -> Any:
        """The same, until it has come to an end."""
        found = await self.command(query, given)
        while found["status"] not in ENDED:
            await asyncio.sleep(1.0)
            found = await self.command(query, given)
        return found

    def open(self) -> list[dict[str, Any]]:
        """What has no end yet, by what was told of it last."""
        return [given for key, given in self.asked.items() if self.told[key][-1]["status"] not in ENDED]

    async def ask(self, query: str, given: dict[str, Any], gateway: Gateway) -> Any:
        """None where no answer came."""
        headers, body = {"authorization": f"Bearer {gateway.key}"}, {"query": query, "variables": given}
        try:
            answer = await self.client.post(f"{gateway.base}/graphql", json=body, headers=headers)
        except httpx2.TransportError:
            return None
        return payload(answer.json())


@asynccontextmanager
async def calling() -> AsyncIterator[Line]:
    async with httpx2.AsyncClient(timeout=30, trust_env=False) as client:
        yield Line(client)


@asynccontextmanager
async def started(folder: Path, text: str) -> AsyncIterator[Served]:
    """Off the event loop, which may carry what it says."""
    stack = ExitStack()
    served = await asyncio.to_thread(stack.enter_context, serving(folder, text))
    try:
        yield served
    finally:
        await asyncio.to_thread(stack.close)


@contextmanager
def inside(folder: Path, text: str) -> Iterator[Gateway]:
    """A gateway in a thread of this process, for what needs no process of its own."""
    path = folder / "vendgraph.toml"
    path.write_text(text, encoding="utf-8")
    with start(create_app(load(path)), serving=serving_app) as server:
        yield Gateway(server.base, server=server)


@asynccontextmanager
async def begun(folder: Path, text: str) -> AsyncIterator[Gateway]:
    """The same, off the event loop, which may carry what it says."""
    stack = ExitStack()
    gateway = await asyncio.to_thread(stack.enter_context, inside(folder, text))
    try:
        yield gateway
    finally:
        await asyncio.to_thread(stack.close)


def kept(url: str) -> dict[str, Command]:
    """The ledger, by idempotency key."""
    store = open_store(url)
    with store.connect() as connection:
        found = [codec.read_command(content) for content in connection.scalars(select(commands.c.content))]
    store.dispose()
    return {command.idempotency_key: command for command in found}


def statuses(command: Command) -> list[CommandStatus]:
    return [one.status for one in command.history]


def carried_out(sandbox: Sandbox, member: str = "deposit") -> Counter[Any]:
    """How often each, by what the vendor got as this member of a body."""
    return Counter(body[member] for body in sandbox.truth("smartvend")["commands"] if member in body)


async def ask(gateway: Gateway, query: str, given: dict[str, Any]) -> Any:
    return payload((await asyncio.to_thread(gateway.post, query, given)).json())


async def some_machine(gateway: Gateway) -> Any:
    """One that is online: its id, and the ids of its slots."""
    found = (await asyncio.to_thread(gateway.ask, MACHINES))["machines"]["nodes"]
    return next(one for one in found if one["connectivity"] == "ONLINE" and one["slots"])


async def seen(gateway: Gateway, id_: str) -> Any:
    return (await asyncio.to_thread(gateway.ask, COMMAND, {"id": id_}))["command"]


async def ends(gateway: Gateway, id_: str, *ends: str) -> Any:
    """The command when it has come to such an end, or to any; half a minute at the most."""
    for _ in range(300):
        found = await seen(gateway, id_)
        if found["status"] in (ends or ENDED):
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"it has no end: {found}")
