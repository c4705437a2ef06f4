"""Leases: one process at a time does what only one should, and another takes over when it dies.

Clocks of processes that share a store may differ by a few seconds; leases are long against that. A process that was
stopped for longer than its lease finds out late: what is done under one must do no harm when two do it, and it does
none, for the journal takes every record once."""

import asyncio
import time
from collections.abc import Awaitable
from math import ceil
from typing import Protocol, TypeVar

from redis.asyncio import Redis
from sqlalchemy import Engine, delete, or_

from journal.appending import INSERTS
from journal.store import writing
from journal.tables import leases

T = TypeVar("T")

# KEYS: the lease. ARGV: who asks, and for how many milliseconds. Answers 1 where it was free or their own.
HOLD = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
# KEYS: the lease. ARGV: who gives it back.
RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class Leases(Protocol):
    """One process's. Its methods raise SQLAlchemyError where the store does not answer."""

    async def hold(self, name: str, seconds: float) -> bool:
        """Takes or renews the lease; False while another holds it."""
        ...

    async def release(self, name: str) -> None:
        """Then another may take it at once. What is not one's own stays as it is."""
        ...


class StoreLeases:
    """`owner` names this process among those that share the store."""

    def __init__(self, engine: Engine, owner: str) -> None:
        self.owner = owner
        self._engine = engine

    async def hold(self, name: str, seconds: float) -> bool:
        return await asyncio.to_thread(acquire, self._engine, name, self.owner, seconds)

    async def release(self, name: str) -> None:
        await asyncio.to_thread(release, self._engine, name, self.owner)


class Link(Protocol):
    """A way to Redis that fails fast. `ask` answers None where Redis does not."""

    @property
    def redis(self) -> Redis: ...

    async def ask(self, asked: Awaitable[T]) -> T | None: ...


class RedisLeases:
    """Shared through Redis, by Redis' own clock, and kept in the store as well: who holds a lease holds both.

    Whoever Redis refuses leaves the store in peace. Whoever gets the lease there must get the store's too, or gives it
    back; each renewal is of both. So while Redis does not answer the store's lease alone decides: its holder goes on,
    and nobody else gets it. Nor does a Redis that forgot everything make two of them: at worst the holder is refused
    once, while another is about to give back what it got there, and has it again when it looks next.

    `scope` names the store: those on one Redis that share no store have leases of their own."""

    def __init__(self, link: Link, store: StoreLeases, scope: str) -> None:
        self._link = link
        self._store = store
        self._prefix = f"vendgraph:lease:{scope}:"
        self._take = link.redis.register_script(HOLD)
        self._give = link.redis.register_script(RELEASE)

    async def hold(self, name: str, seconds: float) -> bool:
        taking = self._take(keys=[self._prefix + name], args=[self._store.owner, ceil(seconds * 1000)])
        if await self._link.ask(taking) == 0:
            return False
        held = False
        try:
            held = await self._store.hold(name, seconds)
        finally:
            if not held:
                await self._give_back(name)
        return held

    async def release(self, name: str) -> None:
        """The store's first: whoever then gets the lease in Redis gets that one too."""
        try:
            await self._store.release(name)
        finally:
            await self._give_back(name)

    async def _give_back(self, name: str) -> None:
        await self._link.ask(self._give(keys=[self._prefix + name], args=[self._store.owner]))


def acquire(engine: Engine, name: str, owner: str, seconds: float, now: float | None = None) -> bool:
    """Takes or renews the lease; False while another holds it. `now`: UNIX seconds."""
    now = time.time() if now is None else now
    row = {"name": name, "owner": owner, "until": now + seconds}
    insert = INSERTS[engine.dialect.name](leases).values(row)
    free = or_(leases.c.owner == owner, leases.c.until < now)
    taking = insert.on_conflict_do_update(
        index_elements=["name"], set_={"owner": owner, "until": now + seconds}, where=free
    ).returning(leases.c.owner)
    with writing(engine) as connection:
        return connection.execute(taking).first() is not None


def release(engine: Engine, name: str, owner: str) -> None:
    with writing(engine) as connection:
        connection.execute(delete(leases).where(leases.c.name == name, leases.c.owner == owner))
