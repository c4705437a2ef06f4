"""What equal subscribers have in common: each message is executed and encoded once, and kept for a while.

Who keeps up is served from what is kept, at a pace of its own. Who has fallen behind, or begins in the past, reads the
journal itself until it has caught up. Nothing is queued for anybody, so that who is slow costs nobody anything."""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import Context
from dataclasses import dataclass, field
from operator import attrgetter

import structlog
from cachetools import LRUCache

from domain.live import Message
from resolvers.live import Batch, Live

log = structlog.get_logger()

KEPT = 256  # newest messages of a channel; and as many encoded ones, for those who read the same past
TURN = 8  # messages for one subscriber before the others have their turn


@dataclass(frozen=True, slots=True)
class Frame:
    """A result as JSON. Of a subscription's message: its number, the cursor to go on from, and who has paid for it."""

    payload: str
    cursor: str | None = None
    seq: int = 0
    paid: set[object] = field(default_factory=set, compare=False)


Encode = Callable[[Message], str | Awaitable[str]]
seq_of: Callable[[Frame], int] = attrgetter("seq")


class Broken(Exception):
    """The messages cannot be read any more; why is in the log."""


class Channel:
    """Follows the journal and keeps the newest messages: all that there are after the number `floor`."""

    def __init__(self, live: Live[Message], encode: Encode, floor: int) -> None:
        self._live = live
        self._encode = encode
        self._floor = floor
        self._frames: list[Frame] = []
        self._encoded: LRUCache[int, asyncio.Future[str] | str] = LRUCache(KEPT)
        self._grown = asyncio.Event()
        self._broken = False
        self._following = asyncio.create_task(self._follow(), context=Context())  # nobody's request
        self.subscribers = 0

    def close(self) -> None:
        self._following.cancel()

    async def frames(self, live: Live[Message]) -> AsyncGenerator[Frame, None]:
        """For one subscriber, without end; `live` is its own. Raises Broken."""
        seq = live.start
        while True:
            if seq >= self._floor:
                for at, frame in enumerate(await self._after(seq), 1):
                    seq = frame.seq
                    yield frame
                    if at % TURN == 0:
                        await asyncio.sleep(0)
            else:
                batch = await read(live, seq)
                for message in batch.messages:
                    yield await self._frame(message)
                seq = batch.until

    async def _after(self, seq: int) -> Sequence[Frame]:
        """What is kept after a number, as soon as there is something; nothing where it is kept no longer."""
        while seq >= self._floor:
            if self._broken:
                raise Broken
            if self._frames and self._frames[-1].seq > seq:
                return self._frames[bisect_right(self._frames, seq, key=seq_of) :]
            await self._grown.wait()
        return []

    async def _follow(self) -> None:
        seq = self._floor
        try:
            while True:
                batch = await read(self._live, seq)
                for message in batch.messages:
                    self._keep(await self._frame(message))
                seq = batch.until
                await asyncio.sleep(0)
        except Broken:
            self._broken = True
            self._wake()

    def _keep(self, frame: Frame) -> None:
        self._frames.append(frame)
        if len(self._frames) > KEPT:
            self._floor = self._frames.pop(0).seq
        self._wake()

    def _wake(self) -> None:
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()

    async def _frame(self, message: Message) -> Frame:
        with _breaking(message.seq):
            return Frame(await self._payload(message), message.cursor, message.seq)

    async def _payload(self, message: Message) -> str:
        """Nobody who gives up takes the others' message away: the work is nobody's own."""
        known = self._encoded.get(message.seq)
        if known is None:
            encoded = self._encode(message)
            known = encoded if isinstance(encoded, str) else asyncio.ensure_future(encoded)
            if message.gap is None:  # a gap is told to one
                self._encoded[message.seq] = known
        return known if isinstance(known, str) else await asyncio.shield(known)


async def read(live: Live[Message], seq: int) -> Batch[Message]:
    with _breaking(seq):
        return await live.read(seq)


@contextmanager
def _breaking(seq: int) -> Iterator[None]:
    try:
        yield
    except Exception:
        log.exception("a subscription cannot go on", seq=seq)
        raise Broken from None
