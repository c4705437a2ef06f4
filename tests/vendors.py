"""A connector of each vendor over its emulated vendor, in one process, and what passes between the two."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Protocol

import httpx2
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.base import Account, Connector, Secret
from connectors.guard import Limits
from connectors.registry import CONNECT
from domain.model import Machine, MachineEvent, Organization, Place, Product, Slot
from domain.refs import Ref
from domain.sales import Sale
from domain.times import Span
from gateway.accounts import AccountSettings
from sandbox import eatmachine, livello, smartepi, smartvend, vendnovation
from sandbox.app import create_app
from sandbox.world import Vendor as Emulated
from sandbox.world import World

BASE = "https://vendors.test"
DAYS = 70
EVERYTHING = 10**6
UNLIMITED = Limits(requests=10**6, per_seconds=1)
Row = dict[str, Any]


class Value(Protocol):
    """What every value of the domain has that a connector tells."""

    @property
    def ref(self) -> Ref: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """How one vendor is made, and told apart.

    `native`: from a row of the truth, by kind, what its value's `ref.native` begins with. `login`: the path by which
    it logs in, None where it has no login. `headers`: those that carry credentials, and `needs`: the members without
    which a record says nothing."""

    name: str
    emulate: Callable[[World], Emulated]
    native: Mapping[str, Callable[[Row], str]]
    headers: frozenset[str]
    login: str | None = None
    login_members: frozenset[str] = frozenset()
    credentials: Mapping[str, str] | None = None  # where the sandbox's own account has others
    needs: frozenset[str] = frozenset()


def by(*names: str) -> Callable[[Row], str]:
    return lambda row: "/".join(str(row[name]) for name in names)


CASES = (
    Case(
        name="smartvend",
        emulate=smartvend.SmartVend,
        native={
            "machines": by("id"),
            "products": by("id"),
            "slots": lambda row: (
                f"{row['controllerId']}/{row['rowNumber'] * row['columnsNumber'] + row['columnNumber'] + 1}"
            ),
            "sales": lambda row: f"{row['saleId']}@",
            "events": lambda row: f"{row['id']}@",
        },
        headers=frozenset({"x-organization-key"}),
        needs=frozenset(
            {
                "id",
                "saleId",
                "createdAt",
                "controllerId",
                "columnsNumber",
                "rowNumber",
                "columnNumber",
                "quantity",
                "products",
            }
        ),
    ),
    Case(
        name="livello",
        emulate=lambda world: livello.Livello(world, hourly=10**6, logins=10**6),
        native={
            "machines": by("serialNumber"),
            "products": by("id"),
            "organizations": by("id"),
            "slots": by("serialNumber", "planogramPosition"),
            "sales": by("id"),
            "events": lambda row: f"{row['id']}@",
        },
        headers=frozenset({"authorization"}),
        login="/auth/token",
        login_members=frozenset({"client_id", "client_secret"}),
        needs=frozenset({"id", "serialNumber", "planogramPosition", "created", "createdAt", "quantity"}),
    ),
    Case(
        name="vendnovation",
        emulate=lambda world: vendnovation.VendNovation(world, per_second=10**6, burst=10**6, per_day=10**6),
        native={
            "machines": by("id"),
            "products": by("id"),
            "organizations": by("id"),
            "sites": by("id"),
            "slots": by("machineId", "id"),
            "sales": lambda row: f"{row['id']}@",
            "events": lambda row: f"{row['id']}@",
        },
        headers=frozenset({"x-api-key", "access-token"}),
        login="/authenticate/",
        login_members=frozenset({"username", "password"}),
        needs=frozenset({"id", "machineId", "selectionNumber", "recordedAtUtc", "raisedAt"}),
    ),
    Case(
        name="smartepi",
        emulate=lambda world: smartepi.SmartEPI(world, requests=10**6, per_seconds=1),
        native={
            "machines": by("id"),
            "products": by("id"),
            "sales": lambda row: f"{row['id'][0]}:{row['id']}@",
        },
        headers=frozenset({"authorization"}),
        needs=frozenset({"id", "createdAt", "deviceId", "quantity", "returnedQuantity"}),
    ),
    Case(
        name="eatmachine",
        emulate=eatmachine.EatMachine,
        native={"machines": by("uuid")},
        headers=frozenset({"authorization"}),
        login="/auth/login",
        login_members=frozenset({"username", "password"}),
        credentials=eatmachine.CREDENTIALS,
    ),
)
BY_NAME = {case.name: case for case in CASES}
LOGGING_IN = [case.name for case in CASES if case.login is not None]
# What is read of each vendor, and under which name the truth keeps it.
TRUTHS = {"places": "sites"}
KINDS = [
    (case.name, kind)
    for case in CASES
    for kind in ("machines", "organizations", "places", "products", "slots", "sales", "events")
    if TRUTHS.get(kind, kind) in case.native
]
STREAMS = [(name, kind) for name, kind in KINDS if kind in ("sales", "events")]


START = datetime.now(UTC).replace(microsecond=0)


def a_world(scale: float) -> World:
    """Its clock stands still."""
    return World(scale=scale, days=DAYS, start=START, now=lambda: START)


TINY, SMALL, LONG, WIDE = (a_world(scale) for scale in (0.02, 0.1, 0.3, 2.1))
"""One of each thing; a few; several pages of what happened; several pages of machines."""


@cache
def emulated(name: str, world: World) -> Emulated:
    """Read only, so that all tests share it."""
    return BY_NAME[name].emulate(world)


def whole_span() -> Span:
    return Span(START - timedelta(days=DAYS + 3), START + timedelta(minutes=1))


def unchanged(data: Any) -> Any:
    return data


@dataclass(frozen=True, slots=True)
class Asked:
    method: str
    path: str
    headers: Mapping[str, str]
    query: str
    body: bytes


@dataclass(slots=True)
class Wire:
    """Between a connector and its vendor: keeps what was asked, and may change what is answered.

    `ask` may change a request's scope; `instead` may answer in the vendor's place; `rewrite` changes the JSON of
    every answer that is a success; `spell` writes it down."""

    app: ASGIApp
    asked: list[Asked] = field(default_factory=list)
    ask: Callable[[Scope], None] = lambda _: None
    instead: Callable[[Request], Awaitable[Response | None]] | None = None
    rewrite: Callable[[Any], Any] = unchanged

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        headers = dict(request.headers)
        self.asked.append(Asked(request.method, request.url.path, headers, request.url.query, body))
        answer = None if self.instead is None else await self.instead(request)
        if answer is None:
            answer = await self._answer(scope, body)
        await answer(scope, receive, send)

    async def _answer(self, scope: Scope, body: bytes) -> Response:
        told: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            told.append(message)

        self.ask(scope)
        await self.app(scope, receive, send)
        status: int = told[0]["status"]
        content = b"".join(message.get("body", b"") for message in told[1:])
        if 200 <= status < 300 and content:
            content = orjson.dumps(self.rewrite(orjson.loads(content)))
        headers = {name.decode(): value.decode() for name, value in told[0]["headers"] if name != b"content-length"}
        return Response(content, status, headers)

    def requests(self, path: str) -> int:
        """How many asked for a path that ends so."""
        return sum(asked.path.endswith(path) for asked in self.asked)


@dataclass(slots=True)
class Standing:
    case: Case
    connector: Any
    account: Account
    wire: Wire
    vendor: Emulated

    @property
    def secrets(self) -> list[str]:
        return [secret.reveal() for secret in self.account.credentials.values()]

    async def read(self, kind: str) -> list[Any]:
        """All there is of a kind."""
        reader = self.connector
        if kind in ("sales", "events"):
            found = await getattr(reader, kind)(whole_span(), EVERYTHING, None)
            assert found.since == whole_span().since
            return list(found.items)
        if kind == "slots":
            machines = [machine.ref.native for machine in (await reader.machines()).items]
            by_machine = await reader.slots(machines)
            assert list(by_machine) == machines
            return [slot for slots in by_machine.values() for slot in _told(slots)]
        listing = await getattr(reader, kind)()
        assert listing.complete
        return list(listing.items)

    async def read_all(self) -> dict[str, list[Any]]:
        kinds = [kind for name, kind in KINDS if name == self.case.name]
        return {kind: await self.read(kind) for kind in kinds}

    def truth(self, kind: str) -> list[str]:
        """What the natives of a kind begin with."""
        name = TRUTHS.get(kind, kind)
        return [self.case.native[name](row) for row in self.vendor.truth()[name]]


def _told(slots: Any) -> Iterable[Slot]:
    if isinstance(slots, Exception):
        raise slots
    found: Iterable[Slot] = slots
    return found


def account_of(case: Case, vendor: Emulated, *, login: bool = True, base: str = BASE, **changed: Any) -> Account:
    """The account of the sandbox's own configuration; `login`: with those credentials that need a login."""
    raw = vendor.account(base)
    if login and case.credentials is not None:
        raw |= {"credentials": dict(case.credentials)}
    known = AccountSettings.model_validate(raw).account()
    fields = {name: getattr(known, name) for name in Account.__dataclass_fields__}
    return Account(**(fields | {"limits": UNLIMITED} | changed))


@asynccontextmanager
async def standing(
    name: str, world: World = SMALL, *, login: bool = True, vendor: Emulated | None = None, **changed: Any
) -> AsyncIterator[Standing]:
    """`vendor`: one of the test's own, which it may change; `changed`: members of the account."""
    case = BY_NAME[name]
    vendor = vendor or emulated(name, world)
    account = account_of(case, vendor, login=login, **changed)
    wire = Wire(create_app(vendors=[vendor]))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=wire), trust_env=False) as client:
        connector: Connector = CONNECT[account.vendor](account, client)
        connector.guard.random = lambda: 0.0
        yield Standing(case, connector, account, wire, vendor)
        await connector.aclose()


def secrets(**credentials: str) -> dict[str, Secret]:
    return {name: Secret(value) for name, value in credentials.items()}


Told = Machine | MachineEvent | Organization | Place | Product | Sale | Slot


async def at_once(*asked: Awaitable[Any]) -> list[Any]:
    return list(await asyncio.gather(*asked))
