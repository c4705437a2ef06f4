"""What equal subscribers have in common: each message is executed and encoded once, and kept for a while.

Who has heard all is told of what comes as soon as it is there, without being woken, for as long as it takes it at once.
Who does not is served from what is kept, at a pace of its own. Who has fallen behind, or begins in the past, reads the
journal itself until it has caught up. Nothing is queued for anybody, so that who is slow costs nobody anything."""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
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
STRETCH = 200  # subscribers that are told before anybody else has a turn: a message to each of them takes some 3 ms


@dataclass(frozen=True, slots=True)
class Frame:
    """A result as JSON. Of a subscription's message: its number, the cursor to go on from, and who has paid for it."""

    payload: bytes
    cursor: str | None = None
    seq: int = 0
    paid: set[object] = field(default_factory=set, compare=False)


Encode = Callable[[Message], bytes | Awaitable[bytes]]
Tell = Callable[[Frame], bool]  # whether it was taken, to the end
seq_of: Callable[[Frame], int] = attrgetter("seq")


class Broken(Exception):
    """The messages cannot be read any more; why is in the log."""


@dataclass(slots=True, eq=False)
class _Waiting:
    """One that has heard all up to a number. `woken`: when it has to go on by itself."""

    seq: int
    tell: Tell
    woken: asyncio.Future[None]

    def hear(self, frames: Iterable[Frame]) -> None:
        """Whoever gives up while it waits has cancelled what it waits for, and hears no more."""
        for frame in frames:
            if self.woken.done():
                return
            if not self.tell(frame):
                self.woken.set_result(None)
                return
            self.seq = frame.seq


def takes_nothing(_: Frame) -> bool:
    return False


class Channel:
    """Follows the journal and keeps the newest messages: all that there are after the number `floor`."""

    def __init__(self, live: Live[Message], encode: Encode, floor: int) -> None:
        self._live = live
        self._encode = encode
        self._floor = floor
        self._frames: list[Frame] = []
        self._encoded: LRUCache[int, asyncio.Future[bytes] | bytes] = LRUCache(KEPT)
        self._waiting: dict[_Waiting, None] = {}
        self._broken = False
        self._following = asyncio.create_task(self._follow(), context=Context())  # nobody's request
        self.subscribers = 0

    def close(self) -> None:
        self._following.cancel()

    async def frames(self, live: Live[Message], tell: Tell = takes_nothing) -> AsyncGenerator[Frame, None]:
        """For one subscriber, without end; `live` is its own. What `tell` takes is not told here. Raises Broken."""
        seq = live.start
        while True:
            if seq < self._floor:
                batch = await read(live, seq)
                for message in batch.messages:
                    yield await self._frame(message)
                seq = batch.until
            elif found := self._after(seq):
                for at, frame in enumerate(found, 1):
                    seq = frame.seq
                    yield frame
                    if at % TURN == 0:
                        await asyncio.sleep(0)
            else:
                seq = await self._wait(seq, tell)

    async def _wait(self, seq: int, tell: Tell) -> int:
        """Up to which number it was told meanwhile. Raises Broken."""
        if self._broken:
            raise Broken
        one = _Waiting(seq, tell, asyncio.get_running_loop().create_future())
        self._waiting[one] = None
        try:
            await one.woken
        finally:
            del self._waiting[one]
        return one.seq

    def _after(self, seq: int) -> Sequence[Frame]:
        """What is kept after a number."""
        if not self._frames or self._frames[-1].seq <= seq:
            return []
        return self._frames[bisect_right(self._frames, seq, key=seq_of) :]

    async def _follow(self) -> None:
        seq = self._floor
        try:
            while True:
                batch = await read(self._live, seq)
                for message in batch.messages:
                    await self._keep(message)
                seq = batch.until
                await self._tell()
        except Broken:
            self._broken = True
            self._wake()

    async def _keep(self, message: Message) -> None:
        """What came before one that takes its time does not wait for it."""
        with _breaking(message.seq):
            payload = self._payload(message)
            if not isinstance(payload, bytes):
                await self._tell()
            frame = Frame(await _made(payload), message.cursor, message.seq)
        self._frames.append(frame)
        if len(self._frames) > KEPT:
            self._floor = self._frames.pop(0).seq

    async def _tell(self) -> None:
        """All who wait, of all that there is, each of some of it at a time. No more is read meanwhile."""
        behind = True
        while behind:
            behind, waiting = False, list(self._waiting)
            for at in range(0, len(waiting), STRETCH):
                behind |= self._told(waiting[at : at + STRETCH])
                await asyncio.sleep(0)

    def _told(self, waiting: Sequence[_Waiting]) -> bool:
        """Whether some of them have not heard all yet. Most stand at the same number."""
        found: dict[int, Sequence[Frame]] = {}
        for one in waiting:
            frames = found.get(one.seq)
            if frames is None:
                frames = found[one.seq] = self._after(one.seq)
            one.hear(frames[:TURN])
        return any(len(frames) > TURN for frames in found.values())

    def _wake(self) -> None:
        for one in self._waiting:
            if not one.woken.done():
                one.woken.set_result(None)

    async def _frame(self, message: Message) -> Frame:
        with _breaking(message.seq):
            return Frame(await _made(self._payload(message)), message.cursor, message.seq)

    def _payload(self, message: Message) -> bytes | asyncio.Future[bytes]:
        known = self._encoded.get(message.seq)
        if known is None:
            encoded = self._encode(message)
            known = encoded if isinstance(encoded, bytes) else asyncio.ensure_future(encoded)
            if message.gap is None:  # a gap is told to one
                self._encoded[message.seq] = known
        return known


async def _made(payload: bytes | asyncio.Future[bytes]) -> bytes:
    """Nobody who gives up takes the others' message away: the work is nobody's own."""
    return payload if isinstance(payload, bytes) else await asyncio.shield(payload)


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
