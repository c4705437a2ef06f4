"""Livello's connector against the emulated vendor, and against small scripted answers for what that does not do."""

import asyncio
import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.base import Account, Secret
from connectors.guard import Limits
from connectors.http import new_client
from connectors.livello import Livello, connect
from connectors.livello.client import LivelloClient
from domain.capabilities import Capability, UnavailableReason
from domain.errors import (
    VendorError,
    VendorForbidden,
    VendorProtocolError,
    VendorRateLimited,
    VendorRejected,
    VendorUnauthorized,
)
from domain.model import AccountStatus, Connectivity, EventState, Severity, Slot
from domain.money import Money
from domain.refs import Kind, Ref
from domain.sales import PaymentMethod, SaleStatus
from domain.times import EPOCH, Span
from sandbox.livello import SCOPES
from sandbox.livello import Livello as Emulator
from sandbox.livello_gate import CREDENTIALS
from sandbox.world import World
from tests.scripted import account as any_account

HOST = "https://livello.test"
BASE = f"{HOST}/api/v1"
FIXTURES = Path(__file__).parent / "fixtures" / "livello"
KEY = "acme-kiosks"
ALWAYS = Span(EPOCH, datetime(9999, 1, 1, tzinfo=UTC))
SECOND = timedelta(seconds=1)
Row = dict[str, Any]


class Stage:
    """A vendor behind ASGI, and a connector to it. Keeps the requests; `before` is called with each of them."""

    def __init__(self, vendor: ASGIApp, **changed: Any) -> None:
        self._vendor = vendor
        self.requests: list[Request] = []
        self.before: Callable[[Request], Awaitable[object] | None] = lambda _: None
        self.http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self), trust_env=False)
        self.account = account_of(**changed)
        self.connector = connect(self.account, self.http)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        self.requests.append(request)
        waiting = self.before(request)
        if waiting is not None:
            await waiting
        await self._vendor(scope, receive, send)

    @property
    def asked(self) -> list[str]:
        """What was asked so far, as "METHOD /path"."""
        return [f"{one.method} {one.url.path.removeprefix('/api/v1')}" for one in self.requests]

    def count(self, path: str) -> int:
        return sum(asked.endswith(f" {path}") for asked in self.asked)

    def queries(self, path: str) -> list[dict[str, str]]:
        return [dict(one.query_params) for one in self.requests if one.url.path == f"/api/v1{path}"]

    async def failure(self, asking: Awaitable[object]) -> VendorError:
        with pytest.raises(VendorError) as caught:
            await asking
        return caught.value


def account_of(**changed: Any) -> Account:
    secrets = {name: Secret(value) for name, value in CREDENTIALS.items()}
    return any_account(**({"base_url": BASE, "currency": "EUR", "credentials": secrets} | changed))


def over(emulator: Emulator, **changed: Any) -> Stage:
    return Stage(Starlette(routes=emulator.routes()), **changed)


@pytest.fixture(scope="module")
def shared() -> Emulator:
    """For tests that only read."""
    return Emulator(World(scale=0.4), hourly=100_000, logins=100_000)


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(World(scale=0.2))


@pytest.fixture
async def stage(shared: Emulator) -> AsyncIterator[Stage]:
    stage = over(shared)
    yield stage
    await stage.http.aclose()


def jwt(ends: float, name: str = "") -> str:
    claims = json.dumps({"exp": int(ends), "name": name}).encode()
    return ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in (b"{}", claims, b"mac"))


Answer = Any  # JSON, a Response, or a function of the request that gives one of the two


class Little:
    """Gives what stands under a path, and tokens; keeps what was sent for these."""

    def __init__(self, answers: Mapping[str, Answer], *, scope: str | None = SCOPES) -> None:
        self.answers = dict(answers)
        self.token: Answer = {"access_token": jwt(4_000_000_000), "token_type": "Bearer", "expires_in": 86_400}
        if scope is not None:
            self.token["scope"] = scope
        self.bodies: list[Any] = []
        self.media: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        answer = await self._answer(request)
        await (answer if isinstance(answer, Response) else JSONResponse(answer))(scope, receive, send)

    async def _answer(self, request: Request) -> Any:
        path = request.url.path.removeprefix("/api/v1")
        if path == "/auth/token" and request.url.path.startswith("/api/v1"):
            self.media.append(request.headers["content-type"])
            self.bodies.append(await request.json())
            answer = self.token
        else:
            answer = self.answers.get(request.url.path, self.answers.get(path, problem(404, "Not Found")))
        if callable(answer) and not isinstance(answer, Response):
            answer = answer(request)
        return await answer if isinstance(answer, Awaitable) else answer


def problem(status: int, title: str, headers: Mapping[str, str] | None = None) -> Response:
    body = {"type": "https://api.livello.com/errors/x", "title": title, "status": status, "detail": f"It is {title}"}
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def rows(*found: Row, total: Any = None) -> Row:
    return {"total": len(found) if total is None else total, "data": list(found)}


def transaction(native: int, created: str, **more: Any) -> Row:
    return {"id": native, "created": created, "total": 1.5, "kiosk": {"serialNumber": "LIV-0001"}, **more}


def money(amount: Any, currency: str = "EUR") -> Money:
    return Money(Decimal(str(amount)), currency)


def sample(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


# ---- every value against the truth --------------------------------------------------------------------------------


async def test_every_kiosk_is_told_as_it_is(stage: Stage, shared: Emulator) -> None:
    listing = await stage.connector.machines()
    truth = {row["serialNumber"]: row for row in shared.truth()["machines"]}
    assert listing.complete
    assert {machine.vendor_id for machine in listing.items} == set(truth)
    assert len(listing.items) == len(truth) == 20
    for machine in listing.items:
        row = truth[machine.vendor_id]
        seen = row.get("networkLastOnline")
        assert (machine.name, machine.serial_number) == (row["name"], row["_id"])
        assert machine.organization_ref == Ref(Kind.ORGANIZATION, KEY, row["orgId"])
        assert machine.last_seen_at == (None if seen is None else datetime.fromisoformat(seen))
        celsius = row["latestTemperature"]
        assert (machine.temperature and machine.temperature.celsius) == (None if celsius is None else float(celsius))
    states = [machine.connectivity for machine in listing.items]
    assert set(states) == set(Connectivity)
    assert states.count(Connectivity.UNKNOWN) == sum("networkLastOnline" not in row for row in truth.values())


async def test_the_tree_of_organizations_is_told_as_it_is(stage: Stage, shared: Emulator) -> None:
    listing = await stage.connector.organizations()
    told = {one.ref.native: one for one in listing.items}
    for row in shared.truth()["organizations"]:
        parent = row["parentOrg"]
        one = told.pop(str(row["id"]))
        assert one.name == row["name"]
        assert (one.parent_ref and one.parent_ref.native) == (None if parent in (None, 99) else str(parent))
        assert one.location is not None
        assert (one.location.address, one.location.city) == (row["address"]["address"], row["address"]["city"])
        assert (one.location.postal_code, one.location.country) == (
            row["address"]["postalCode"], row["address"]["countryCode"],
        )  # fmt: skip
    assert (told, listing.complete) == ({}, True)


async def test_every_product_is_told_as_it_is(stage: Stage, shared: Emulator) -> None:
    listing = await stage.connector.products()
    truth = {str(row["id"]): row for row in shared.truth()["products"]}
    assert len(listing.items) == len(truth)
    for product in listing.items:
        row = truth[product.vendor_id]
        assert (product.name, product.sku, product.category) == (row["name"], row["articleNumber"], row["category"])
        assert (product.price, product.cost) == (money(row["price"]), money(row["cost"]))
        assert product.organization_ref == Ref(Kind.ORGANIZATION, KEY, str(row["organizationId"]))


async def test_every_slot_is_told_as_it_is(stage: Stage, shared: Emulator) -> None:
    truth = shared.truth()
    serials = [row["serialNumber"] for row in truth["machines"]]
    found = await stage.connector.slots(serials)
    cells = {(cell["serialNumber"], cell["planogramPosition"]): cell for cell in truth["slots"]}
    for serial in serials:
        for slot in slots_of(found[serial]):
            line = cells.pop((serial, slot.position))["productLineData"]
            assert slot.machine_ref == Ref(Kind.MACHINE, KEY, serial)
            if line is None:
                assert (slot.product_ref, slot.price, slot.quantity, slot.capacity) == (None, None, None, None)
                continue
            assert slot.product_ref == Ref(Kind.PRODUCT, KEY, str(line["productMetaId"]))
            assert slot.price == money(line["price"])
            assert (slot.quantity, slot.capacity) == (line["quantity"], line["capacity"])
    assert cells == {}
    assert sorted(stage.asked[1:]) == [f"GET /kiosks/{serial}/inventory" for serial in serials]


def slots_of(found: Any) -> list[Slot]:
    assert not isinstance(found, VendorError), found
    return list(found)


async def test_every_sale_is_told_as_it_is(stage: Stage, shared: Emulator) -> None:
    found = await stage.connector.sales(ALWAYS, 100_000, None)
    truth = {str(row["id"]): row for row in shared.truth()["sales"]}
    assert found.since == ALWAYS.since
    assert len(found.items) == len(truth) == 1200
    words = {"MEMBERCARD": PaymentMethod.MEMBERCARD, "CreditOrDebitCard": PaymentMethod.CARD}
    for sale in found.items:
        row = truth.pop(sale.vendor_id)
        method = row["paymentMethod"]
        assert sale.recorded_at == sale.occurred_at == datetime.fromisoformat(row["created"])
        assert sale.machine_ref == Ref(Kind.MACHINE, KEY, row["kiosk"]["serialNumber"])
        assert (sale.total, sale.discount) == (money(row["total"]), money(row["discountTotal"]))
        assert sale.status is (SaleStatus.COMPLETED if method["isPaid"] else SaleStatus.PENDING)
        assert [payment.method for payment in sale.payments] == [
            words.get(method["paymentType"], PaymentMethod.UNKNOWN)
        ]
        assert (sale.person.vendor_id if sale.person else "0") == str(row["userId"])
        assert len(sale.lines) == len(row["itemsPurchased"])
        for line, item in zip(sale.lines, row["itemsPurchased"], strict=True):
            assert line.product_ref == Ref(Kind.PRODUCT, KEY, str(item["productMetaId"]))
            assert (line.position, line.quantity) == (item["planogramPosition"], item["quantity"])
            assert (line.unit_price, line.tax_rate) == (money(item["price"]), Decimal(item["taxRate"]))
            assert line.total == money(Decimal(str(item["price"])) * item["quantity"])
        gross = sum(line.total.amount for line in sale.lines if line.total)
        assert sale.total is not None
        assert sale.discount is not None
        assert sale.total.amount == gross - sale.discount.amount
    assert truth == {}


async def test_every_event_is_told_as_it_is(stage: Stage, shared: Emulator) -> None:
    found = await stage.connector.events(ALWAYS, 100_000, None)
    truth = {str(row["id"]): row for row in shared.truth()["events"]}
    severities = {"low": Severity.INFO, "high": Severity.CRITICAL}
    for event in found.items:
        row = truth.pop(event.vendor_id)
        assert event.recorded_at == datetime.fromisoformat(row["createdAt"])
        assert event.occurred_at == datetime.fromisoformat(row["startDate"])
        assert event.machine_ref == Ref(Kind.MACHINE, KEY, row["kioskSerialNumber"])
        assert (event.code, event.message) == (row["type"], row["message"])
        assert event.severity is severities.get(row["severity"], Severity.WARNING)
        assert event.state is (EventState.RESOLVED if row["status"] == "resolved" else EventState.ACTIVE)
    assert truth == {}


# ---- tokens -------------------------------------------------------------------------------------------------------


async def test_a_token_is_asked_for_once_in_json_and_carried_by_every_request(stage: Stage) -> None:
    await asyncio.gather(*(stage.connector.machines() for _ in range(5)), stage.connector.products())
    await stage.connector.sales(ALWAYS, 10, None)
    assert stage.count("/auth/token") == 1
    tokens = {one.headers["authorization"] for one in stage.requests[1:]}
    assert len(tokens) == 1
    assert "authorization" not in stage.requests[0].headers


async def test_the_credentials_go_as_documented() -> None:
    little = Little({"/kiosks": rows()})
    await Stage(little).connector.machines()
    assert (little.media, little.bodies) == (
        ["application/json"],
        [{**CREDENTIALS, "grant_type": "client_credentials"}],
    )


async def test_signing_in_takes_two_requests_and_one_where_kiosks_may_not_be_read(emulator: Emulator) -> None:
    stage = over(emulator)
    await stage.connector.sign_in()
    assert stage.asked == ["POST /auth/token", "GET /kiosks"]
    assert stage.queries("/kiosks") == [{"limit": "1", "page": "1"}]
    narrow = over(Emulator(World(scale=0.1), scopes="alerts:read"))
    await narrow.connector.sign_in()
    assert narrow.asked == ["POST /auth/token"]


class Wall:
    def __init__(self) -> None:
        self.seconds = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds

    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)


async def test_a_token_lives_as_long_as_it_says_itself_and_is_asked_for_once_before_its_end() -> None:
    """Another process had it first: `expires_in` tells its whole life, of which an hour is left.

    Until it ends the same one is handed out, so that asking again and again would bring nothing."""
    wall = Wall()
    emulator = Emulator(World(scale=0.1, now=wall.moment, start=wall.moment()))
    emulator.gate.hand_out()
    wall.seconds += 23 * 3600
    stage = over(emulator)
    client = LivelloClient(stage.account, stage.http, wall)
    for seconds in (3500, 39.9):
        await client.kiosks()
        wall.seconds += seconds
        assert stage.count("/auth/token") == 1
    for _ in range(40):
        await client.kiosks()
        wall.seconds += 1.5
    assert stage.count("/auth/token") == 2
    assert stage.count("/kiosks") == 42
    wall.seconds += 0.2
    await client.kiosks()
    assert stage.count("/auth/token") == 3


async def test_a_token_that_was_withdrawn_is_renewed_once_and_the_request_repeated(emulator: Emulator) -> None:
    stage = over(emulator)
    await stage.connector.machines()
    emulator.gate.forget_token()
    assert len((await stage.connector.machines()).items) == 10
    assert stage.asked == ["POST /auth/token", "GET /kiosks", "GET /kiosks", "POST /auth/token", "GET /kiosks"]


async def test_a_revoked_client_is_left_alone(emulator: Emulator) -> None:
    stage = over(emulator)
    await stage.connector.machines()
    emulator.gate.revoke_client()
    for _ in range(20):
        assert type(await stage.failure(stage.connector.machines())) is VendorUnauthorized
    assert stage.connector.guard.status is AccountStatus.UNAUTHORIZED
    assert stage.count("/auth/token") == 2


async def test_an_address_that_is_not_allowed_is_told_and_not_tried_again() -> None:
    stage = over(Emulator(World(scale=0.1), allowed=["10.0.0.0/8"]))
    error = await stage.failure(stage.connector.machines())
    assert isinstance(error, VendorUnauthorized)
    assert "not allowed from this address" in error.message
    await stage.failure(stage.connector.products())
    assert stage.asked == ["POST /auth/token"]


def limited(answer: Any, limit: int, left: int, reset: int) -> Response:
    told = {"ratelimit-limit": str(limit), "ratelimit-remaining": str(left), "ratelimit-reset": str(reset)}
    return JSONResponse(answer, headers=told)


async def test_the_budget_of_the_token_route_is_not_that_of_the_account() -> None:
    """Its answer tells of ten requests a minute, of which nine are left; here thirty go out before the next answer."""
    everyone = asyncio.Barrier(30)

    async def inventory(_: Request) -> Response:
        await everyone.wait()
        return limited([], 1000, 970, 3600)

    serials = [f"LIV-{number}" for number in range(30)]
    little = Little({f"/kiosks/{serial}/inventory": inventory for serial in serials})
    little.token = limited(little.token, 10, 9, 60)
    stage = Stage(little)
    found = await stage.connector.slots(serials)
    assert found == {serial: [] for serial in serials}
    limit = stage.connector.guard.rate_limit
    assert limit is not None
    assert limit.limit == 1000


async def test_tokens_are_had_at_the_base_and_else_at_the_host() -> None:
    """The documents' example has them at the host; whichever it is stays the first to be asked."""
    little = Little({"/kiosks": rows()})
    token, little.token = little.token, HTMLResponse("<title>Livello</title>")
    little.answers["/auth/token"] = token
    stage = Stage(little)
    await stage.connector.machines()
    addresses = [str(one.url) for one in stage.requests[:2]]
    assert addresses == [f"{BASE}/auth/token", f"{HOST}/auth/token"]
    assert {one.url.hostname for one in stage.requests} == {"livello.test"}


@pytest.mark.parametrize("usual", [problem(404, "Not Found"), HTMLResponse("<p>App"), {"greeting": "hello"}])
async def test_where_tokens_are_had_is_remembered(usual: Answer) -> None:
    wall = Wall()
    little = Little({"/kiosks": rows()})
    little.token = usual
    little.answers["/auth/token"] = lambda _: {"access_token": jwt(wall.seconds + 100, str(wall.seconds))}
    stage = Stage(little)
    client = LivelloClient(stage.account, stage.http, wall)
    await client.kiosks()
    wall.seconds += 200
    await client.kiosks()
    asked = [str(one.url) for one in stage.requests if one.method == "POST"]
    assert asked == [f"{BASE}/auth/token", f"{HOST}/auth/token", f"{HOST}/auth/token"]


async def test_where_there_are_no_tokens_at_all_the_usual_place_says_why() -> None:
    little = Little({})
    little.token = problem(400, "Bad Request")
    stage = Stage(little)
    error = await stage.failure(stage.connector.machines())
    assert isinstance(error, VendorRejected)
    assert "It is Bad Request" in error.message
    assert stage.asked == ["POST /auth/token", "POST /auth/token"]


async def test_a_base_without_a_path_is_asked_once() -> None:
    stage = Stage(Little({}), base_url=HOST)
    await stage.failure(stage.connector.machines())
    assert stage.asked == ["POST /auth/token"]


# ---- scopes -------------------------------------------------------------------------------------------------------


def scopes_but(scope: str) -> str:
    return " ".join(one for one in SCOPES.split() if one != scope)


ASKING: dict[str, Callable[[Livello], Awaitable[object]]] = {
    "kiosks:read": lambda connector: connector.machines(),
    "products:read": lambda connector: connector.products(),
    "organizations:read": lambda connector: connector.organizations(),
    "transactions:read": lambda connector: connector.sales(ALWAYS, 10, None),
    "alerts:read": lambda connector: connector.events(ALWAYS, 10, None),
}


@pytest.mark.parametrize("scope", list(ASKING))
async def test_what_the_scope_does_not_cover_is_not_permitted_and_not_asked_for(scope: str) -> None:
    stage = over(Emulator(World(scale=0.1), scopes=scopes_but(scope)))
    for _ in range(2):
        error = await stage.failure(ASKING[scope](stage.connector))
        assert isinstance(error, VendorForbidden)
        assert (error.sent, scope in error.message) == (False, True)
    assert stage.asked == ["POST /auth/token"]
    assert stage.connector.guard.status is AccountStatus.OK
    for other in set(ASKING) - {scope}:
        await ASKING[other](stage.connector)


async def test_slots_that_may_not_be_read_say_so_each() -> None:
    stage = over(Emulator(World(scale=0.1), scopes=scopes_but("inventory:read")))
    found = await stage.connector.slots(["LIV-0001", "LIV-0002"])
    assert [type(error) for error in found.values()] == [VendorForbidden, VendorForbidden]
    assert stage.asked == ["POST /auth/token"]


async def test_single_things_that_may_not_be_read_are_not_asked_for() -> None:
    stage = over(Emulator(World(scale=0.1), scopes="kiosks:read organizations:read"))
    await stage.failure(stage.connector.sale("1001"))
    await stage.failure(stage.connector.event("1001@1760518830123"))
    assert stage.asked == ["POST /auth/token"]


async def test_capabilities_follow_the_scope() -> None:
    stage = over(Emulator(World(scale=0.1), scopes="kiosks:read alerts:read"))
    refusal = stage.connector.refusal
    assert {refusal(capability) for capability in stage.connector.capabilities} == {None}  # not known yet
    await stage.connector.machines()
    denied = {capability for capability in stage.connector.capabilities if refusal(capability) is not None}
    counted = {Capability.SLOTS, Capability.STOCK_COUNTS, Capability.STOCK_MOVEMENTS}
    people = {Capability.CREATE_PERSON, Capability.UPDATE_PERSON}
    products = {Capability.CREATE_PRODUCT, Capability.UPDATE_PRODUCT, Capability.DELETE_PRODUCT}
    promos = {Capability.CREATE_PROMO_CODES, Capability.SET_PROMO_ELIGIBILITY}
    assert denied == counted | people | products | promos | {Capability.SALES, Capability.SET_PRICE}
    assert {refusal(capability) for capability in denied} == {UnavailableReason.NOT_PERMITTED}


async def test_a_scope_that_is_not_told_is_found_out_by_asking() -> None:
    little = Little({"/products": problem(403, "Forbidden"), "/kiosks": rows()}, scope=None)
    stage = Stage(little)
    error = await stage.failure(stage.connector.products())
    assert isinstance(error, VendorForbidden)
    assert (error.sent, "It is Forbidden" in error.message) == (True, True)
    await stage.connector.machines()
    assert stage.connector.refusal(Capability.SALES) is None


async def test_kiosks_have_no_location_where_organizations_may_not_be_read(emulator: Emulator) -> None:
    stage = over(Emulator(World(scale=0.1), scopes=scopes_but("organizations:read")))
    for machine in (await stage.connector.machines()).items:
        assert machine.place_ref is None
        reasons = {it.field: it.reason for it in machine.unavailable}
        assert reasons["location"] is UnavailableReason.NOT_PERMITTED
    free = over(emulator)
    for machine in (await free.connector.machines()).items:
        assert machine.place_ref == machine.organization_ref
        assert "location" not in {it.field for it in machine.unavailable}


# ---- limits and errors --------------------------------------------------------------------------------------------


async def test_the_vendors_count_of_its_budget_is_heeded_before_it_is_spent() -> None:
    """`RateLimit-Reset` is how many seconds are left, and a tenth is kept for commands."""
    emulator = Emulator(World(scale=0.1), hourly=20)
    stage = over(emulator)
    outcomes = [await attempt(stage.connector.machines()) for _ in range(30)]
    assert (outcomes.count("ok"), set(outcomes[-11:])) == (18, {"VendorRateLimited"})
    assert stage.count("/kiosks") == 18
    error = await stage.failure(stage.connector.machines())
    assert not error.sent
    assert error.retry_after == pytest.approx(3600, abs=60)
    assert stage.connector.guard.status is AccountStatus.RATE_LIMITED


async def attempt(asking: Awaitable[object]) -> str:
    try:
        await asking
    except VendorError as error:
        return type(error).__name__
    return "ok"


async def test_the_documented_budget_holds_where_the_vendor_tells_none() -> None:
    stage = Stage(Little({"/kiosks": rows()}))
    outcomes = [await attempt(stage.connector.machines()) for _ in range(905)]
    assert outcomes.count("ok") == 899  # and the token
    assert len(stage.requests) == 900


async def test_a_refusal_for_the_rate_tells_when_to_come_again() -> None:
    little = Little({"/kiosks": problem(429, "Too Many Requests", {"retry-after": "42"})})
    stage = Stage(little)
    error = await stage.failure(stage.connector.machines())
    assert isinstance(error, VendorRateLimited)
    assert (error.retry_after, "It is Too Many Requests" in error.message) == (42, True)
    await stage.failure(stage.connector.products())
    assert stage.asked == ["POST /auth/token", "GET /kiosks"]


async def test_a_problem_is_told_in_the_vendors_own_words() -> None:
    stage = Stage(Little({"/kiosks": JSONResponse(sample("problem"), 403)}))
    error = await stage.failure(stage.connector.machines())
    assert error.message.endswith("403: Insufficient scope. Required: kiosks:read")
    little = Little({"/kiosks": JSONResponse({"title": "Teapot", "detail": ["x"]}, 418)})
    assert (await Stage(little).failure(Stage(little).connector.machines())).message.endswith("418: Teapot")


async def test_no_secret_is_in_an_error(emulator: Emulator) -> None:
    wrong = {"client_id": Secret(CREDENTIALS["client_id"]), "client_secret": Secret("sk_live_canary")}
    stage = over(emulator, credentials=wrong)
    error = await stage.failure(stage.connector.machines())
    assert type(error) is VendorUnauthorized
    assert "canary" not in f"{error!r} {error.message} {stage.connector.guard.last_error}"


# ---- lists --------------------------------------------------------------------------------------------------------


async def test_every_request_asks_for_times_in_utc(stage: Stage) -> None:
    connector = stage.connector
    await asyncio.gather(connector.machines(), connector.organizations(), connector.products())
    await connector.slots(["LIV-0001"])
    newest = (await connector.sales(ALWAYS, 1, None)).items[0]
    event = (await connector.events(ALWAYS, 1, None)).items[0]
    await asyncio.gather(connector.sale(newest.ref.native), connector.event(event.ref.native))
    assert len(stage.requests) == 9
    assert {one.headers["x-timezone"] for one in stage.requests} == {"UTC"}


async def test_lists_are_read_in_pages_of_a_hundred_and_each_in_its_own_way(stage: Stage) -> None:
    await stage.connector.machines()
    await stage.connector.products()
    await stage.connector.organizations()
    assert stage.queries("/kiosks") == [{"sort": "1", "sortColumn": "serialNumber", "page": "1", "limit": "100"}]
    assert stage.queries("/products") == [{"sort": "1", "sortBy": "name", "page": "1", "limit": "100"}]
    assert stage.queries("/organizations") == [{"sort": "1", "sortBy": "name", "skip": "0", "limit": "100"}]


async def test_the_pages_of_a_fleet_are_asked_for_together_once_the_first_has_told_how_many() -> None:
    emulator = Emulator(World(scale=5))
    stage = over(emulator)
    both = asyncio.Barrier(2)

    def before(request: Request) -> Awaitable[object] | None:
        return both.wait() if request.query_params.get("page") in ("2", "3") else None

    stage.before = before
    assert len((await stage.connector.machines()).items) == 250
    assert [query["page"] for query in stage.queries("/kiosks")] == ["1", "2", "3"]


async def test_a_vendor_that_gives_smaller_pages_is_read_to_the_end() -> None:
    everything = [{"id": number, "_id": f"LIV-{number}"} for number in range(95)]

    def page(request: Request) -> Row:
        query = request.query_params
        size = min(30, int(query["limit"]))
        at = (int(query["page"]) - 1) * size if "page" in query else int(query["skip"])
        return rows(*everything[at : at + size], total=len(everything))

    connector = Stage(Little({"/kiosks": page, "/organizations": page})).connector
    machines, organizations = await connector.machines(), await connector.organizations()
    assert (len(machines.items), machines.complete) == (95, True)
    assert (len(organizations.items), organizations.complete) == (95, True)


async def test_a_list_that_lost_a_row_while_it_was_read_is_not_complete() -> None:
    connector = Stage(Little({"/kiosks": rows({"_id": "LIV-1"}, {"_id": "LIV-1"})})).connector
    listing = await connector.machines()
    assert (len(listing.items), listing.complete) == (1, False)


UNREADABLE: dict[str, tuple[Row, Row, Callable[[Livello], Awaitable[Any]]]] = {
    "/kiosks": ({"_id": "LIV-1"}, {"name": "Lobby"}, lambda connector: connector.machines()),
    "/organizations": ({"id": 1}, {"name": "SuperMarkt"}, lambda connector: connector.organizations()),
    "/products": ({"id": 1}, {"id": 2, "cost": "much"}, lambda connector: connector.products()),
    "/transactions": (
        transaction(1, "2026-01-05T10:00:00.000Z"),
        transaction(2, "yesterday"),
        lambda connector: connector.sales(ALWAYS, 10, None),
    ),
    "/alerts": (
        {"id": 1, "createdAt": "2026-01-05T10:00:00.000Z"},
        {"id": 2, "createdAt": None},
        lambda connector: connector.events(ALWAYS, 10, None),
    ),
}


@pytest.mark.parametrize("path", list(UNREADABLE))
async def test_a_record_that_cannot_be_read_costs_the_others_nothing_and_the_list_says_so(path: str) -> None:
    good, bad, read = UNREADABLE[path]
    found = await read(Stage(Little({"/organizations": rows(), path: rows(bad, good)})).connector)
    assert ([item.vendor_id if path != "/organizations" else "1" for item in found.items], found.complete) == (
        ["LIV-1" if path == "/kiosks" else "1"],
        False,
    )
    whole = await read(Stage(Little({"/organizations": rows(), path: rows(good)})).connector)
    assert (len(whole.items), whole.complete) == (1, True)


async def test_a_load_cell_that_cannot_be_read_is_left_out() -> None:
    good, bad = sample("inventory")[0], {"productLineData": None}
    little = Little({"/kiosks/LIV-1/inventory": [bad, good], "/kiosks/LIV-2/inventory": [bad]})
    found = await Stage(little).connector.slots(["LIV-1", "LIV-2"])
    assert [slot.position for slot in slots_of(found["LIV-1"])] == ["A1"]
    assert isinstance(found["LIV-2"], VendorProtocolError)


async def test_who_asks_for_a_list_that_is_on_its_way_gets_that_one(stage: Stage) -> None:
    first = asyncio.create_task(stage.connector.organizations())
    others = [asyncio.create_task(stage.connector.organizations()) for _ in range(5)]
    await asyncio.sleep(0)
    first.cancel()
    found = await asyncio.gather(*others)
    assert {len(listing.items) for listing in found} == {7}
    assert stage.count("/organizations") == 1
    await stage.connector.organizations()
    assert stage.count("/organizations") == 2


async def test_a_list_that_nobody_waits_for_ends_with_the_connector(stage: Stage) -> None:
    arrived = asyncio.Event()

    async def never() -> None:
        arrived.set()
        await asyncio.Event().wait()

    stage.before = lambda request: never() if request.url.path.endswith("/organizations") else None
    asking = asyncio.create_task(stage.connector.organizations())
    await arrived.wait()
    asking.cancel()
    await stage.connector.aclose()
    await asyncio.wait([asking])
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_list_that_failed_fails_everyone_who_waited_and_nobody_else() -> None:
    little = Little({"/organizations": problem(500, "Oh no")})
    connector = Stage(little).connector
    found = await asyncio.gather(*(attempt(connector.organizations()) for _ in range(3)))
    assert found == ["VendorUnavailable"] * 3
    little.answers["/organizations"] = rows()
    assert await attempt(connector.organizations()) == "ok"


async def test_one_kiosk_without_an_answer_costs_the_others_nothing(stage: Stage) -> None:
    found = await stage.connector.slots(["LIV-0001", "LIV-9999", "LIV-0002"])
    assert list(found) == ["LIV-0001", "LIV-9999", "LIV-0002"]
    assert isinstance(found["LIV-9999"], VendorRejected)
    assert slots_of(found["LIV-0001"])
    assert slots_of(found["LIV-0002"])


async def test_an_inventory_is_a_bare_list() -> None:
    little = Little({"/kiosks/LIV-0042/inventory": sample("inventory"), "/kiosks/LIV-0043/inventory": {"data": []}})
    found = await Stage(little).connector.slots(["LIV-0042", "LIV-0043"])
    assert [slot.position for slot in slots_of(found["LIV-0042"])] == ["A1", "A2"]
    assert isinstance(found["LIV-0043"], VendorProtocolError)


async def test_operations_may_be_moved() -> None:
    stage = Stage(Little({"/machines": rows({"_id": "LIV-1"})}), endpoints={"list-kiosks": "GET /machines"})
    assert [machine.vendor_id for machine in (await stage.connector.machines()).items] == ["LIV-1"]


def test_without_a_base_the_vendors_own_is_used() -> None:
    client = LivelloClient(account_of(base_url=None), new_client())
    assert client._http.base_url == "https://my.livello.com/api/v1"
    assert [host.base_url for host in client._token_hosts] == [
        "https://my.livello.com/api/v1",
        "https://my.livello.com",
    ]


# ---- sales and events ---------------------------------------------------------------------------------------------


def newest_first(truth: list[Row], member: str) -> list[Row]:
    return sorted(truth, key=lambda row: row[member], reverse=True)


async def test_a_page_of_sales_is_one_request(stage: Stage, shared: Emulator) -> None:
    found = await stage.connector.sales(ALWAYS, 37, None)
    truth = newest_first(shared.truth()["sales"], "created")
    assert {sale.vendor_id for sale in found.items} == {str(row["id"]) for row in truth[: len(found.items)]}
    assert len(found.items) >= 37
    assert stage.queries("/transactions") == [
        {
            "sort": "-1",
            "sortBy": "created",
            "startDate": "1970-01-01T00:00:00.000Z",
            "endDate": "9999-01-01T00:00:00.001Z",
            "limit": "38",
            "skip": "0",
        }
    ]


async def test_both_ends_of_the_span_are_as_the_graph_means_them(stage: Stage, shared: Emulator) -> None:
    created = sorted({datetime.fromisoformat(row["created"]) for row in shared.truth()["sales"]})
    since, until = created[400], created[600]
    found = await stage.connector.sales(Span(since, until), 1000, None)
    assert found.since == since
    assert sorted({sale.recorded_at for sale in found.items}) == created[400:600]
    between = Span(since + timedelta(microseconds=1), until + timedelta(microseconds=1))
    found = await stage.connector.sales(between, 1000, None)
    assert sorted({sale.recorded_at for sale in found.items}) == created[401:601]


async def test_sales_of_one_machine_are_asked_for_by_its_serial_number(stage: Stage) -> None:
    found = await stage.connector.sales(ALWAYS, 10, frozenset({"LIV-0004"}))
    assert {sale.machine_ref for sale in found.items} == {Ref(Kind.MACHINE, KEY, "LIV-0004")}
    assert [query["kioskSerialNumbers"] for query in stage.queries("/transactions")] == ["LIV-0004"]


async def test_sales_of_many_machines_go_together_in_one_request(stage: Stage, shared: Emulator) -> None:
    serials = frozenset({"LIV-0004", "LIV-0007", "LIV-0009"})
    found = await stage.connector.sales(ALWAYS, 20, serials)
    truth = [row for row in shared.truth()["sales"] if row["kiosk"]["serialNumber"] in serials]
    newest = newest_first(truth, "created")[: len(found.items)]
    assert {sale.vendor_id for sale in found.items} == {str(row["id"]) for row in newest}
    assert [query["kioskSerialNumbers"] for query in stage.queries("/transactions")] == ["LIV-0004,LIV-0007,LIV-0009"]
    events = await stage.connector.events(ALWAYS, 5, serials)
    assert {event.machine_ref.native for event in events.items if event.machine_ref} <= serials
    assert [query["kioskSerialNumbers"] for query in stage.queries("/alerts")] == ["LIV-0004,LIV-0007,LIV-0009"]


async def test_more_machines_than_fit_into_an_address_are_still_one_list(stage: Stage, shared: Emulator) -> None:
    serials = frozenset({row["serialNumber"] for row in shared.truth()["machines"]})
    others = frozenset(f"LIV-{number}" for number in range(10_000, 10_700))
    found = await stage.connector.sales(ALWAYS, 2000, serials | others)
    assert len(found.items) == len({sale.ref for sale in found.items}) == 1200
    first = [query for query in stage.queries("/transactions") if query["skip"] == "0"]
    assert len(first) == 2
    assert max(len(str(one.url)) for one in stage.requests) < 8000


async def test_nothing_is_asked_for_no_machines(stage: Stage) -> None:
    """An organization may have none."""
    nobody: frozenset[str] = frozenset()
    sales, events = await stage.connector.sales(ALWAYS, 10, nobody), await stage.connector.events(ALWAYS, 10, nobody)
    assert (sales.items, sales.since, events.items, events.since) == ((), ALWAYS.since, (), ALWAYS.since)
    assert [asked for asked in stage.asked if not asked.endswith("/auth/token")] == []


async def test_sales_that_are_made_while_the_list_is_paged_hide_none(emulator: Emulator) -> None:
    stage = over(emulator)
    before = {str(row["id"]) for row in emulator.truth()["sales"]}

    def sell(request: Request) -> None:
        if request.url.path.endswith("/transactions") and stage.count("/transactions") > 1:
            emulator.make_sales(3)

    stage.before = sell
    found = await stage.connector.sales(ALWAYS, 450, None)
    told = {sale.vendor_id for sale in found.items if sale.vendor_id in before}
    oldest = min(sale.recorded_at for sale in found.items)
    truth = {str(row["id"]): datetime.fromisoformat(row["created"]) for row in emulator.truth()["sales"]}
    assert {native for native in before if truth[native] >= oldest} == told
    assert len(told) >= 450
    assert len({sale.ref for sale in found.items}) == len(found.items)
    assert stage.count("/transactions") <= 6


async def test_a_vendor_that_falls_back_to_another_order_is_read_to_the_end() -> None:
    """It says nothing of it: what comes tells."""
    created = [f"2026-01-{day:02}T10:00:00.000Z" for day in (9, 4, 17, 1, 28, 12, 3)]
    everything = [transaction(number, at) for number, at in enumerate(created)]
    alerts = [{"id": number, "createdAt": at} for number, at in enumerate(created)]

    def page(found: list[Row]) -> Callable[[Request], Row]:
        def answer(request: Request) -> Row:
            query = request.query_params
            at = int(query.get("skip", query.get("offset", "0")))
            return rows(*found[at : at + 3], total=len(found))

        return answer

    connector = Stage(Little({"/transactions": page(everything), "/alerts": page(alerts)})).connector
    sales, events = await connector.sales(ALWAYS, 1, None), await connector.events(ALWAYS, 1, None)
    assert {sale.vendor_id for sale in sales.items} == {event.vendor_id for event in events.items} == set("0123456")


async def test_alerts_are_ordered_by_their_record_and_have_no_lower_limit(stage: Stage, shared: Emulator) -> None:
    """Whether the lower limit means the start or the record is not documented."""
    created = sorted(row["createdAt"] for row in shared.truth()["events"])
    since, until = (datetime.fromisoformat(created[at]) for at in (20, 40))
    found = await stage.connector.events(Span(since, until), 100, None)
    assert sorted({event.recorded_at for event in found.items}) == sorted(
        {datetime.fromisoformat(at) for at in created if created[20] <= at < created[40]}
    )
    (query,) = stage.queries("/alerts")
    upper = (until + timedelta(milliseconds=1)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert query == {
        "orderBy": "createdAt", "orderDirection": "DESC", "startDateTo": upper, "limit": "100", "offset": "0",
    }  # fmt: skip


async def test_a_sale_is_found_by_its_id(stage: Stage) -> None:
    listed = next(iter((await stage.connector.sales(ALWAYS, 1, None)).items))
    assert await stage.connector.sale(listed.ref.native) == listed
    for native in ("999999999", "none", "..", "", "1001/../1002"):
        assert await stage.connector.sale(native) is None


async def test_an_event_is_found_by_its_id(stage: Stage) -> None:
    listed = list((await stage.connector.events(ALWAYS, 1000, None)).items)
    for event in listed:
        assert await stage.connector.event(event.ref.native) == event
    asked = len(stage.requests)
    assert asked <= 3 + len(listed)
    for native in ("1001", "1001@", "1001@x", "@5", "7@" + "9" * 40):
        assert await stage.connector.event(native) is None
    assert len(stage.requests) == asked
    wanted, _, recorded = listed[0].ref.native.rpartition("@")
    assert await stage.connector.event(f"{int(wanted) + 10**9}@{recorded}") is None


async def test_alerts_of_one_moment_are_told_apart() -> None:
    at = ["2026-01-05T10:00:00.123Z", "2026-01-05T10:00:00.123Z", "2026-01-05T10:00:00.1239Z"]
    alerts = [{"id": number, "createdAt": moment} for number, moment in enumerate(at)]
    connector = Stage(Little({"/alerts": rows(*reversed(alerts))})).connector
    found = (await connector.events(ALWAYS, 10, None)).items
    assert len({event.ref for event in found}) == 3
    for event in found:
        assert await connector.event(event.ref.native) == event


# ---- currencies ---------------------------------------------------------------------------------------------------


def by_machine(sales: Any) -> dict[str, set[str | None]]:
    found: dict[str, set[str | None]] = {}
    for sale in sales:
        found.setdefault(sale.machine_ref.native, set()).add(sale.total and sale.total.currency)
    return found


def told_currencies(emulator: Emulator) -> dict[str, set[str | None]]:
    truth = emulator.truth()
    of = {str(row["id"]): row["currency"] for row in truth["organizations"]}
    return {row["serialNumber"]: {of[row["orgId"]]} for row in truth["machines"]}


async def test_a_sale_is_in_the_currency_of_its_kiosks_organization() -> None:
    emulator = Emulator(World(scale=0.4), currencies=("CHF", "CZK", "EUR"))
    stage = over(emulator, currency="GBP")
    found = await stage.connector.sales(ALWAYS, 10_000, None)
    assert by_machine(found.items) == told_currencies(emulator)
    assert len({currency for one in by_machine(found.items).values() for currency in one}) == 3
    one = await stage.connector.sale(found.items[0].ref.native)
    assert one == found.items[0]
    assert (stage.count("/organizations"), stage.count("/kiosks")) == (1, 1)


async def test_where_all_organizations_take_one_currency_the_kiosks_are_not_asked_for() -> None:
    stage = over(Emulator(World(scale=0.1), currencies=("CHF",)), currency="GBP")
    for _ in range(3):
        found = await stage.connector.sales(ALWAYS, 10, None)
        assert {sale.total and sale.total.currency for sale in found.items} == {"CHF"}
    assert sorted(stage.asked) == [
        "GET /organizations", "GET /transactions", "GET /transactions", "GET /transactions", "POST /auth/token",
    ]  # fmt: skip


async def test_currencies_are_learned_from_lists_that_are_read_anyway() -> None:
    emulator = Emulator(World(scale=0.4), currencies=("CHF", "EUR"))
    stage = over(emulator)
    await asyncio.gather(stage.connector.organizations(), stage.connector.machines())
    asked = len(stage.requests)
    found = await stage.connector.sales(ALWAYS, 50, None)
    assert by_machine(found.items).items() <= told_currencies(emulator).items()
    assert len(stage.requests) == asked + 1


async def test_a_list_that_is_on_its_way_is_not_asked_for_again_for_the_currencies() -> None:
    stage = over(Emulator(World(scale=0.4), currencies=("CHF", "EUR")))
    connector = stage.connector
    await asyncio.gather(
        connector.organizations(), connector.machines(), *(connector.sales(ALWAYS, 10, None) for _ in range(3))
    )
    assert (stage.count("/organizations"), stage.count("/kiosks")) == (1, 1)


async def test_the_currencies_come_beside_the_sales_and_not_before_them(emulator: Emulator) -> None:
    stage = over(emulator)
    both = asyncio.Barrier(2)

    def before(request: Request) -> Awaitable[object] | None:
        return None if request.url.path.endswith("/auth/token") else both.wait()

    stage.before = before
    found = await stage.connector.sales(ALWAYS, 10, None)
    assert len(found.items) >= 10


FAILING: list[Answer] = [
    problem(500, "Oh no"),
    problem(403, "Forbidden"),
    problem(404, "Not Found"),
    HTMLResponse("<p>Sign in"),
    {"total": 1},
]


@pytest.mark.parametrize("answer", FAILING)
async def test_a_sale_is_not_lost_over_its_currency(answer: Answer) -> None:
    little = Little({"/organizations": answer, "/transactions": rows(transaction(1, "2026-01-05T10:00:00.000Z"))})
    stage = Stage(little)
    for _ in range(3):
        found = await stage.connector.sales(ALWAYS, 10, None)
        assert [sale.total for sale in found.items] == [money("1.5")]
    assert stage.count("/organizations") <= 3  # one try, with what retries there are, and then a pause
    silent = await Stage(little, currency=None).connector.sales(ALWAYS, 10, None)
    assert [sale.total for sale in silent.items] == [None]


async def test_a_sale_does_not_wait_for_ever_for_its_currency() -> None:
    async def never(_: Request) -> Response:
        await asyncio.Event().wait()
        return Response()

    little = Little({"/organizations": never, "/transactions": rows(transaction(1, "2026-01-05T10:00:00.000Z"))})
    stage = Stage(little, limits=Limits(timeout_seconds=0.1))
    found = await stage.connector.sales(ALWAYS, 10, None)
    assert [sale.total for sale in found.items] == [money("1.5")]


async def test_where_organizations_may_not_be_read_the_accounts_currency_counts() -> None:
    emulator = Emulator(World(scale=0.1), currencies=("CHF",), scopes=scopes_but("organizations:read"))
    stage = over(emulator, currency="GBP")
    found = await stage.connector.sales(ALWAYS, 10, None)
    assert {sale.total and sale.total.currency for sale in found.items} == {"GBP"}
    assert stage.asked == ["POST /auth/token", "GET /transactions"]


async def test_a_kiosk_of_an_organization_that_tells_none_has_the_accounts_currency() -> None:
    sales = [transaction(n, f"2026-01-0{n}T10:00:00Z", kiosk={"serialNumber": f"LIV-{n}"}) for n in (4, 3, 2, 1)]
    little = Little(
        {
            "/organizations": rows({"id": 1, "currency": "chf"}, {"id": 2}),
            "/kiosks": rows({"_id": "LIV-1", "orgId": "1"}, {"_id": "LIV-2", "orgId": "2"}, {"_id": "LIV-3"}),
            "/transactions": rows(*sales),
        }
    )
    found = await Stage(little).connector.sales(ALWAYS, 10, None)
    assert by_machine(found.items) == {"LIV-1": {"CHF"}, "LIV-2": {"EUR"}, "LIV-3": {"EUR"}, "LIV-4": {"EUR"}}


async def test_prices_of_slots_are_asked_for_a_currency_only_where_a_line_tells_none() -> None:
    cells = sample("inventory")
    little = Little(
        {
            "/kiosks/LIV-0042/inventory": cells,
            "/kiosks/LIV-0043/inventory": [{"planogramPosition": "A1", "productLineData": {"price": "2.20"}}],
            "/organizations": rows({"id": 1, "currency": "CHF"}),
        }
    )
    stage = Stage(little)
    found = await stage.connector.slots(["LIV-0042"])
    assert slots_of(found["LIV-0042"])[0].price == money("1.79")
    assert stage.count("/organizations") == 0
    found = await stage.connector.slots(["LIV-0043"])
    assert slots_of(found["LIV-0043"])[0].price == money("2.20", "CHF")
    assert stage.count("/organizations") == 1
