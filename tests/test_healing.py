"""A vendor that is well again is asked again soon, whatever was wrong with it and for however long it was."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.guard import Traffic
from connectors.http import VendorHTTP
from connectors.login import Token, TokenLogin
from domain.errors import VendorError, VendorRateLimited
from domain.model import AccountStatus
from tests.hurried import hurry, now
from tests.scripted import Scripted, guarded, over

SOON = 25  # seconds
AT_ONCE = 6  # requests that every query makes
PATIENCE = 2.5  # seconds that a request waits for its turn
QUERIES = [1, 2, 3, 5, 8, 13, 21, 34]


async def hangs(_: Request) -> Response:
    await asyncio.Event().wait()
    raise AssertionError("nobody sets the event")


async def dawdles(_: Request) -> Response:
    await asyncio.sleep(4.9)
    return JSONResponse({}, 500)


Broken = Response | Callable[[Request], Awaitable[Response]]
BROKEN: dict[str, Broken] = {
    "500": JSONResponse({}, 500),
    "500 late": dawdles,
    "501": JSONResponse({}, 501),
    "503": JSONResponse({}, 503),
    "503 for 7 s": JSONResponse({}, 503, {"retry-after": "7"}),
    "429": JSONResponse({}, 429),
    "429 for 2 s": JSONResponse({}, 429, {"retry-after": "2"}),
    "429 for 20 s": JSONResponse({}, 429, {"retry-after": "20"}),
    "nothing left for 20 s": JSONResponse({}, 429, {"ratelimit-remaining": "0", "ratelimit-reset": "20"}),
    "401": JSONResponse({}, 401),
    "403": JSONResponse({}, 403),
    "404": JSONResponse({}, 404),
    "302": Response(status_code=302),
    "html": Response(b"<html>", media_type="text/html"),
    "junk": Response(b'{"a":', media_type="application/json"),
    "empty": Response(b"", media_type="application/json"),
    "hang": hangs,
}


async def query(http: VendorHTTP) -> bool:
    """Whether all of a query's requests were answered; the next one comes a second later."""
    found = await asyncio.gather(*(http.json("list") for _ in range(AT_ONCE)), return_exceptions=True)
    assert all(isinstance(one, dict | VendorError) for one in found)
    await asyncio.sleep(1)
    return all(isinstance(one, dict) for one in found)


async def seconds_until_answered(http: VendorHTTP) -> float:
    since = now()
    while not await query(http):
        assert now() - since <= SOON
    return now() - since


@pytest.mark.parametrize("queries", QUERIES)
@pytest.mark.parametrize("broken", BROKEN)
def test_what_was_wrong_is_over_soon_after_it_ends(broken: str, queries: int) -> None:
    async def story() -> None:
        vendor = Scripted()
        http = over(vendor.client, guarded(clock=now))
        assert await query(http)
        vendor.usual = BROKEN[broken]
        for _ in range(queries):
            assert not await query(http)
        vendor.usual = JSONResponse({})
        assert await seconds_until_answered(http) <= SOON
        assert http.guard.status is AccountStatus.OK

    hurry(story())


@pytest.mark.parametrize("queries", QUERIES)
@pytest.mark.parametrize("where", ["/login", "/list", "everywhere"])
@pytest.mark.parametrize("same", [True, False], ids=["with the same tokens", "with others"])
def test_refused_credentials_are_tried_again_soon(where: str, queries: int, same: bool) -> None:
    """Tokens may be worth something again, or others be needed; to find out costs three logins a minute."""

    async def story() -> None:
        vendor = Scripted()
        http = over(vendor.client, guarded(clock=now))
        good = set[str]()
        broken: str | None = None

        async def answer(request: Request) -> Response:
            path = request.url.path.removeprefix("/v1")
            if broken in (path, "everywhere"):
                return JSONResponse({}, 401)
            if path == "/login":
                token = f"token-{vendor.paths.count('/login')}"
                good.add(token)
                return JSONResponse({"token": token})
            return JSONResponse({}, 200 if request.headers["authorization"] in good else 401)

        async def fetch() -> Token:
            return Token((await http.json("login", login=False))["token"], None)

        vendor.usual = answer
        http.auth = TokenLogin(fetch, lambda token: ("authorization", token), guard=http.guard)
        assert await query(http)
        broken = where
        if not same or where == "/login":
            good.clear()
        logins, since = vendor.paths.count("/login"), now()
        for _ in range(queries):
            assert not await query(http)
        assert vendor.paths.count("/login") - logins <= 1 + (now() - since) // 20
        broken = None
        assert await seconds_until_answered(http) <= SOON
        assert http.guard.status is AccountStatus.OK

    hurry(story())


@pytest.mark.parametrize("wait", [2, 7, 60, 299])
@pytest.mark.parametrize("code", [429, 503])
def test_a_vendor_that_said_when_to_come_back_is_asked_then_and_by_nobody_before(code: int, wait: int) -> None:
    async def story() -> None:
        vendor = Scripted()
        http = over(vendor.client, guarded(clock=now))
        vendor.script = [JSONResponse({}, code, {"retry-after": str(wait)})]
        with pytest.raises(VendorError):
            await http.json("list")
        while now() < wait - PATIENCE:
            found = await asyncio.gather(*(http.send("list", traffic=it) for it in Traffic), return_exceptions=True)
            assert all(isinstance(one, VendorRateLimited) and not one.sent for one in found)
            await asyncio.sleep(0.9)
        assert len(vendor.requests) == 1
        assert await query(http)  # who comes shortly before waits for it
        assert now() - 1 == pytest.approx(wait)

    hurry(story())


def test_a_wait_of_a_year_is_one_of_five_minutes() -> None:
    async def story() -> None:
        vendor = Scripted()
        http = over(vendor.client, guarded(clock=now))
        vendor.script = [JSONResponse({}, 429, {"retry-after": "31536000"})]
        for wait in (300, 200, 100):
            with pytest.raises(VendorRateLimited) as caught:
                await http.json("list")
            assert caught.value.retry_after == wait
            assert http.guard.status is AccountStatus.RATE_LIMITED
            await asyncio.sleep(100)
        assert await query(http)

    hurry(story())


def test_one_probe_finds_out_while_the_others_are_told_to_come_again() -> None:
    async def story() -> None:
        vendor = Scripted()
        http = over(vendor.client, guarded(clock=now))
        vendor.usual = dawdles
        while http.guard.status is not AccountStatus.UNAVAILABLE:
            await query(http)
        await asyncio.sleep(12)
        asked = len(vendor.requests)
        assert not await query(http)
        assert len(vendor.requests) == asked + 1

    hurry(story())


def test_a_vendor_that_stays_broken_is_asked_five_times_a_minute() -> None:
    async def story() -> None:
        vendor = Scripted()
        http = over(vendor.client, guarded(clock=now))
        vendor.usual = JSONResponse({}, 500)
        while now() < 60:
            await query(http)
        asked = len(vendor.requests)
        while now() < 120:
            await query(http)
        assert 4 <= len(vendor.requests) - asked <= 5

    hurry(story())
