"""What equal subscribers share, without a gateway around it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import aclosing
from itertools import count, islice
from typing import Any

import pytest
from structlog.testing import capture_logs

from domain.facts import Origin
from domain.live import Message
from gateway.channels import KEPT, STRETCH, TURN, Broken, Channel, Frame
from resolvers.live import Batch, Live

EACH = 10  # messages of the journal that are read at once


class Script:
    """A journal of which each number is a message, up to `head`, and what was asked of it."""

    def __init__(self, head: int = 0) -> None:
        self.head = head
        self.encoded: list[int] = []
        self.read: list[int] = []
        self.broken = False
        self.grown = asyncio.Condition()

    def live(self, start: int) -> Live[Message]:
        return Live(start, self._read)

    async def grow(self, head: int) -> None:
        async with self.grown:
            self.head = head
            self.grown.notify_all()

    async def _read(self, seq: int) -> Batch[Message]:
        self.read.append(seq)
        async with self.grown:
            await self.grown.wait_for(lambda: self.broken or self.head > seq)
        if self.broken:
            raise LookupError("the journal is gone")
        until = min(self.head, seq + EACH)
        messages = [Message(seq=at, cursor=f"c{at}", origin=Origin.WEBHOOK) for at in range(seq + 1, until + 1)]
        return Batch(messages, until)

    def encode(self, message: Message) -> bytes | Awaitable[bytes]:
        self.encoded.append(message.seq)
        return b"m%d" % message.seq


async def take(frames: AsyncGenerator[Frame, None], number: int) -> Sequence[Frame]:
    return [await asyncio.wait_for(anext(frames), 5) for _ in range(number)]


def seqs(frames: Sequence[Frame]) -> list[int]:
    assert [(frame.payload, frame.cursor) for frame in frames] == [(b"m%d" % one.seq, f"c{one.seq}") for one in frames]
    return [frame.seq for frame in frames]


async def test_whoever_begins_in_the_past_goes_over_to_what_is_shared() -> None:
    journal = Script(head=25)
    channel = Channel(journal.live(25), journal.encode, 25)
    async with aclosing(channel.frames(journal.live(3))) as old, aclosing(channel.frames(journal.live(25))) as new:
        assert seqs(await take(old, 22)) == list(range(4, 26))
        await journal.grow(40)
        assert seqs(await take(new, 15)) == seqs(await take(old, 15)) == list(range(26, 41))
        assert sorted(journal.encoded) == list(range(4, 41))
        shared = [seq for seq in journal.read if seq > 25]
        assert len(shared) == len(set(shared)) > 0
    channel.close()


async def test_where_one_begins_may_be_ahead_of_what_was_shared_so_far() -> None:
    """The journal was read a moment later than it was followed."""
    journal = Script(head=5)
    channel = Channel(journal.live(5), journal.encode, 5)
    async with aclosing(channel.frames(journal.live(8))) as frames:
        await journal.grow(12)
        assert seqs(await take(frames, 4)) == [9, 10, 11, 12]
    channel.close()


async def test_whoever_falls_behind_is_served_from_the_journal_and_catches_up() -> None:
    journal = Script()
    channel = Channel(journal.live(0), journal.encode, 0)
    async with aclosing(channel.frames(journal.live(0))) as quick, aclosing(channel.frames(journal.live(0))) as slow:
        await journal.grow(5)
        first = await take(slow, 1)
        last = 3 * KEPT
        await journal.grow(last)
        assert seqs(await take(quick, last)) == list(range(1, last + 1))
        assert seqs([*first, *await take(slow, last - 1)]) == list(range(1, last + 1))
        assert len(channel._frames) == len(channel._encoded) == KEPT
        await journal.grow(last + 1)
        assert seqs(await take(slow, 1)) == seqs(await take(quick, 1)) == [last + 1]
        assert journal.encoded.count(last + 1) == 1
    channel.close()


async def test_a_message_is_executed_once_for_all_who_come_while_that_is_under_way() -> None:
    journal = Script(head=3)
    going = asyncio.Event()

    async def slowly(message: Message) -> bytes:
        await going.wait()
        return b"m%d" % message.seq

    def encode(message: Message) -> bytes | Awaitable[bytes]:
        journal.encode(message)
        return slowly(message)

    channel = Channel(journal.live(3), encode, 3)
    async with aclosing(channel.frames(journal.live(2))) as one, aclosing(channel.frames(journal.live(2))) as other:
        leaving, staying = asyncio.create_task(anext(one)), asyncio.create_task(anext(other))
        while not journal.encoded:  # noqa: ASYNC110  the work is nobody's own
            await asyncio.sleep(0)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        going.set()
        assert seqs([await staying]) == [3]
        assert journal.encoded == [3]
    channel.close()


async def test_what_cannot_be_read_any_more_ends_for_all_and_is_logged_once() -> None:
    journal = Script(head=4)
    channel = Channel(journal.live(4), journal.encode, 4)
    followers = [channel.frames(journal.live(4)) for _ in range(3)]
    waiting = [asyncio.create_task(anext(one)) for one in followers]
    with capture_logs() as logs:
        await asyncio.sleep(0)
        journal.broken = True
        await journal.grow(4)
        ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(one) for one in ended] == [Broken] * 3
    assert [line["event"] for line in logs] == ["a subscription cannot go on"]
    with pytest.raises(Broken):
        await take(channel.frames(journal.live(4)), 1)


async def test_whoever_has_much_to_hear_lets_others_have_their_turn() -> None:
    journal = Script()
    channel = Channel(journal.live(0), journal.encode, 0)
    await journal.grow(KEPT)
    while len(channel._frames) < KEPT:  # noqa: ASYNC110  nobody is told of it
        await asyncio.sleep(0)
    turns: list[str] = []

    async def hear(name: str) -> None:
        async with aclosing(channel.frames(journal.live(0))) as frames:
            for _ in range(KEPT):
                await anext(frames)
                turns.append(name)

    await asyncio.gather(hear("a"), hear("b"))
    assert "b" in turns[: KEPT // 2]
    channel.close()


class Taking:
    """A subscriber that takes what comes at once, as long as it may; `rest` is what it has to fetch."""

    def __init__(self, channel: Channel, live: Live[Message], most: int = 10**6) -> None:
        self.told: list[Frame] = []
        self.most = most
        self.rest = channel.frames(live, self._tell)

    def _tell(self, frame: Frame) -> bool:
        if len(self.told) >= self.most:
            return False
        self.told.append(frame)
        return True


async def rounds(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_whoever_has_heard_all_is_told_of_what_comes_and_not_woken() -> None:
    journal = Script()
    channel = Channel(journal.live(0), journal.encode, 0)
    one = Taking(channel, journal.live(0))
    waiting = asyncio.create_task(anext(one.rest))
    await rounds(3)
    for head in (1, 2, 30):
        await journal.grow(head)
        while len(one.told) < head:  # noqa: ASYNC110  nobody is woken, which is what is tested
            await asyncio.sleep(0)
    assert seqs(one.told) == list(range(1, 31))
    assert not waiting.done()
    channel.close()
    waiting.cancel()


async def test_what_is_not_taken_comes_as_ever_and_then_it_goes_on() -> None:
    journal = Script()
    channel = Channel(journal.live(0), journal.encode, 0)
    one = Taking(channel, journal.live(0), most=3)
    waiting = asyncio.create_task(anext(one.rest))
    await rounds(3)
    await journal.grow(5)
    fetched = [await waiting, *await take(one.rest, 1)]
    one.most = 10
    waiting = asyncio.create_task(anext(one.rest))
    await rounds(3)
    await journal.grow(8)
    while len(one.told) < 6:  # noqa: ASYNC110  as above
        await asyncio.sleep(0)
    assert (seqs(one.told), seqs(fetched)) == ([1, 2, 3, 6, 7, 8], [4, 5])
    assert not waiting.done()
    channel.close()
    waiting.cancel()


async def test_whoever_has_given_up_is_told_nothing_from_that_moment_on() -> None:
    journal = Script()
    channel = Channel(journal.live(0), journal.encode, 0)
    leaving, staying = Taking(channel, journal.live(0)), Taking(channel, journal.live(0))
    tasks = [asyncio.create_task(anext(one.rest)) for one in (leaving, staying)]
    await rounds(3)
    tasks[0].cancel()  # which the generator is told only later
    assert len(channel._waiting) == 2
    for one in channel._waiting:
        one.hear([Frame(b"m1", "c1", 1)])
    assert (leaving.told, seqs(staying.told)) == ([], [1])
    await rounds(3)
    assert len(channel._waiting) == 1
    channel.close()
    tasks[1].cancel()


async def test_many_are_told_a_part_at_a_time_and_each_some_of_it() -> None:
    """So that others have their turn; and all have heard a message before anybody hears much more."""
    journal = Script()
    channel = Channel(journal.live(0), journal.encode, 0)
    many = [Taking(channel, journal.live(0)) for _ in range(2 * STRETCH + 1)]
    tasks = [asyncio.create_task(anext(one.rest)) for one in many]
    await rounds(3)
    await journal.grow(EACH)
    heard = []
    while len(many[-1].told) < EACH:
        await asyncio.sleep(0)
        heard.append([len(many[at].told) for at in (0, STRETCH, 2 * STRETCH)])
    begun = [one for one in heard if any(one)]
    assert begun == [
        [TURN, 0, 0],
        [TURN, TURN, 0],
        [TURN, TURN, TURN],
        [EACH, TURN, TURN],
        [EACH, EACH, TURN],
        [EACH, EACH, EACH],
    ]
    assert all(seqs(one.told) == list(range(1, EACH + 1)) for one in many)
    channel.close()
    for task in tasks:
        task.cancel()


async def test_what_takes_its_time_does_not_hold_up_what_came_before_it() -> None:
    journal, going = Script(), asyncio.Event()

    async def slowly(message: Message) -> bytes:
        await going.wait()
        return b"m%d" % message.seq

    def encode(message: Message) -> bytes | Awaitable[bytes]:
        return slowly(message) if message.seq == 3 else journal.encode(message)

    channel = Channel(journal.live(0), encode, 0)
    one = Taking(channel, journal.live(0))
    waiting = asyncio.create_task(anext(one.rest))
    await rounds(3)
    await journal.grow(4)
    while len(one.told) < 2:  # noqa: ASYNC110  as above
        await asyncio.sleep(0)
    await rounds(10)
    assert seqs(one.told) == [1, 2]
    going.set()
    while len(one.told) < 4:  # noqa: ASYNC110  as above
        await asyncio.sleep(0)
    assert seqs(one.told) == [1, 2, 3, 4]
    channel.close()
    waiting.cancel()


async def test_a_subscription_can_be_iterated_as_it_is() -> None:
    """So GraphQL's own executor can follow it, which shares nothing."""
    found: list[Any] = []
    async for message in Script(head=25).live(3):
        found.append(message.seq)
        if len(found) == 22:
            break
    assert found == list(islice(count(4), 22))
