"""Operations, answers and failures over HTTP: what is sent, what comes back, what is tried again."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from traceback import format_exception
from typing import Any

import httpx2
import orjson
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from structlog.testing import capture_logs

from connectors.body import BodyError, decoded
from connectors.failures import retry_after
from connectors.guard import Rate, Traffic
from connectors.http import UpstreamRequest, VendorHTTP, new_client, overridden, trace
from connectors.login import Token, TokenLogin
from domain.errors import (
    VendorError,
    VendorForbidden,
    VendorProtocolError,
    VendorRateLimited,
    VendorRejected,
    VendorUnauthorized,
    VendorUnavailable,
)
from domain.model import AccountStatus
from tests.scripted import (
    BASE,
    CANARY,
    OPERATIONS,
    Clock,
    Scripted,
    account,
    guarded,
    hangs_up,
    over,
    says,
    socket,
    wire,
)

BROKEN = JSONResponse({"message": "oh no"}, 500)


@pytest.fixture
def vendor() -> Scripted:
    return Scripted()


@pytest.fixture
def http(vendor: Scripted) -> VendorHTTP:
    return over(vendor.client, guarded())


async def never(_: Request) -> Response:
    await asyncio.Event().wait()
    raise AssertionError("nobody sets the event")


async def failure(asked: Awaitable[Any]) -> VendorError:
    with pytest.raises(VendorError) as caught:
        await asked
    return caught.value


def status(http: VendorHTTP) -> AccountStatus:
    return http.guard.status


async def test_a_request_says_what_was_asked_for(vendor: Scripted, http: VendorHTTP) -> None:
    query = {"page": 2, "name": "a b&c", "active": True, "none": None}
    answer = await http.send("list", query=query, headers={"x-page": "2"})
    request = vendor.requests[0]
    assert (request.method, request.url.path) == ("GET", "/v1/list")
    assert request.query_params.multi_items() == [("page", "2"), ("name", "a b&c"), ("active", "true")]
    assert (request.headers["x-page"], request.headers["x-api-key"]) == ("2", CANARY)
    assert (request.headers["accept"], "gzip" in request.headers["accept-encoding"]) == ("application/json", True)
    assert (answer.status, answer.data) == (200, {"good": True})


async def test_a_body_goes_as_json(vendor: Scripted, http: VendorHTTP) -> None:
    await http.json("act", body={"amount": 250})
    assert vendor.bodies == [b'{"amount":250}']
    assert vendor.requests[0].headers["content-type"] == "application/json"


async def test_an_id_stays_one_part_of_the_path(vendor: Scripted, http: VendorHTTP) -> None:
    await http.json("get", path={"id": "a/../b?c#d%2F ü"})
    assert vendor.requests[0].scope["raw_path"] == b"/v1/things/a%2F..%2Fb%3Fc%23d%252F%20%C3%BC/parts"


@pytest.mark.parametrize("native", ["", ".", ".."])
async def test_an_id_that_would_make_another_path_is_not_sent(vendor: Scripted, http: VendorHTTP, native: str) -> None:
    error = await failure(http.json("get", path={"id": native}))
    assert (type(error), error.sent, vendor.requests) == (VendorRejected, False, [])


def test_an_operation_can_be_moved() -> None:
    found = overridden(OPERATIONS, {"get": "POST /parts/{id}"})["get"]
    assert (found.method, found.path, found.documented) == ("POST", "/parts/{id}", False)
    assert OPERATIONS["get"].path == "/things/{id}/parts"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("unknown", "GET /list"),
        ("list", "/list"),
        ("list", "FETCH /list"),
        ("list", "GET list"),
        ("list", "GET /list?page=1"),
        ("list", "GET https://elsewhere.test/list"),
        ("get", "GET /things/{serial}"),
        ("get", "GET /things/{id.real}"),
        ("get", "GET /things/{id"),
    ],
)
def test_a_move_that_cannot_be_meant_is_named(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"endpoints.{name}:"):
        overridden(OPERATIONS, {name: text})


async def test_the_accounts_endpoints_are_used(vendor: Scripted) -> None:
    moved = over(vendor.client, guarded(), account=account(endpoints={"list": "POST /elsewhere"}))
    await moved.json("list")
    assert (vendor.requests[0].method, vendor.paths) == ("POST", ["/elsewhere"])


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (400, VendorRejected),
        (401, VendorUnauthorized),
        (403, VendorForbidden),
        (404, VendorRejected),
        (408, VendorUnavailable),
        (409, VendorRejected),
        (429, VendorRateLimited),
        (500, VendorUnavailable),
        (501, VendorUnavailable),
        (503, VendorUnavailable),
    ],
)
async def test_each_status_has_its_error(vendor: Scripted, http: VendorHTTP, code: int, kind: type) -> None:
    vendor.usual = JSONResponse({"message": "because " + "x" * 500}, code)
    error = await failure(http.json("act"))
    assert type(error) is kind
    assert error.message.startswith(f"livello answered act with {code}: because xxx")
    assert error.message.count("x") == 200 - len("because ")
    assert (error.account, error.vendor, error.sent) == ("acme-kiosks", "livello", code != 429)
    assert len(vendor.requests) == 1


async def test_a_vendor_that_repeats_what_it_was_sent_is_quoted_without_it(vendor: Scripted) -> None:
    async def fetch() -> Token:
        return Token("token-8c1e", None)

    guard = guarded()
    login = TokenLogin(fetch, lambda token: ("authorization", f"Bearer {token}"), guard=guard)
    http = over(vendor.client, guard, auth=login)
    vendor.usual = JSONResponse({"message": f"{CANARY} with Bearer token-8c1e may not, says {CANARY}"}, 409)
    with capture_logs() as logs:
        error = await failure(http.json("act"))
    assert error.message == "livello answered act with 409: *** with Bearer *** may not, says ***"
    assert CANARY not in repr(logs) + str(guard.last_error)
    assert "8c1e" not in repr(logs) + str(guard.last_error)


async def test_a_credential_that_fits_into_no_header_is_not_told() -> None:
    async with socket(says(wire())) as (base, heads), new_client() as client:
        error = await failure(over(client, guarded(), base_url=base, headers={"x-key": f"{CANARY}\n"}).json("act"))
    assert CANARY not in "".join(format_exception(error))
    assert heads == []


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"[" * 100])
async def test_the_body_of_an_error_may_be_anything(vendor: Scripted, http: VendorHTTP, body: bytes) -> None:
    for media in ("text/html", "application/json"):
        vendor.script = [Response(body, 404, media_type=media)]
        assert (await failure(http.json("list"))).message == "livello answered list with 404"


async def test_an_error_may_come_as_a_problem(vendor: Scripted, http: VendorHTTP) -> None:
    vendor.usual = JSONResponse({"message": "busy"}, 409, media_type="application/problem+json")
    assert "409: busy" in (await failure(http.json("act"))).message


@pytest.mark.parametrize("code", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(vendor: Scripted, http: VendorHTTP, code: int) -> None:
    vendor.usual = Response(status_code=code, headers={"location": "http://169.254.169.254/latest"})
    error = await failure(http.json("list"))
    assert isinstance(error, VendorProtocolError)
    assert vendor.paths == ["/list"]


@pytest.mark.parametrize(
    ("body", "media", "why"),
    [
        (b"<html>", "text/html", "content type"),
        (b"{}", "text/json-not", "content type"),
        (b'{"a":', "application/json", "not JSON"),
        (b'{"a":NaN}', "application/json", "not JSON"),
        (b"\xff", "application/json", "not JSON"),
        (b"", "application/json", "empty"),
        (b"[" * 65 + b"]" * 65, "application/json", "deeper"),
        (b" " * (8 * 1024 * 1024 + 1), "application/json", "longer"),
    ],
)
async def test_a_success_that_cannot_be_read_is_a_broken_answer(
    vendor: Scripted, http: VendorHTTP, body: bytes, media: str, why: str
) -> None:
    vendor.usual = Response(body, media_type=media)
    error = await failure(http.json("list"))
    assert isinstance(error, VendorProtocolError)
    assert why in error.message
    assert len(vendor.requests) == 1


async def test_nothing_to_say_is_fine_after_a_command_and_with_204(vendor: Scripted, http: VendorHTTP) -> None:
    vendor.script = [Response(), Response(status_code=204)]
    assert (await http.send("act")).data is None
    assert (await http.send("list")).data is None


@pytest.mark.parametrize("media", ["application/json; charset=utf-8", "Application/JSON", "application/hal+json"])
async def test_json_has_many_names(vendor: Scripted, http: VendorHTTP, media: str) -> None:
    vendor.usual = Response(b"[1]", headers={"content-type": media})
    assert await http.json("list") == [1]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (rb'["Caf\ud83d"]', "Caf\ufffd"),
        (rb'["\uDE00 Caf"]', "\ufffd Caf"),
        (rb'["\ud83d\ud83d\ude00\ude00"]', "\ufffd\U0001f600\ufffd"),
        (rb'["\ud83d\\ud83d"]', "\ufffd\\ud83d"),
        (rb'["\\\ud83d\"\\"]', '\\\ufffd"\\'),
        (b'\xef\xbb\xbf["Caf\xc3\xa9"]', "Caf\xe9"),
    ],
)
def test_half_a_character_is_told_from_a_broken_answer(content: bytes, text: str) -> None:
    assert decoded(content) == [text]


@pytest.mark.parametrize("content", [rb'["\ud83d', rb'["\ud83d"', rb'["\ud8"]', rb'["\x"]', b'["\xff"]'])
def test_what_is_broken_besides_is_a_broken_answer(content: bytes) -> None:
    with pytest.raises(BodyError, match="not JSON"):
        decoded(content)


@pytest.mark.parametrize(
    "good",
    [
        b"[" * 64 + b"]" * 64,
        orjson.dumps([{"text": "[" * 500, '{"\\': '\\"[[[\\\\'}] * 50),
        orjson.dumps(["]", "}", '"', "\\"] * 50),
        b'{"a":' * 63 + b"[]" + b"}" * 63,
    ],
)
def test_brackets_in_texts_are_not_depth(good: bytes) -> None:
    assert decoded(good) == orjson.loads(good)


@pytest.mark.parametrize(
    "deep",
    [
        b"[" * 65 + b"]" * 65,
        b'{"a":' * 65 + b"1" + b"}" * 65,
        b'["]",' * 65 + b"1" + b',"["]' * 65,  # brackets in texts that seem to close the others
        b'["\\"]\\"",' * 65 + b"1" + b',"\\"[\\""]' * 65,
        b'["\\\\","]",' * 65 + b'"\\"","["' + b',"["]' * 65,
    ],
)
def test_depth_cannot_hide(deep: bytes) -> None:
    with pytest.raises(BodyError, match="deeper"):
        decoded(deep)


async def test_a_compressed_flood_is_stopped(http: VendorHTTP) -> None:
    flood = gzip.compress(b"[" + b" " * 50_000_000 + b"]", 1)
    async with (
        socket(says(wire(body=flood, headers={"content-encoding": "gzip"}))) as (base, _),
        new_client() as client,
    ):
        error = await failure(over(client, http.guard, base_url=base).json("list"))
    assert isinstance(error, VendorProtocolError)
    assert "longer" in error.message


async def test_a_connection_with_an_answer_not_read_to_its_end_is_given_back(http: VendorHTTP) -> None:
    endless = says(wire(body=b" " * 9_000_000))
    limits = httpx2.Limits(max_connections=1)
    async with socket(endless, says(wire())) as (base, _), httpx2.AsyncClient(limits=limits, timeout=0.2) as client:
        http = over(client, http.guard, base_url=base)
        await failure(http.json("list"))
        assert await http.json("list") == {}


BROKEN_HTTP = pytest.mark.parametrize(
    "turn",
    [
        hangs_up(wire(body=b'{"a":1}', headers={"content-length": "50"})),
        hangs_up(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-type: application/json\r\n\r\nzz\r\n"),
        hangs_up(b"\x00\x01\x02 garbage\r\n\r\n"),
        hangs_up(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}"),
        hangs_up(wire(body=b"no gzip", headers={"content-encoding": "gzip"})),
        hangs_up(),
    ],
    ids=["truncated", "chunks", "garbage", "lengths", "gzip", "silence"],
)


@BROKEN_HTTP
async def test_broken_http_is_a_broken_answer_and_a_command_is_not_repeated(turn: Callable[..., Any]) -> None:
    async with socket(turn) as (base, heads), new_client() as client:
        error = await failure(over(client, guarded(), base_url=base).json("act"))
    assert isinstance(error, VendorProtocolError)
    assert (error.sent, len(heads)) == (True, 1)


@BROKEN_HTTP
async def test_broken_http_is_a_broken_answer_to_a_read_which_is_tried_three_times(turn: Callable[..., Any]) -> None:
    async with socket(turn) as (base, heads), new_client() as client:
        error = await failure(over(client, guarded(), base_url=base).json("list"))
    assert isinstance(error, VendorProtocolError)
    assert len(heads) == 3


async def test_a_reset_connection_may_have_carried_a_command() -> None:
    async def reset(writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with socket(reset) as (base, heads), new_client() as client:
        error = await failure(over(client, guarded(), base_url=base).json("act"))
    assert (error.sent, len(heads)) == (True, 1)


async def test_a_kept_connection_that_ended_is_replaced() -> None:
    async with socket(says(wire()), hangs_up(), says(wire())) as (base, heads), new_client() as client:
        http = over(client, guarded(), base_url=base)
        assert [await http.json("list"), await http.json("list")] == [{}, {}]
    assert len(heads) == 3


async def test_where_nothing_listens_nothing_was_sent() -> None:
    async with socket(says(wire())) as (base, _):
        pass
    async with new_client() as client:
        error = await failure(over(client, guarded(), base_url=base).json("act"))
    assert isinstance(error, VendorUnavailable)
    assert not error.sent
    assert base not in error.message


async def test_no_cookie_of_one_account_travels_with_another() -> None:
    sets = says(wire(headers={"set-cookie": f"session={CANARY}; Path=/"}))
    async with socket(sets) as (base, heads), new_client() as client:
        await over(client, guarded(), base_url=base).json("list")
        await over(client, guarded(), base_url=base, headers={}).json("list")
        assert len(client.cookies) == 0
    assert b"cookie" not in heads[1].lower()
    assert CANARY.encode() not in heads[1]


async def test_the_environment_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with socket(says(wire())) as (base, heads), new_client() as client:
        await over(client, guarded(), base_url=base).json("list")
    assert len(heads) == 1


async def test_an_answer_that_never_comes_is_given_up(vendor: Scripted) -> None:
    http = over(vendor.client, guarded(timeout=0.02))
    vendor.usual = never
    for _ in range(5):
        error = await failure(http.json("list"))
        assert (type(error), error.sent) == (VendorUnavailable, True)
        assert "took longer than 0.02 s" in error.message
    assert len(vendor.requests) == 5
    assert status(http) is AccountStatus.UNAVAILABLE
    assert http.guard.outcomes == {"vendor_unavailable": 5}


async def test_an_answer_that_drips_is_given_up() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(wire(headers={"content-length": "100000"}))
        while not writer.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with socket(drip) as (base, _), new_client() as client:
        error = await failure(over(client, guarded(timeout=0.05), base_url=base).json("list"))
    assert "took longer" in error.message


async def test_a_flood_of_promises_that_an_answer_will_come_is_given_up() -> None:
    async def flood(writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            writer.write(b"HTTP/1.1 102 Processing\r\n\r\n" * 100)
            await writer.drain()

    async with socket(flood) as (base, _), new_client() as client:
        error = await failure(over(client, guarded(timeout=0.05), base_url=base).json("list"))
    assert "took longer" in error.message


async def test_accounts_whose_vendors_hang_keep_no_other_from_connecting() -> None:
    """More of their requests hang than a pool of connections usually has room for.

    They come a few at a time: as many as 300 at once a slow machine does not connect in the second that they have."""
    arrived = asyncio.Semaphore(0)

    async def hang(_: asyncio.StreamWriter) -> None:
        arrived.release()
        await asyncio.Event().wait()

    async with socket(hang) as (hanging, _), socket(says(wire())) as (well, _), new_client() as client:
        stuck = over(client, guarded(concurrency=300, timeout=60), base_url=hanging)
        tasks: list[asyncio.Task[Any]] = []
        while len(tasks) < 300:
            tasks += [asyncio.create_task(stuck.json("list")) for _ in range(20)]
            async with asyncio.timeout(10):
                for _ in range(20):
                    await arrived.acquire()
        assert await over(client, guarded(), base_url=well).json("list") == {}
        assert not any(task.done() for task in tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_who_only_waited_for_a_place_sent_nothing(vendor: Scripted) -> None:
    http = over(vendor.client, guarded(timeout=0.05, concurrency=1))
    vendor.usual = never
    first, second = await asyncio.gather(failure(http.json("act")), failure(http.json("act")))
    assert (first.sent, second.sent, len(vendor.requests)) == (True, False, 1)


async def test_a_cancelled_request_frees_its_place(vendor: Scripted) -> None:
    http = over(vendor.client, guarded(concurrency=1))
    vendor.script = [never]
    task = asyncio.create_task(http.json("list"))
    await vendor.arrived.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await http.json("list") == {"good": True}
    assert http.guard.outcomes == {"ok": 1}


@pytest.mark.parametrize("code", [500, 502, 503, 504])
async def test_a_read_is_tried_again(vendor: Scripted, http: VendorHTTP, code: int) -> None:
    vendor.script = [JSONResponse({}, code), JSONResponse({}, code)]
    assert await http.json("read-by-post", body={"a": 1}) == {"good": True}
    assert vendor.bodies == [b'{"a":1}'] * 3


async def test_a_read_is_tried_three_times_at_most(vendor: Scripted, http: VendorHTTP) -> None:
    vendor.usual = BROKEN
    assert "500: oh no" in (await failure(http.json("list"))).message
    assert len(vendor.requests) == 3


@pytest.mark.parametrize("code", [400, 401, 403, 404, 408, 422, 501])
async def test_what_another_try_cannot_help_is_tried_once(vendor: Scripted, http: VendorHTTP, code: int) -> None:
    vendor.usual = JSONResponse({}, code)
    await failure(http.json("list"))
    assert len(vendor.requests) == 1


async def test_retries_have_a_budget(vendor: Scripted, http: VendorHTTP) -> None:
    told = 0
    for _ in range(30):
        vendor.script = [BROKEN]  # a second attempt would succeed
        try:
            await http.json("list")
        except VendorUnavailable:
            told += 1
        await http.json("list")
    retries = len(vendor.requests) - 60
    assert retries == 30 - told
    assert 3 + 5 <= retries <= 3 + 6


async def test_a_pause_is_full_jitter_that_grows(
    vendor: Scripted, http: VendorHTTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("connectors.http.asyncio.sleep", sleep)
    vendor.usual = BROKEN
    for share in (1.0, 0.5):
        http.guard.random = partial(float, share)
        await failure(http.json("list"))
    assert pauses == [0.1, 0.2, 0.05]  # the retry budget ends the second


async def test_no_retry_outlasts_the_deadline(vendor: Scripted) -> None:
    http = over(vendor.client, guarded(timeout=0.05))
    http.guard.random = lambda: 1.0
    vendor.usual = BROKEN
    assert "500" in (await failure(http.json("list"))).message
    assert len(vendor.requests) == 1


async def test_a_short_wait_for_the_rate_is_waited(vendor: Scripted, http: VendorHTTP) -> None:
    vendor.script = [JSONResponse({}, 429, {"retry-after": "0.02"})]
    assert await http.json("list") == {"good": True}
    assert len(vendor.requests) == 2


@pytest.mark.parametrize(("wait", "seconds"), [("1", 0.5), ("1.1", 5.0), ("30", 5.0), (None, 5.0)])
async def test_a_wait_that_does_not_fit_is_told(vendor: Scripted, wait: str | None, seconds: float) -> None:
    http = over(vendor.client, guarded(timeout=seconds))
    vendor.usual = JSONResponse({}, 429, None if wait is None else {"retry-after": wait})
    error = await failure(http.json("list"))
    assert isinstance(error, VendorRateLimited)
    assert (error.retry_after, error.sent) == (None if wait is None else float(wait), False)
    assert len(vendor.requests) == 1


@pytest.mark.parametrize("code", [429, 503])
async def test_the_whole_account_waits_when_the_vendor_says_so(vendor: Scripted, code: int) -> None:
    clock = Clock()
    http = over(vendor.client, guarded(clock=clock))
    vendor.script = [JSONResponse({}, code, {"retry-after": "31536000"})]
    assert (await failure(http.json("act"))).retry_after == 300
    assert status(http) is AccountStatus.RATE_LIMITED
    for operation in ("list", "act"):
        error = await failure(http.send(operation, traffic=Traffic.COMMAND))
        assert (type(error), error.sent, error.retry_after) == (VendorRateLimited, False, 300)
    assert len(vendor.requests) == 1
    clock.seconds += 300
    assert await http.json("list") == {"good": True}


async def test_the_vendors_count_of_the_budget_is_kept(vendor: Scripted) -> None:
    http = over(vendor.client, guarded(clock=Clock()))
    told = {"ratelimit-limit": "1000", "ratelimit-remaining": "100", "ratelimit-reset": "60"}
    vendor.script = [JSONResponse({}, headers=told)]
    await http.json("list")
    assert isinstance(await failure(http.json("list")), VendorRateLimited)
    await http.send("act", traffic=Traffic.COMMAND)
    assert vendor.paths == ["/list", "/act"]
    found = http.guard.rate_limit
    assert found is not None
    assert (found.limit, found.remaining) == (1000, 99)


@pytest.mark.parametrize("text", ["", "-5", "many", "nan", "1e999"])
async def test_headers_that_make_no_sense_are_ignored(vendor: Scripted, http: VendorHTTP, text: str) -> None:
    odd = {"ratelimit-limit": text, "ratelimit-remaining": text, "ratelimit-reset": text, "retry-after": text}
    vendor.usual = JSONResponse({}, headers=odd)
    await http.json("list")
    await http.json("list")
    assert http.guard.rate_limit is None


@pytest.mark.parametrize(
    ("text", "date", "seconds"),
    [
        ("120", None, 120),
        ("0", None, 0),
        ("1.5", None, 1.5),
        ("31536000", None, 300),
        ("-1", None, None),
        ("soon", None, None),
        ("", None, None),
        ("Wed, 04 Mar 2026 12:01:30 GMT", None, 90),
        ("Wed, 04 Mar 2026 11:59:00 GMT", None, None),
        ("Wed, 04 Mar 2099 12:00:00 GMT", None, 300),
        ("Wed, 04 Mar 2026 15:00:10 GMT", "Wed, 04 Mar 2026 15:00:00 GMT", 10),
        ("Wed, 99 Mar 2026 12:01:30 GMT", None, None),
        ("Wed, 04 Mar 99999999999999999999 12:01:30 GMT", None, None),
    ],
)
def test_the_wait_has_two_forms(text: str, date: str | None, seconds: float | None) -> None:
    headers = httpx2.Headers({"retry-after": text} | ({} if date is None else {"date": date}))
    assert retry_after(headers, datetime(2026, 3, 4, 12, tzinfo=UTC)) == seconds


async def test_a_spent_budget_sends_nothing(vendor: Scripted) -> None:
    http = over(vendor.client, guarded(clock=Clock(), rates=[Rate(requests=2, per_seconds=3600)]))
    for _ in range(2):
        await http.send("act", traffic=Traffic.COMMAND)
    assert not (await failure(http.send("act", traffic=Traffic.COMMAND))).sent
    assert len(vendor.requests) == 2


@pytest.mark.parametrize(
    ("answer", "kind", "fares"),
    [
        (BROKEN, VendorUnavailable, AccountStatus.UNAVAILABLE),
        (JSONResponse({}, 429), VendorRateLimited, AccountStatus.RATE_LIMITED),
        (Response(b"<html>", media_type="text/html"), VendorUnavailable, AccountStatus.UNAVAILABLE),
        (Response(status_code=302), VendorUnavailable, AccountStatus.UNAVAILABLE),
    ],
    ids=["500", "429", "html", "302"],
)
async def test_five_bad_answers_open_the_breaker(
    vendor: Scripted, answer: Response, kind: type, fares: AccountStatus
) -> None:
    clock = Clock()
    http = over(vendor.client, guarded(clock=clock))
    vendor.usual = answer
    for _ in range(5):
        await failure(http.json("act"))
        clock.seconds += 1
    error = await failure(http.json("act"))
    assert (type(error), error.sent, len(vendor.requests)) == (kind, False, 5)
    assert status(http) is fares


async def test_a_refused_key_is_not_tried_again_and_again(vendor: Scripted) -> None:
    clock = Clock()
    http = over(vendor.client, guarded(clock=clock))
    vendor.usual = JSONResponse({}, 401)
    for _ in range(60):
        assert isinstance(await failure(http.json("list")), VendorUnauthorized)
        clock.seconds += 1
    assert len(vendor.requests) == 3
    assert status(http) is AccountStatus.UNAUTHORIZED


async def test_other_statuses_may_mean_refused_credentials(vendor: Scripted) -> None:
    refused = over(vendor.client, guarded(), unauthorized=lambda code, data: code == 403 and "key" in data)
    vendor.usual = JSONResponse({"key": "revoked"}, 403)
    assert type(await failure(refused.json("list"))) is VendorUnauthorized
    assert status(refused) is AccountStatus.UNAUTHORIZED
    scope = over(vendor.client, guarded(), unauthorized=lambda code, data: code == 403 and "key" in data)
    vendor.usual = JSONResponse({}, 403)
    assert type(await failure(scope.json("list"))) is VendorForbidden
    assert status(scope) is AccountStatus.OK


async def test_every_request_is_traced(vendor: Scripted, http: VendorHTTP) -> None:
    seen: list[UpstreamRequest] = []
    token = trace.set(seen)
    try:
        vendor.script = [BROKEN]
        await http.json("list")
        await asyncio.gather(http.json("get", path={"id": 1}))
    finally:
        trace.reset(token)
    await http.json("list")
    assert [(it.account, it.operation, it.status) for it in seen] == [
        ("acme-kiosks", "list", 500),
        ("acme-kiosks", "list", 200),
        ("acme-kiosks", "get", 200),
    ]
    assert all(it.milliseconds > 0 for it in seen)


async def test_each_failure_is_logged_once_and_tells_no_secret(vendor: Scripted, http: VendorHTTP) -> None:
    vendor.script = [JSONResponse({"secret": CANARY}, 500), JSONResponse({"secret": CANARY}, 404), Response(b"<")]
    with capture_logs() as logs:
        for _ in range(3):
            await failure(http.json("act", body={"password": CANARY}, query={"key": CANARY}))
        await http.json("act")
    assert [(it["operation"], it["status"], it["kind"], it["log_level"]) for it in logs] == [
        ("act", 500, "VendorUnavailable", "warning"),
        ("act", 404, "VendorRejected", "info"),
        ("act", None, "VendorProtocolError", "warning"),
    ]
    assert {it["account"] for it in logs} == {"acme-kiosks"}
    assert CANARY not in repr(logs)
    assert BASE not in repr(logs)
    assert CANARY not in str(http.guard.last_error)
