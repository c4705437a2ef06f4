"""Tokens: asked for once, renewed once, and never in a storm."""

import asyncio
import time
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.http import VendorHTTP, trace
from connectors.login import Token, TokenLogin, jwt_expiry
from domain.errors import VendorError, VendorProtocolError, VendorRateLimited, VendorUnauthorized, VendorUnavailable
from domain.model import AccountStatus
from tests.scripted import CANARY, Clock, Scripted, guarded, over


class Wall:
    def __init__(self) -> None:
        self.seconds = 1_700_000_000.0

    def __call__(self) -> float:
        return self.seconds


class Tokens:
    """A vendor that hands out `token-1`, `token-2` … and takes those in `good`.

    A token ends `life` seconds after it was had, or, where that is None, at `ends`."""

    def __init__(self, *, life: float | None = 3600, per_minute: int = 10) -> None:
        self.clock, self.wall = Clock(), Wall()
        self.vendor = Scripted()
        self.vendor.usual = self._answer
        self.life = life
        self.ends: float | None = None
        self.handed = 0
        self.same = False
        self.good: set[str] | None = None
        self.login_status = 200
        self.gate = asyncio.Event()
        self.gate.set()
        guard = guarded(clock=self.clock)
        self.login = TokenLogin(
            self._fetch,
            lambda token: ("authorization", f"Bearer {token}"),
            guard=guard,
            per_minute=per_minute,
            clock=self.wall,
        )
        self.http: VendorHTTP = over(self.vendor.client, guard, auth=self.login)

    async def _answer(self, request: Request) -> Response:
        if request.url.path.endswith("/login"):
            await self.gate.wait()
            self.handed += 1
            return JSONResponse({"token": f"token-{1 if self.same else self.handed}"}, self.login_status)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        fine = self.good is None or token in self.good
        return JSONResponse({"token": token}, 200 if fine else 401)

    async def _fetch(self) -> Token:
        found = await self.http.json("login", body={"secret": CANARY}, login=False)
        return Token(found["token"], self.ends if self.life is None else self.wall() + self.life)

    @property
    def logins(self) -> int:
        return self.vendor.paths.count("/login")

    async def ask(self) -> str:
        return str((await self.http.json("list"))["token"])

    async def failure(self) -> VendorError:
        with pytest.raises(VendorError) as caught:
            await self.ask()
        return caught.value

    def status(self) -> AccountStatus:
        return self.http.guard.status


async def test_a_token_is_asked_for_once_however_many_need_it() -> None:
    tokens = Tokens()
    assert set(await asyncio.gather(*(tokens.ask() for _ in range(30)))) == {"token-1"}
    assert await tokens.ask() == "token-1"
    assert tokens.logins == 1
    assert "authorization" not in tokens.vendor.requests[0].headers


async def test_who_asked_first_may_give_up_and_the_others_get_their_token() -> None:
    tokens = Tokens()
    tokens.gate.clear()
    first, second = (asyncio.create_task(tokens.ask()) for _ in range(2))
    await tokens.vendor.arrived.wait()
    first.cancel()
    await asyncio.sleep(0)
    tokens.gate.set()
    assert await second == "token-1"
    assert (first.cancelled(), tokens.logins) == (True, 1)


@pytest.mark.parametrize("refused", [True, False])
@pytest.mark.parametrize("hangs", [True, False])
async def test_a_command_that_got_no_token_was_not_carried_out(refused: bool, hangs: bool) -> None:
    """Nor was one whose first token was refused. A read that failed so may be repeated anyway."""
    tokens = Tokens()
    if refused:
        await tokens.ask()
        tokens.good = set()
    tokens.login_status = 500
    if hangs:
        tokens.gate.clear()
        tokens.http.guard.timeout = 0.05
    with pytest.raises(VendorUnavailable) as caught:
        await tokens.http.json("act")
    assert not caught.value.sent
    assert tokens.vendor.paths.count("/act") == refused
    tokens.gate.set()


async def test_a_command_whose_token_was_refused_is_sent_once_more_and_then_left_open() -> None:
    tokens = Tokens()
    await tokens.ask()
    tokens.good = {"token-2"}

    async def breaks(request: Request) -> Response:
        renewed = request.headers["authorization"] == "Bearer token-2"
        return JSONResponse({}, 500) if renewed else await tokens._answer(request)

    tokens.vendor.script = [breaks, tokens._answer, breaks]
    with pytest.raises(VendorUnavailable) as caught:
        await tokens.http.json("act")
    assert caught.value.sent
    assert tokens.vendor.paths == ["/login", "/list", "/act", "/login", "/act"]


@pytest.mark.parametrize(("life", "margin"), [(3600, 60), (100, 10)])
async def test_a_token_is_renewed_shortly_before_it_ends(life: float, margin: float) -> None:
    tokens = Tokens(life=life)
    await tokens.ask()
    tokens.wall.seconds += life - margin - 1
    assert await tokens.ask() == "token-1"
    tokens.wall.seconds += 2
    assert await tokens.ask() == "token-2"


@pytest.mark.parametrize("life", [None, -30])
async def test_a_token_whose_end_is_not_known_is_kept_until_it_is_refused(life: float | None) -> None:
    tokens = Tokens(life=life)
    for _ in range(5):
        await tokens.ask()
        tokens.wall.seconds += 10**6
    assert tokens.logins == 1


async def test_a_refused_token_is_renewed_once_for_all_and_each_request_repeated_once() -> None:
    tokens = Tokens()
    await tokens.ask()
    tokens.good = {"token-2"}
    assert await asyncio.gather(*(tokens.ask() for _ in range(20))) == ["token-2"] * 20
    assert tokens.logins == 2
    assert tokens.vendor.paths.count("/list") == 1 + 20 + 20
    assert tokens.status() is AccountStatus.OK


async def test_a_vendor_that_hands_out_the_same_token_again_is_asked_once() -> None:
    tokens = Tokens()
    await tokens.ask()
    tokens.same, tokens.good = True, set()
    await asyncio.gather(*(tokens.failure() for _ in range(20)))
    assert tokens.logins == 2


async def test_a_refusal_that_comes_late_takes_the_new_token_even_if_it_reads_the_same() -> None:
    tokens, release = Tokens(), asyncio.Event()
    await tokens.ask()
    tokens.same = True

    async def late(_: Request) -> Response:
        await release.wait()
        return JSONResponse({}, 401)

    tokens.vendor.script = [late, JSONResponse({}, 401)]
    slow = asyncio.create_task(tokens.ask())
    tokens.vendor.arrived.clear()
    await tokens.vendor.arrived.wait()
    await tokens.ask()
    release.set()
    await slow
    assert tokens.logins == 2


async def test_a_token_refused_after_renewal_ends_it_and_there_is_no_storm() -> None:
    tokens = Tokens()
    tokens.good = set()
    error = await tokens.failure()
    assert type(error) is VendorUnauthorized
    assert tokens.vendor.paths == ["/login", "/list", "/login", "/list"]
    assert tokens.status() is AccountStatus.UNAUTHORIZED
    for _ in range(19):
        tokens.clock.seconds += 1
        error = await tokens.failure()
        assert (type(error), error.sent) == (VendorUnauthorized, False)
    assert len(tokens.vendor.requests) == 4
    tokens.clock.seconds += 1
    tokens.good = None
    assert await tokens.ask() == "token-2"
    assert tokens.status() is AccountStatus.OK


async def test_tokens_that_stay_refused_cost_three_logins_a_minute() -> None:
    tokens = Tokens()
    await tokens.ask()
    tokens.good = set()
    for _ in range(60):
        await asyncio.gather(*(tokens.failure() for _ in range(5)))
        tokens.clock.seconds += 1
    assert tokens.logins == 1 + 3


async def test_a_refused_login_is_left_alone_for_twenty_seconds_however_often_it_is_asked_for() -> None:
    tokens = Tokens()
    tokens.login_status = 401
    assert type(await tokens.failure()) is VendorUnauthorized
    for second in range(1, 20):
        tokens.clock.seconds += 1
        error = await tokens.failure()
        assert (type(error), error.retry_after) == (VendorUnauthorized, 20 - second)
    assert tokens.logins == 1
    tokens.clock.seconds += 1
    tokens.login_status = 200
    assert await tokens.ask() == "token-2"
    assert tokens.status() is AccountStatus.OK


async def test_a_login_may_be_refused_by_the_connectors_own_reading() -> None:
    guard = guarded(clock=Clock())

    async def fetch() -> Token:
        raise VendorUnauthorized("INVALID_LOGIN", account="acme-kiosks", vendor="livello")

    login = TokenLogin(fetch, lambda token: ("access-token", token), guard=guard)
    with pytest.raises(VendorUnauthorized, match="INVALID_LOGIN"):
        await login.token()
    assert guard.status is AccountStatus.UNAUTHORIZED


async def test_a_login_that_was_not_sent_proves_nothing() -> None:
    guard = guarded(clock=Clock())

    async def fetch() -> Token:
        raise VendorUnauthorized("left alone", account="acme-kiosks", vendor="livello", sent=False)

    with pytest.raises(VendorUnauthorized):
        await TokenLogin(fetch, lambda token: ("access-token", token), guard=guard).token()
    assert guard.status is AccountStatus.UNKNOWN


async def test_a_login_that_fails_otherwise_is_tried_again() -> None:
    tokens = Tokens()
    tokens.login_status = 501
    assert type(await tokens.failure()) is VendorUnavailable
    tokens.login_status = 200
    assert await tokens.ask() == "token-2"


async def acted(tokens: Tokens) -> VendorError:
    with pytest.raises(VendorError) as caught:
        await tokens.http.json("act")
    return caught.value


@pytest.mark.parametrize("refused_before", [False, True])
async def test_what_a_failed_login_was_for_was_not_sent(*, refused_before: bool) -> None:
    """Also where it went out with a token that was refused: nobody acted on it."""
    tokens = Tokens()
    if refused_before:
        await tokens.ask()
        tokens.good = set()
    tokens.login_status = 501
    error = await acted(tokens)
    assert (type(error), error.sent) == (VendorUnavailable, False)
    tokens.http.guard.timeout = 0.5
    tokens.gate.clear()
    error = await acted(tokens)
    assert (type(error), error.sent) == (VendorUnavailable, False)
    assert tokens.vendor.paths.count("/act") == (2 if refused_before else 0)


async def test_what_was_sent_with_a_new_token_was_sent() -> None:
    tokens = Tokens()
    await tokens.ask()
    tokens.vendor.script = [JSONResponse({}, 401), JSONResponse({"token": "new"}), JSONResponse({}, 500)]
    error = await acted(tokens)
    assert (type(error), error.sent) == (VendorUnavailable, True)
    assert tokens.vendor.paths[-3:] == ["/act", "/login", "/act"]


async def test_tokens_have_a_budget_of_their_own() -> None:
    tokens = Tokens(life=10, per_minute=3)
    for _ in range(3):
        await tokens.ask()
        tokens.wall.seconds += 10
    error = await tokens.failure()
    assert isinstance(error, VendorRateLimited)
    assert (error.sent, error.retry_after, tokens.logins) == (False, 60, 3)
    tokens.wall.seconds -= 10**6  # the wall clock is set back, which frees nothing and locks nothing
    tokens.clock.seconds += 60
    tokens.login.current = None
    assert await tokens.ask() == "token-4"


async def test_every_try_of_a_login_counts() -> None:
    tokens = Tokens(per_minute=2)
    tokens.login_status = 503
    error = await tokens.failure()
    assert isinstance(error, VendorRateLimited)
    assert (error.sent, tokens.logins) == (False, 2)


async def test_a_token_that_is_still_good_serves_while_no_new_one_is_to_be_had() -> None:
    tokens = Tokens(life=100)
    await tokens.ask()
    tokens.wall.seconds += 95
    tokens.login_status = 501
    assert [await tokens.ask() for _ in range(3)] == ["token-1"] * 3
    tokens.wall.seconds += 5
    assert type(await tokens.failure()) is VendorUnavailable


async def test_logins_that_were_too_many_hold_back_logins_alone() -> None:
    tokens = Tokens(life=100)
    await tokens.ask()
    tokens.wall.seconds += 95
    tokens.vendor.script = [JSONResponse({}, 429, {"retry-after": "30", **LOGINS_LEFT})]
    assert [await tokens.ask() for _ in range(3)] == ["token-1"] * 3
    tokens.wall.seconds += 5
    error = await tokens.failure()
    assert isinstance(error, VendorRateLimited)
    assert (error.sent, error.retry_after) == (False, 30)
    assert tokens.vendor.paths.count("/login") == 2
    assert tokens.http.guard.rate_limit is None
    tokens.clock.seconds += 30
    assert await tokens.ask() == "token-2"


async def test_an_account_whose_logins_were_too_many_shows_as_limited_until_one_is_let_through() -> None:
    tokens = Tokens()
    tokens.vendor.script = [JSONResponse({}, 429, {"retry-after": "30"})]
    shown = []
    assert isinstance(await tokens.failure(), VendorRateLimited)
    shown.append(tokens.http.guard.status)
    tokens.clock.seconds += 30
    await tokens.ask()
    shown.append(tokens.http.guard.status)
    assert shown == [AccountStatus.RATE_LIMITED, AccountStatus.OK]


LOGINS_LEFT = {"ratelimit-limit": "10", "ratelimit-remaining": "0", "ratelimit-reset": "30"}


async def test_a_token_that_is_still_good_does_not_serve_once_the_credentials_are_refused() -> None:
    tokens = Tokens(life=100)
    await tokens.ask()
    tokens.wall.seconds += 95
    tokens.login_status = 401
    assert type(await tokens.failure()) is VendorUnauthorized


async def test_a_token_that_the_vendor_keeps_handing_out_is_used_to_its_end() -> None:
    tokens = Tokens()
    ends = tokens.wall.seconds + 100
    tokens.life, tokens.ends, tokens.same = None, ends, True
    for _ in range(100):
        await tokens.ask()
        tokens.wall.seconds += 1
    assert tokens.logins == 2
    tokens.ends, tokens.same = ends + 100, False
    assert await tokens.ask() == "token-3"


async def test_other_answers_may_mean_a_refused_token() -> None:
    tokens = Tokens()
    tokens.login.rejected = lambda code, data: code == 403 and "expired" in data["message"]
    await tokens.ask()
    tokens.vendor.script = [JSONResponse({"message": "expired"}, 403)]
    assert await tokens.ask() == "token-2"
    tokens.vendor.script = [JSONResponse({"message": "not yours"}, 403)]
    await tokens.failure()
    assert (tokens.logins, tokens.status()) == (2, AccountStatus.OK)
    tokens.vendor.script = [JSONResponse({"message": "expired"}, 403)]
    tokens.vendor.usual = late_answers(tokens)
    await tokens.failure()
    assert tokens.status() is AccountStatus.UNAUTHORIZED


def late_answers(tokens: Tokens) -> Callable[[Request], Awaitable[Response]]:
    """Whatever the token, it has expired."""

    async def answer(request: Request) -> Response:
        if request.url.path.endswith("/login"):
            return await tokens._answer(request)
        return JSONResponse({"message": "expired"}, 403)

    return answer


async def test_logins_are_traced() -> None:
    tokens = Tokens()
    reset = trace.set([])
    try:
        await tokens.ask()
        seen = trace.get()
    finally:
        trace.reset(reset)
    assert seen is not None
    assert [(it.operation, it.status) for it in seen] == [("login", 200), ("list", 200)]


@pytest.mark.parametrize("text", ["töken", "a\r\nx-admin: 1", "a\x00b"])
async def test_a_token_that_fits_into_no_header_is_a_broken_answer(text: str) -> None:
    async def fetch() -> Token:
        return Token(text, None)

    login = TokenLogin(fetch, lambda token: ("access-token", token), guard=guarded())
    with pytest.raises(VendorProtocolError):
        await login.token()
    assert login.current is None


def test_a_token_prints_as_stars() -> None:
    assert CANARY not in repr(Token(CANARY, None))


def jwt(claims: Any) -> str:
    return ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in (b"{}", orjson.dumps(claims), b"sig"))


def test_the_end_of_a_jwt_is_its_own_claim() -> None:
    ends = int(time.time()) + 3600
    assert jwt_expiry(jwt({"exp": ends, "name": "x"})) == ends
    assert jwt_expiry(jwt({"exp": str(ends)})) == ends


@pytest.mark.parametrize("text", ["", "opaque", "a.b.c", "a.%%%.c", jwt({}), jwt([]), jwt({"exp": None}), "é.é.é"])
def test_what_is_no_jwt_has_no_end(text: str) -> None:
    assert jwt_expiry(text) is None
