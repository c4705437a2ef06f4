"""The emulated SmartEPI: protective equipment, handed to employees by devices that no list names."""

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import Receive, Scope, Send

from sandbox.outbox import Letter, Outbox
from sandbox.smartepi_changes import Changes
from sandbox.smartepi_gate import Gate, Problem, request_id
from sandbox.smartepi_history import STATUS_MEMBERS, History
from sandbox.smartepi_lists import page, read_question
from sandbox.smartepi_records import (
    EMPLOYEES,
    ENTITIES,
    PRODUCTS,
    TRANSACTIONS,
    WITHDRAWALS,
    Item,
    Kind,
    Record,
    Store,
)
from sandbox.smartepi_seed import Seeding
from sandbox.world import World

API_KEY = "sk_live_7Qd2mYt0vB9xKr4L"
WEBHOOK = {"secret": "whsec_5pJx8nD1uWz3Hc6T"}
TRAINING, TEST = "training_record", "webhook.test"
RECORDED = {member.removesuffix("Status"): path for path, member in STATUS_MEMBERS.items()}
BY_ITSELF = {"withdrawal": 70, "return": 15, "exchange": 10, TRAINING: 5}  # how much of what happens by itself
VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

Handler = Callable[[Request], Awaitable[Response]]


class SmartEPI:
    name = "smartepi"
    key = "acme-safety"
    event_kinds = (*RECORDED, TRAINING, TEST)

    def __init__(self, world: World, *, requests: int = 600, per_seconds: float = 60) -> None:
        self._world = world
        self._requests, self._per_seconds = requests, per_seconds
        self._store = Store()
        seeding = Seeding(world, self._store)
        seeding.run()
        self._history = History(world, self._store, seeding.gone)
        self._store.number_from(world.next_number)
        self._changes = Changes(self._store)
        self._live = world.random(self.name, "live")
        self._trainings: list[Record] = []
        self.outbox = Outbox(self.key, world.random(self.name, "outbox"), sign=self._sign)

    def routes(self) -> list[BaseRoute]:
        routes: list[BaseRoute] = [self._route(f"/{kind.path}", self._collection(kind)) for kind in ENTITIES]
        routes += [self._route(f"/{kind.path}/{{id}}", self._single(kind)) for kind in ENTITIES]
        routes += [self._route(f"/{kind.path}", {"GET": self._lister(kind)}) for kind in TRANSACTIONS]
        routes += [self._route(f"/{kind.path}/{{id}}", {}) for kind in TRANSACTIONS]
        gate = Gate(
            Router(routes, redirect_slashes=False, default=_no_route),
            key=API_KEY,
            now=self._world.now,
            requests=self._requests,
            per_seconds=self._per_seconds,
        )
        return [Mount("/v1", gate)]

    def make_sales(self, count: int, *, machine: str | None = None) -> list[Record]:
        """Withdrawals; `machine` is the id of a device, KeyError where there is none such."""
        return [self._transact(WITHDRAWALS, machine) for _ in range(count)]

    def make_events(self, count: int, *, machine: str | None = None, kind: str | None = None) -> list[Record]:
        """Transactions, trainings, or tests of the webhook: some of all but tests where `kind` is None.

        `machine` as for sales."""
        self._history.device(machine, self._live)
        return [self._happen(kind or self._some_kind(), machine) for _ in range(count)]

    def begin(self) -> None:
        """Nothing: it tells of what happens from now on."""

    def live(self) -> None:
        self._happen(self._some_kind(), None)

    def webhook(self, record: Mapping[str, Any]) -> tuple[bytes, dict[str, str]]:
        """The delivery that tells of a transaction: its body and its headers, signed now."""
        body = _envelope(_kind_of(record), record)
        return body, {"Content-Type": "application/json", **self._sign(body)}

    def _some_kind(self) -> str:
        return self._live.choices(list(BY_ITSELF), weights=list(BY_ITSELF.values()))[0]

    def _happen(self, kind: str, device: str | None) -> Record:
        if kind in RECORDED:
            return self._transact(next(one for one in TRANSACTIONS if one.path == RECORDED[kind]), device)
        return self._train() if kind == TRAINING else self._test()

    def _transact(self, kind: Kind, device: str | None) -> Record:
        """KeyError where there is no such device."""
        chosen = self._history.device(device, self._live)
        record = self._history.record(kind, chosen, self._world.now(), self._live)
        return self._told(_kind_of(record), record)

    def _train(self) -> Record:
        """It is told by webhook alone."""
        employee = self._live.choice(self._store.records(EMPLOYEES))
        record = {
            "id": f"t-{self._world.next_number + len(self._trainings)}",
            "employeeId": employee["id"],
            "employeeName": employee["name"],
            "createdAt": int(self._world.now().timestamp()),
        }
        self._trainings.append(record)
        return self._told(TRAINING, record)

    def _test(self) -> Record:
        """What the console sends on request."""
        now = self._world.now()
        test = {"id": f"evt_test_{now.timestamp():.6f}", "type": TEST, "createdAt": int(now.timestamp()), "data": {}}
        self.outbox.post(Letter(kind=TEST, id=str(test["id"]), body=json.dumps(test).encode()))
        return test

    def _told(self, kind: str, record: Record) -> Record:
        self.outbox.post(Letter(kind=f"{kind}.created", id=record["id"], body=_envelope(kind, record)))
        return record

    def _sign(self, body: bytes) -> dict[str, str]:
        """Signed anew with each try, for the time is signed, too."""
        signed_at = int(self._world.now().timestamp())
        signature = hmac.digest(WEBHOOK["secret"].encode(), f"{signed_at}.".encode() + body, "sha256").hex()
        return {"X-SmartEPI-Signature": f"t={signed_at},v1={signature}"}

    def truth(self) -> dict[str, list[Record]]:
        """`machines` are {id, name} of the devices seen; slots and events it has none. `trainings` no list tells of."""
        sales = [row for kind in TRANSACTIONS for row in self._store.records(kind)]
        others = {kind.path: self._store.records(kind) for kind in ENTITIES if kind is not PRODUCTS}
        return {
            "machines": self._history.seen(),
            "slots": [],
            "products": self._store.records(PRODUCTS),
            "sales": sales,
            "events": [],
            "trainings": list(self._trainings),
            **others,
        }

    def account(self, base: str) -> dict[str, Any]:
        return {
            "key": self.key,
            "organization": "acme",
            "vendor": self.name,
            "name": "Protective equipment",
            "base_url": f"{base}/smartepi/v1",
            "timezone": "America/Sao_Paulo",
            "credentials": {"api_key": API_KEY},
            "webhook": dict(WEBHOOK),
        }

    def _route(self, path: str, handlers: Mapping[str, Handler]) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                return await handlers.get(request.method, _not_allowed)(request)
            except Problem as problem:
                return problem.response

        return Route(path, endpoint, methods=list(VERBS))

    def _lister(self, kind: Kind) -> Handler:
        async def list_all(request: Request) -> Response:
            question = read_question(kind, request.query_params)
            found = page(question, self._store.items(kind.path), request.query_params.get("cursor"))
            return JSONResponse(found, headers=request_id())

        return list_all

    def _collection(self, kind: Kind) -> dict[str, Handler]:
        async def create(request: Request) -> Response:
            now = int(self._world.now().timestamp())
            item = self._changes.create(kind, await _read_json(request), now)
            response = _shown(item, status=201)
            response.headers["Location"] = f"{request.url.path}/{item.record['id']}"
            return response

        return {"GET": self._lister(kind), "POST": create}

    def _single(self, kind: Kind) -> dict[str, Handler]:
        async def get(request: Request) -> Response:
            return _shown(self._changes.find(kind, request.path_params["id"]))

        async def put(request: Request) -> Response:
            sent, if_match = await _read_json(request), request.headers.get("if-match")
            return _shown(self._changes.update(kind, request.path_params["id"], sent, if_match))

        async def delete(request: Request) -> Response:
            if_match, version = request.headers.get("if-match"), request.query_params.get("_version")
            item = self._changes.delete(kind, request.path_params["id"], if_match, version)
            return JSONResponse({"data": item.record}, headers=request_id())

        return {"GET": get, "PUT": put, "DELETE": delete}


def _kind_of(transaction: Mapping[str, Any]) -> str:
    member = next(name for name in STATUS_MEMBERS.values() if name in transaction)
    return member.removesuffix("Status")


def _envelope(kind: str, record: Mapping[str, Any]) -> bytes:
    """The id is made of the record's, so that it is the same however often it is sent."""
    event = {
        "id": f"evt_{kind}_created_{record['id']}",
        "type": f"{kind}.created",
        "createdAt": record["createdAt"],
        "data": record,
    }
    return json.dumps(event).encode()


async def _not_allowed(request: Request) -> Response:
    raise Problem(405, "method_not_allowed", f"{request.method} is not possible here.")


def _shown(item: Item, *, status: int = 200) -> Response:
    return JSONResponse({"data": item.record}, status_code=status, headers={"ETag": item.etag} | request_id())


async def _read_json(request: Request) -> Mapping[str, Any]:
    try:
        sent = await request.json()
    except ValueError:
        sent = None
    if not isinstance(sent, dict):
        raise Problem(400, "bad_request", "The body must be a JSON object.")
    return sent


async def _no_route(scope: Scope, receive: Receive, send: Send) -> None:
    await JSONResponse({"message": "Not Found"}, status_code=404)(scope, receive, send)
