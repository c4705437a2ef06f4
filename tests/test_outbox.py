"""How the emulated vendors send: what counts as taken, when they come again, and what is disturbed on request."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sandbox.outbox import PLAUSIBLE, SCHEDULE, Letter, Outbox
from sandbox.pace import Pace
from sandbox.world import World
from tests.receiving import Receiver, receiving, until

HURRIED = 1e7  # by which all tries come within milliseconds
NOWHERE = "http://127.0.0.1:9"  # nobody listens on the discard port


class Noting(Pace):
    """Waits for nothing, and keeps how long it should have."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.noted.append(seconds)


def letter(name: str, **more: Any) -> Letter:
    return Letter(kind="sale", id=name, body=name.encode(), **more)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@asynccontextmanager
async def sending(address: str | None, **how: Any) -> AsyncIterator[Outbox]:
    outbox = Outbox("acme", World().random("outbox"), **how)
    outbox.address = address
    outbox.pace.begin()
    outbox.pace.start(outbox.run())
    yield outbox
    await outbox.pace.end()


async def post(outbox: Outbox, *letters: Letter) -> None:
    """Returns when all of them are taken or given up."""
    for one in letters:
        outbox.post(one)
    await asyncio.sleep(0)
    await until(lambda: outbox.waiting == 0)


def tries(outbox: Outbox) -> list[tuple[str, int, int | None]]:
    return [(one.id, one.attempt, one.status) for one in outbox.sent]


async def test_a_webhook_goes_to_the_accounts_address(receiver: Receiver) -> None:
    async with sending(receiver.base, sign=lambda body: {"x-signature": f"of {body.decode()}"}) as outbox:
        await post(outbox, letter("a"), letter("b", path="/fridge/token"), letter("c", url=f"{receiver.base}/own"))
    assert [(one.path, one.body) for one in receiver.came] == [
        ("/webhooks/acme", b"a"),
        ("/webhooks/acme/fridge/token", b"b"),
        ("/own", b"c"),
    ]
    first = receiver.came[0].headers
    assert (first["content-type"], first["x-signature"]) == ("application/json", "of a")


async def test_nothing_is_sent_to_nobody(receiver: Receiver) -> None:
    async with sending(None) as outbox:
        await post(outbox, letter("a"))
        await post(outbox, letter("b", url=f"{receiver.base}/own"))
    assert [one.body for one in receiver.came] == [b"b"]


@pytest.mark.parametrize("status", [201, 202, 204, 301, 400, 401, 404, 413, 500, 503])
async def test_exactly_200_counts_as_taken(receiver: Receiver, status: int) -> None:
    receiver.statuses = [status]
    async with sending(receiver.base) as outbox:
        outbox.pace.speed = HURRIED
        await post(outbox, letter("a"))
        assert tries(outbox) == [("a", 0, status), ("a", 1, 200)]


async def test_tries_come_when_the_documents_say_and_then_the_vendor_falls_silent(receiver: Receiver) -> None:
    pace = Noting()
    receiver.statuses = [503] * (1 + len(SCHEDULE))
    async with sending(receiver.base, schedule=SCHEDULE, stops=True, pace=pace) as outbox:
        await post(outbox, letter("a"))
        assert pace.noted == [60, 300, 600, 1800, 7200, 18_000]
        assert tries(outbox) == [("a", attempt, 503) for attempt in range(7)]
        assert outbox.stopped
        await post(outbox, letter("b"))
        assert len(receiver.came) == 7
        outbox.turn(on=True)
        await post(outbox, letter("c"))
        assert [one.body for one in receiver.came[7:]] == [b"c"]


async def test_another_vendor_gives_up_the_one_webhook(receiver: Receiver) -> None:
    receiver.statuses = [503] * (1 + len(PLAUSIBLE))
    async with sending(receiver.base, pace=Noting()) as outbox:
        await post(outbox, letter("a"))
        assert not outbox.stopped
        await post(outbox, letter("b"))
        assert tries(outbox)[-1] == ("b", 0, 200)


async def test_what_was_not_taken_keeps_nothing_else_from_being_sent(receiver: Receiver) -> None:
    receiver.statuses = [503]
    async with sending(receiver.base) as outbox:
        for name in "abc":
            outbox.post(letter(name))
        await until(lambda: len(receiver.came) == 3)
        assert [one.body for one in receiver.came] == [b"a", b"b", b"c"]
        await until(lambda: outbox.waiting == 1)
        outbox.pace.speed = HURRIED
        await until(lambda: outbox.waiting == 0)
        assert [one.body for one in receiver.came[3:]] == [b"a"]


async def test_no_answer_is_no_success(receiver: Receiver) -> None:
    async with sending(NOWHERE) as outbox:
        outbox.post(letter("a"))
        await until(lambda: bool(outbox.sent))
        assert tries(outbox) == [("a", 0, None)]
        outbox.address = receiver.base
        outbox.pace.speed = HURRIED
        await until(lambda: outbox.waiting == 0)
        assert tries(outbox)[-1][2] == 200


async def test_each_try_is_signed_anew(receiver: Receiver) -> None:
    receiver.statuses = [503, 503]
    numbers = iter(range(9))
    async with sending(receiver.base, sign=lambda _: {"x-signature": str(next(numbers))}) as outbox:
        outbox.pace.speed = HURRIED
        await post(outbox, letter("a"))
    assert [one.headers["x-signature"] for one in receiver.came] == ["0", "1", "2"]


async def test_what_waits_when_it_is_turned_off_is_never_sent(receiver: Receiver) -> None:
    receiver.statuses = [503]
    async with sending(receiver.base) as outbox:
        outbox.post(letter("a"))
        await until(lambda: bool(receiver.came) and bool(outbox.sent))
        outbox.turn(on=False)
        outbox.post(letter("b"))
        await until(lambda: outbox.waiting == 0)
        outbox.turn(on=True)
        outbox.pace.speed = HURRIED
        await post(outbox, letter("c"))
    assert [one.body for one in receiver.came] == [b"a", b"c"]


async def test_nobody_is_told_any_more_once_the_address_is_taken_away(receiver: Receiver) -> None:
    receiver.statuses = [503]
    async with sending(receiver.base) as outbox:
        outbox.post(letter("a"))
        await until(lambda: bool(outbox.sent))
        outbox.address = None
        outbox.pace.speed = HURRIED
        await until(lambda: outbox.waiting == 0)
    assert len(receiver.came) == 1


async def test_as_many_are_lost_as_were_asked_for(receiver: Receiver) -> None:
    async with sending(receiver.base) as outbox:
        outbox.lose = 2
        await post(outbox, *map(letter, "abcd"))
        assert (outbox.lost, outbox.lose) == (2, 0)
    assert [one.body for one in receiver.came] == [b"c", b"d"]


async def test_as_many_are_doubled_as_were_asked_for(receiver: Receiver) -> None:
    async with sending(receiver.base) as outbox:
        outbox.duplicate = 2
        await post(outbox, *map(letter, "abc"))
    assert [one.body for one in receiver.came] == [b"a", b"a", b"b", b"b", b"c"]


async def test_what_happens_at_once_may_arrive_in_any_order(receiver: Receiver) -> None:
    names = "abcdefgh"
    async with sending(receiver.base) as outbox:
        outbox.reorder = True
        await post(outbox, *map(letter, names))
    came = "".join(one.body.decode() for one in receiver.came)
    assert sorted(came) == list(names)
    assert came != names


async def test_time_can_be_sped_up_while_something_waits() -> None:
    pace = Pace()
    waiting = asyncio.create_task(pace.sleep(18_000))
    await asyncio.sleep(0)
    pace.speed = HURRIED
    await asyncio.wait_for(waiting, 10)


async def test_nothing_goes_on_before_its_time_and_after_it() -> None:
    pace, done = Pace(), list[str]()

    async def work(name: str) -> None:
        await pace.sleep(1e-5)
        done.append(name)

    assert pace.start(work("before")) is None
    pace.begin()
    started = pace.start(work("meanwhile"))
    assert started is not None
    await started
    forgotten = pace.start(pace.sleep(3600))
    await pace.end()
    assert forgotten is not None
    assert forgotten.cancelled()
    assert pace.start(work("after")) is None
    assert done == ["meanwhile"]
