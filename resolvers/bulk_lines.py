"""What an account is to be sent of a bulk: a few at a time, when there is room, first what somebody waits behind."""

import asyncio
from collections import deque
from collections.abc import Collection

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from domain.orders import MachineOrder
from journal import bulks
from resolvers.pace import Pace
from resolvers.sending import Sender, Work
from resolvers.sources import Source

log = structlog.get_logger()

SENT_AT_ONCE = 4
BEHIND_EVERY = 0.5  # seconds between looks who waits behind what waits


class Line:
    def __init__(self, engine: Engine, sender: Sender, source: Source) -> None:
        self.source = source
        self.queue: deque[Work] = deque()
        self._engine = engine
        self._sender = sender
        self._under_way: dict[str, Work] = {}
        self._hurrying = False
        self._stopped = False

    def stop(self) -> None:
        """No more is begun, and what waits for room does not any more."""
        self._stopped = True
        for work in self._under_way.values():
            _pace(work).ends = 0.0

    async def run(self) -> None:
        """Returns when everything has been sent, or found not to be."""
        senders = {asyncio.create_task(self._send()) for _ in range(min(SENT_AT_ONCE, len(self.queue)))}
        try:
            while senders:
                _, senders = await asyncio.wait(senders, timeout=BEHIND_EVERY)
                if senders and await self._urged() and not self._hurrying:
                    senders.add(asyncio.create_task(self._hurry()))
        finally:
            for sender in senders:
                sender.cancel()
            await asyncio.gather(*senders, return_exceptions=True)

    async def _send(self) -> None:
        while self.queue and not self._stopped:
            await self._go(self.queue.popleft())

    async def _hurry(self) -> None:
        """While all others wait for room."""
        self._hurrying = True
        while self.queue and _pace(self.queue[0]).urgent and not self._stopped:
            await self._go(self.queue.popleft())
        self._hurrying = False

    async def _go(self, work: Work) -> None:
        self._under_way[work.native] = work
        try:
            await self._sender.run(work)
        except Exception:
            log.exception("a command of a bulk was left", command=work.native)
        finally:
            del self._under_way[work.native]

    async def _urged(self) -> bool:
        """A command that is no bulk's does not wait for one: what is before it at its machine goes now, as it would."""
        theirs = {_machine(work) for work in (*self.queue, *self._under_way.values())}
        try:
            behind = await asyncio.to_thread(bulks.waited_behind, self._engine, self.source.key, sorted(theirs))
        except SQLAlchemyError:
            return False
        self._prefer(behind)
        return bool(behind)

    def _prefer(self, machines: Collection[str]) -> None:
        for work in (*self._under_way.values(), *self.queue):
            if _machine(work) in machines:
                _pace(work).urgent = True
        self.queue = deque(sorted(self.queue, key=lambda work: not _pace(work).urgent))  # it is stable


def _machine(work: Work) -> str:
    assert isinstance(work.order, MachineOrder)
    return work.order.machine


def _pace(work: Work) -> Pace:
    assert work.pace is not None
    return work.pace
