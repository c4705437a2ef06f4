"""How much at once: places that are bounded, callers that are turned away, requests that never arrive."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.arriving import ARRIVING_SECONDS, LARGEST_HEAD
from gateway.capacity import Capacity, CapacitySettings, Crowd, Crowded
from gateway.lag import CALM_SECONDS, IN_A_ROW, LONGEST_SECONDS, Lag
from gateway.server import PatientHttp
from tests.following import SALES, Socket, events
from tests.hostile import request
from tests.running import ADMIN, CLIENT, VIEWER, Gateway, Sandbox, running_gateway
from tests.telling import smartvend, smartvend_sale
from tests.test_hostile import answered, exchanged, place

FEW = "\n[capacity]\nsockets = 3\nsockets_per_key = 2\noperations_per_key = 2\n"
WAIT_SECONDS = 30.0


@pytest.fixture(scope="module")
def few(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(shared_sandbox, tmp_path_factory.mktemp("few"), more=FEW) as gateway:
        yield gateway


def metrics(gateway: Gateway) -> str:
    return CLIENT.get(f"{gateway.base}/metrics").text


async def emptied(gateway: Gateway) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            told = metrics(gateway)
            if "vendgraph_operations 0.0" in told and "vendgraph_sockets 0.0" in told:
                return
            await asyncio.sleep(0.02)


def test_a_crowd_has_so_many_places_for_each_key() -> None:
    crowd = Crowd("things", 2)
    with crowd.place("a"), crowd.place("a"), crowd.place("b"):
        assert len(crowd) == 3
        with pytest.raises(Crowded, match="2 things at once") as refused, crowd.place("a"):
            pass
        assert refused.value.retry_after
    assert len(crowd) == 0
    with crowd.place("a"):
        assert len(crowd) == 1


async def test_a_key_has_so_many_sockets(few: Gateway) -> None:
    async with Socket(few), Socket(few) as second:
        async with Socket(few, None) as third:
            await third.say({"type": "connection_init", "payload": {"authorization": f"Bearer {ADMIN}"}})
            assert await third.closed() == (4429, "Too many sockets")
        assert await second.quiet()
    await emptied(few)
    async with Socket(few) as again:
        assert await again.quiet()
    await emptied(few)


async def test_there_are_so_many_sockets_in_all(few: Gateway) -> None:
    async with Socket(few), Socket(few), Socket(few, VIEWER), Socket(few, None) as fourth:
        assert await fourth.closed() == (1013, "Try again later")
        headers = {"authorization": f"Bearer {VIEWER}", "accept": "text/event-stream"}
        answer = CLIENT.post(f"{few.base}/graphql", json={"query": SALES}, headers=headers)
        assert answer.status_code == 429
    await emptied(few)


async def test_a_key_has_so_many_event_streams_and_is_told_when_to_come_again(few: Gateway) -> None:
    headers = {"authorization": f"Bearer {ADMIN}", "accept": "text/event-stream"}
    async with events(few, SALES), events(few, SALES):
        answer = CLIENT.post(f"{few.base}/graphql", json={"query": SALES}, headers=headers)
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["extensions"]["code"]) == (429, "RATE_LIMITED")
        assert answer.headers["retry-after"] == str(error["extensions"]["retryAfterSeconds"])
        assert few.ask("{ viewer { name } }", key=VIEWER)
    await emptied(few)
    async with events(few, SALES) as stream:
        assert stream.response.status_code == 200
    await emptied(few)


async def test_a_key_has_so_many_operations(few: Gateway) -> None:
    async with Socket(few) as socket:
        for id_ in ("1", "2"):
            await socket.subscribe(SALES, id_=id_)
        assert await socket.quiet()
        await socket.subscribe("{ viewer { name } }", id_="3")
        message = await socket.hear()
        assert (message["id"], message["type"]) == ("3", "error")
        assert [error["extensions"]["code"] for error in message["payload"]] == ["RATE_LIMITED"]
        answer = few.post("{ viewer { name } }")
        assert (answer.status_code, "retry-after" in answer.headers) == (429, True)
        await socket.say({"id": "1", "type": "complete"})
        assert await socket.quiet()
        assert few.ask("{ viewer { name } }")
    await emptied(few)


# The event loop's lag


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def observing(lag: Lag, clock: Clock) -> Callable[..., bool]:
    def observe(seconds: float, *, after: float = 0.05) -> bool:
        clock.now += after
        lag.observe(seconds)
        return lag.shedding

    return observe


def test_one_pause_turns_nobody_away_and_some_in_a_row_do() -> None:
    clock = Clock()
    lag = Lag(0.5, clock)
    observe = observing(lag, clock)
    for _ in range(10):
        assert not any([observe(3.0), observe(0.6), observe(0.4)])
    assert [observe(0.5) for _ in range(IN_A_ROW)] == [False] * (IN_A_ROW - 1) + [True]
    assert lag.worst == 3.0


def test_callers_are_served_again_after_a_time_of_calm() -> None:
    clock = Clock()
    lag = Lag(0.5, clock)
    observe = observing(lag, clock)
    while not observe(0.6):
        pass
    assert observe(0.1, after=CALM_SECONDS * 0.9)
    assert observe(0.3)  # below what began it, and not yet calm
    assert observe(0.1, after=CALM_SECONDS * 0.9)
    assert not observe(0.1, after=CALM_SECONDS * 0.2)


def test_nobody_is_turned_away_for_ever_and_the_log_has_a_line_for_each_change() -> None:
    clock = Clock()
    lag = Lag(0.5, clock)
    observe = observing(lag, clock)
    with capture_logs() as logged:
        while not observe(0.6):
            pass
        began = clock.now
        while observe(0.6):
            assert clock.now < began + LONGEST_SECONDS + 1
        assert not observe(0.6)  # it takes as many in a row again
    assert [line["event"] for line in logged] == ["turning callers away", "serving callers again"]


def test_it_can_be_turned_off() -> None:
    lag = Capacity(CapacitySettings(shed_at_seconds=0)).lag
    for _ in range(10):
        lag.observe(60.0)
    assert not lag.shedding


class Stalls:
    """Keeps a gateway's event loop busy for as long as it lasts."""

    def __init__(self, gateway: Gateway) -> None:
        assert gateway.server is not None
        self._loop = gateway.server.server.servers[0].get_loop()
        self._going = True

    def __enter__(self) -> None:
        self._ended = asyncio.run_coroutine_threadsafe(self._go(), self._loop)

    def __exit__(self, *_: object) -> None:
        self._going = False
        self._ended.result(timeout=WAIT_SECONDS)

    async def _go(self) -> None:
        while self._going:
            time.sleep(0.2)  # noqa: ASYNC251  that is what is wrong with it
            await asyncio.sleep(0)


async def closed(gateway: Gateway) -> tuple[int, str]:
    async with Socket(gateway, None) as socket:
        return await socket.closed()


async def refused(socket: Socket) -> list[str]:
    await socket.subscribe("{ viewer { name } }")
    message = await socket.hear()
    assert message["type"] == "error"
    return [error["extensions"]["code"] for error in message["payload"]]


async def test_while_the_loop_is_late_callers_are_turned_away_and_deliveries_are_not(
    shared_sandbox: Sandbox, tmp_path: Path
) -> None:
    more = "\n[capacity]\nshed_at_seconds = 0.1\n"
    with running_gateway(shared_sandbox, tmp_path, more=more) as gateway:
        async with Socket(gateway) as socket:
            with Stalls(gateway):
                async with asyncio.timeout(WAIT_SECONDS):
                    while "vendgraph_shedding 1.0" not in (await asyncio.to_thread(metrics, gateway)):
                        pass
                answer, codes, end, told, health = await asyncio.gather(
                    asyncio.to_thread(gateway.post, "{ viewer { name } }"),
                    refused(socket),
                    closed(gateway),
                    asyncio.to_thread(smartvend, gateway.base, smartvend_sale()),
                    asyncio.to_thread(CLIENT.get, f"{gateway.base}/healthz"),
                )
    assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (503, True)
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": "RATE_LIMITED", "retryAfterSeconds": 2}
    assert (codes, end) == (["RATE_LIMITED"], (1013, "Try again later"))
    assert (told.status_code, health.status_code) == (200, 200)


# Requests that never arrive


async def test_a_head_that_never_ends_is_refused_while_others_are_answered(
    few: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PatientHttp, "arriving_seconds", 0.3)
    assert ARRIVING_SECONDS > 1
    raw = request(body=b"{}")[:60]
    slow = [exchanged(few, raw) for _ in range(20)]
    answers, healthy = await asyncio.gather(asyncio.gather(*slow), asyncio.to_thread(few.ask, "{ viewer { name } }"))
    assert healthy == {"viewer": {"name": "admin-of-acme"}}
    for answer in answers:
        status, _, body = answered(answer)
        assert status == 408
        assert json.loads(body)["errors"][0]["extensions"]["code"] == "BAD_INPUT"


async def test_a_body_that_never_ends_and_a_caller_who_says_nothing_are_cut_off(
    few: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PatientHttp, "arriving_seconds", 0.3)
    assert await exchanged(few, request(body=b'{"query": "{ a }"}')[:-3]) == b""
    assert await exchanged(few, b"") == b""
    assert few.ask("{ viewer { name } }")


async def test_empty_lines_after_an_answer_keep_no_connection(few: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientHttp, "arriving_seconds", 0.3)
    whole = request("GET", "/healthz", headers={"Connection": "keep-alive"})
    reader, writer = await asyncio.open_connection(*place(few))
    writer.write(whole)
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"\r\n")
    async with asyncio.timeout(4):  # less than the 5 seconds for which a connection is kept without
        assert b" 408 " in await reader.read()
    writer.close()


async def test_a_head_that_is_too_long_is_refused_before_it_ends(few: Gateway) -> None:
    answer = await exchanged(few, b"GET /graphql HTTP/1.1\r\nX-Thing: " + b"a" * (LARGEST_HEAD * 3))
    assert answered(answer)[0] == 431


async def test_requests_that_come_slowly_or_together_on_one_connection_are_answered(few: Gateway) -> None:
    reader, writer = await asyncio.open_connection(*place(few))
    raw = request("GET", "/healthz", headers={"Connection": "keep-alive"})
    async with AsyncExitStack() as stack:
        stack.callback(writer.transport.abort)
        for part in (raw[:10], raw[10:], raw + raw, raw):
            writer.write(part)
            await asyncio.sleep(0.01)
        for _ in range(4):
            assert await reader.readuntil(b"\r\n\r\nok")
