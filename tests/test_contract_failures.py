"""How every connector fails: in our words, with the account's name, without its secrets, and in no storm."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from traceback import format_exception
from typing import Any

import httpx2
import orjson
import pytest
import pytest_asyncio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from structlog.testing import capture_logs

from connectors.base import Secret
from connectors.guard import Limits
from connectors.http import new_client
from connectors.registry import CONNECT
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
from sandbox.app import create_app
from sandbox.faults import Fault, Kind
from sandbox.server import start
from sandbox.world import World
from tests.running import Sandbox
from tests.vendors import BY_NAME, CASES, KINDS, LOGGING_IN, SMALL, account_of, standing, whole_span

pytestmark = pytest.mark.asyncio(loop_scope="module")  # so that one client serves all

# Every way of reading a vendor that asks it something, once a token is there.
READS = [
    *((name, kind) for name, kind in KINDS if name != "eatmachine"),
    *((name, kind.removesuffix("s")) for name, kind in KINDS if kind in ("sales", "events")),
    ("smartvend", "sign_in"),
    ("smartepi", "sign_in"),
    ("eatmachine", "sign_in"),
]
ONE_REQUEST = {"eatmachine": "sign_in", "smartepi": "products"}
FIRST = [(case.name, ONE_REQUEST.get(case.name, "machines")) for case in CASES]


NATIVES = {
    "smartvend": {"sale": "1@1@1", "event": "1@1@1"},
    "livello": {"sale": "1", "event": "1@1"},
    "vendnovation": {"sale": "1@1", "event": "1@1"},
    "smartepi": {"sale": "w:1@1"},
}  # such as the vendor is asked about


async def ask(connector: Any, kind: str) -> Any:
    if kind in ("sales", "events"):
        return await getattr(connector, kind)(whole_span(), 50, None)
    if kind in ("sale", "event"):
        return await getattr(connector, kind)(NATIVES[connector.account.vendor.value][kind])
    if kind != "slots":
        return await getattr(connector, kind)()
    found = (await connector.slots(["1"]))["1"]
    if isinstance(found, VendorError):
        raise found
    return found


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    """All vendors without their limits of rate."""
    app = create_app(vendors=[case.emulate(SMALL) for case in CASES])
    with start(app) as server:
        yield Sandbox(server.base, app)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with new_client() as client:
        yield client


@asynccontextmanager
async def signed_in(
    sandbox: Sandbox, client: httpx2.AsyncClient, name: str, deadline: float = 5.0
) -> AsyncIterator[Any]:
    """The connector of a vendor of the sandbox over a real connection, with its token, if it needs one."""
    limits = Limits(requests=10**6, per_seconds=1)
    account = account_of(BY_NAME[name], sandbox.vendors[name], base=sandbox.base, limits=limits)
    connector: Any = CONNECT[account.vendor](account, client)
    connector.guard.random = lambda: 0.0
    await connector.sign_in()  # in its own time, however short what follows is meant to be
    connector.guard.timeout = deadline
    yield connector
    await connector.aclose()


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A fault of the sandbox, and what it is in our words; `tries`: how many requests it takes to say so."""

    kind: Kind
    error: type[VendorError]
    tries: int = 1
    status: int = 503
    wait: float | None = None
    lasting: bool = False  # until the deadline, so that the sandbox has not seen its end yet

    def __str__(self) -> str:
        return f"{self.kind}-{self.status}" if self.kind == "status" else self.kind


BROKEN = (
    Broken(kind="status", status=400, error=VendorRejected),
    Broken(kind="status", status=401, error=VendorUnauthorized),
    Broken(kind="status", status=403, error=VendorForbidden),
    Broken(kind="status", status=404, error=VendorRejected),
    Broken(kind="status", status=408, error=VendorUnavailable),
    Broken(kind="status", status=429, error=VendorRateLimited, wait=17),
    Broken(kind="status", status=500, error=VendorUnavailable, tries=3),
    Broken(kind="status", status=503, error=VendorUnavailable, wait=17),
    Broken(kind="redirect", error=VendorProtocolError),
    Broken(kind="junk", error=VendorProtocolError),
    Broken(kind="html", error=VendorProtocolError),
    Broken(kind="empty", error=VendorProtocolError),
    Broken(kind="deep", error=VendorProtocolError),
    Broken(kind="huge", error=VendorProtocolError),
    Broken(kind="truncate", error=VendorProtocolError, tries=3),
    Broken(kind="reset", error=VendorUnavailable, tries=3),
    Broken(kind="hang_before", error=VendorUnavailable, lasting=True),
    Broken(kind="trickle", error=VendorUnavailable, lasting=True),
)


def expected(name: str, broken: Broken) -> tuple[type[VendorError], int]:
    """The error's class and the number of requests, with each vendor's own reading of a status.

    Where a token is refused another is asked for, which is refused too."""
    if broken.status == 401 and name in LOGGING_IN:
        return broken.error, 2
    if broken.status == 403 and name == "smartepi":
        return VendorUnauthorized, 1
    if broken.status == 403 and name == "vendnovation":
        return VendorUnauthorized, 2
    return broken.error, broken.tries


def strike(sandbox: Sandbox, name: str, broken: Broken, operation: str = "") -> None:
    headers = {} if broken.wait is None else {"retry-after": f"{broken.wait:g}"}
    fault = Fault(vendor=name, kind=broken.kind, status=broken.status, headers=headers, operation=operation)
    sandbox.forget_requests()
    sandbox.app.state.controls.faults.append(fault)


async def failure(asked: Any) -> VendorError:
    with pytest.raises(VendorError) as caught:
        await asked
    return caught.value


def told(sandbox: Sandbox, connector: Any, error: VendorError, logs: list[Any]) -> None:
    """An error says whose it is, and neither it nor anything that is logged or kept tells a secret or an address."""
    account = connector.account
    assert (error.account, error.vendor) == (account.key, account.vendor.value)
    said = "".join(format_exception(error)) + repr(error.__dict__) + repr(logs) + repr(connector.guard.last_error)
    for secret in account.credentials.values():
        assert secret.reveal() not in said
    assert sandbox.base not in error.message + repr(logs)


@pytest.mark.parametrize("broken", BROKEN, ids=str)
@pytest.mark.parametrize(("name", "kind"), FIRST)
async def test_each_way_of_failing_is_told_in_our_words(
    sandbox: Sandbox, client: httpx2.AsyncClient, name: str, kind: str, broken: Broken
) -> None:
    # A connection that was kept from an earlier test may be gone: that would be a try which the vendor does not see.
    own = new_client() if broken.tries > 1 else nullcontext(client)
    async with own as its, signed_in(sandbox, its, name, deadline=0.2 if broken.lasting else 5.0) as connector:
        strike(sandbox, name, broken)
        with capture_logs() as logs:
            error = await failure(ask(connector, kind))
    kind_of_error, tries = expected(name, broken)
    assert type(error) is kind_of_error
    assert error.retry_after == broken.wait
    assert broken.lasting or len(sandbox.requests(name)) == tries
    assert logs
    told(sandbox, connector, error, logs)


@pytest.mark.parametrize("broken", [one for one in BROKEN if one.status in (500, 400) or one.kind == "junk"], ids=str)
@pytest.mark.parametrize(("name", "kind"), READS)
async def test_whatever_is_read_fails_alike(
    sandbox: Sandbox, client: httpx2.AsyncClient, name: str, kind: str, broken: Broken
) -> None:
    """But for one thing that is asked for by its name: a vendor that refuses to tell of it may not have it."""
    async with signed_in(sandbox, client, name) as connector:
        strike(sandbox, name, broken)
        if kind in ("sale", "event") and broken.error is VendorRejected:
            try:
                assert await ask(connector, kind) is None
            except VendorRejected:
                return
        else:
            error = await failure(ask(connector, kind))
            assert type(error) is broken.error
            told(sandbox, connector, error, [])


@pytest.mark.parametrize("broken", [one for one in BROKEN if not one.lasting], ids=str)
@pytest.mark.parametrize("name", LOGGING_IN)
async def test_a_login_fails_as_what_needs_it_does(
    sandbox: Sandbox, client: httpx2.AsyncClient, name: str, broken: Broken
) -> None:
    case = BY_NAME[name]
    account = account_of(case, sandbox.vendors[name], base=sandbox.base)
    assert case.login is not None
    connector: Any = CONNECT[account.vendor](account, client)
    connector.guard.random = lambda: 0.0
    strike(sandbox, name, broken, operation=case.login)
    with capture_logs() as logs:
        error = await failure(connector.sign_in())
    refused = broken.status in (401, 403)
    assert type(error) is (VendorUnauthorized if refused else broken.error)
    told(sandbox, connector, error, logs)


@pytest.mark.parametrize("name", LOGGING_IN)
async def test_many_log_in_once_and_again_once_when_the_token_has_ended(name: str) -> None:
    start = datetime.now(UTC).replace(microsecond=0)
    moment = [start]
    case = BY_NAME[name]
    vendor = case.emulate(World(scale=0.1, days=10, start=start, now=lambda: moment[0]))
    kind = dict(FIRST)[name]
    assert case.login is not None
    async with standing(name, vendor=vendor) as it:
        await asyncio.gather(*(ask(it.connector, kind) for _ in range(20)))
        assert it.wire.requests(case.login) == 1
        asked = len(it.wire.asked) - 1
        moment[0] += timedelta(days=4)
        await asyncio.gather(*(ask(it.connector, kind) for _ in range(20)))
        assert it.wire.requests(case.login) == 2
        assert len(it.wire.asked) - 2 <= asked + 2 * asked
        assert it.connector.guard.status is AccountStatus.OK


def every_credential_wrong() -> Iterator[tuple[str, str]]:
    for case in CASES:
        needed = case.credentials or case.emulate(SMALL).account("")["credentials"]
        yield from ((case.name, credential) for credential in needed)


@pytest.mark.parametrize(("name", "credential"), list(every_credential_wrong()))
async def test_a_wrong_credential_is_said_to_be_refused_and_left_alone(name: str, credential: str) -> None:
    async with standing(name) as it:
        right = it.account.credentials
    async with standing(name, credentials={**right, credential: Secret("wrong-but-secret-7f2a")}) as it:
        error = await failure(ask(it.connector, dict(FIRST)[name]))
        assert type(error) is VendorUnauthorized
        assert (error.account, error.vendor) == (it.account.key, name)
        assert it.connector.guard.status is AccountStatus.UNAUTHORIZED
        asked = len(it.wire.asked)
        for _ in range(20):
            error = await failure(ask(it.connector, dict(FIRST)[name]))
            assert (type(error), error.sent) == (VendorUnauthorized, False)
        assert len(it.wire.asked) == asked <= 4
        assert "7f2a" not in error.message + str(it.connector.guard.last_error)


async def repeats(request: Request) -> Response:
    """A vendor that says in its refusal all that it was sent, in every form that is read for words."""
    credentials = set().union(*(case.headers for case in CASES))
    said = repr([request.headers[name] for name in credentials & set(request.headers)])
    said += (await request.body()).decode()
    words = dict.fromkeys(("message", "Message", "detail", "title", "code"), said)
    return JSONResponse({**words, "result": {"$case": "error", "error": {"message": said, "code": said}}}, 409)


@pytest.mark.parametrize(("name", "kind"), FIRST)
async def test_a_vendor_that_repeats_what_it_was_sent_makes_no_secret_public(name: str, kind: str) -> None:
    async with standing(name) as it:
        await it.connector.sign_in()

        async def instead(request: Request) -> Response | None:
            return await repeats(request)

        it.wire.instead = instead
        with capture_logs() as logs:
            error = await failure(ask(it.connector, kind))
        said = repr(logs) + error.message + str(it.connector.guard.last_error)
    carried = [value for asked in it.wire.asked[-1:] for key, value in asked.headers.items() if key in it.case.headers]
    assert carried
    assert "***" in said
    assert not any(secret in said for secret in [*it.secrets, *(value.split()[-1] for value in carried)])


@pytest.mark.parametrize("name", [case.name for case in CASES if case.login_members])
async def test_a_login_that_repeats_what_it_was_sent_makes_no_secret_public(name: str) -> None:
    async with standing(name) as it:

        async def instead(request: Request) -> Response | None:
            return await repeats(request)

        it.wire.instead = instead
        with capture_logs() as logs:
            error = await failure(it.connector.sign_in())
        said = repr(logs) + error.message + str(it.connector.guard.last_error)
    assert not any(secret in said for secret in it.secrets)


async def test_a_refusal_within_a_success_makes_no_secret_public() -> None:
    async with standing("smartvend") as it:

        async def instead(request: Request) -> Response | None:
            refused = orjson.loads((await repeats(request)).body)
            return JSONResponse(refused)

        it.wire.instead = instead
        error = await failure(it.connector.machines())
    assert type(error) is VendorRejected
    assert "***" in error.message
    assert not any(secret in error.message for secret in it.secrets)
