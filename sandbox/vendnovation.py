"""The emulated VendNovation: it reads by POST, with filters in the body, and promises no order of a list."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import Receive, Scope, Send

from sandbox.vendnovation_changes import Changes
from sandbox.vendnovation_fleet import Fleet, Machine
from sandbox.vendnovation_gate import Gate, Throttle, Tokens, american, read_call
from sandbox.vendnovation_history import ALERTS, History
from sandbox.vendnovation_reads import Handler, Operation, Reads
from sandbox.vendnovation_sales import Sales
from sandbox.vendnovation_tables import Call, Record, Refusal
from sandbox.world import World

CREDENTIALS = {
    "api_key": "vn-4f1d7c2a9b3e48d6a5c0",
    "username": "api@lakeside.example",
    "password": "lake-side-2021",
}


class VendNovation:
    name = "vendnovation"
    event_kinds = tuple(ALERTS)

    def __init__(self, world: World, *, per_second: float = 20, burst: int = 100, per_day: int = 5_000) -> None:
        self._world = world
        self._fleet = Fleet(world)
        self._sales = Sales(world, self._fleet)
        self._history = History(world, self._fleet)
        self._reads = Reads(world, self._fleet, self._sales, self._history)
        self._changes = Changes(self._fleet, self._history)
        self._tokens = Tokens(world.now, world.random(self.name, "tokens"))
        self._throttle = Throttle(world.now, per_second=per_second, burst=burst, per_day=per_day)
        self._live = world.random(self.name, "live")

    def routes(self) -> list[BaseRoute]:
        """One mount with a router of its own: another one might forgive a wrong slash by a redirect."""
        routes = [
            Route("/authenticate/", self._endpoint(self._authenticate, token=False), methods=["POST"]),
            Route("/token-test/", self._endpoint(_key_is_valid, token=False), methods=["POST"]),
        ]
        routes += [
            Route(path, self._endpoint(handler), methods=[verb])
            for verb, path, handler in (*self._reads.operations(), *self._writes())
        ]
        router = Router(routes, redirect_slashes=False, default=_no_route)
        return [Mount("/prod", Gate(router, key=CREDENTIALS["api_key"], throttle=self._throttle))]

    def make_sales(self, count: int, *, machine: str | None = None) -> list[Record]:
        """`machine` is a number or a PROSE; KeyError where there is none that can sell."""
        return [self._sell(self._selling(machine)) for _ in range(count)]

    def make_events(self, count: int, *, machine: str | None = None, kind: str | None = None) -> list[Record]:
        """Alerts; `machine` as for sales."""
        return [self._history.alarm(self._selling(machine), self._world.now(), self._live, kind) for _ in range(count)]

    def live(self) -> None:
        self.make_sales(1)

    def truth(self) -> dict[str, list[Record]]:
        """`machines` and `slots` are those that are not deleted; the deleted machines stand apart."""
        now = self._world.now()
        machines = self._fleet.machines.values()
        return {
            "organizations": self._fleet.organizations.records(),
            "accounts": self._fleet.accounts.records(),
            "sites": self._fleet.sites.records(),
            "machines": [machine.show(now) for machine in machines if not machine.deleted],
            "deleted_machines": [machine.show(now) for machine in machines if machine.deleted],
            "slots": self._fleet.selections.records(),
            "products": self._fleet.products.records(),
            "sales": self._sales.transactions.records(),
            "events": self._history.alerts.records(),
            "adjustments": self._history.adjustments.records(),
            "sessions": self._history.sessions.records(),
        }

    def account(self, base: str) -> dict[str, Any]:
        return {
            "key": "acme-vending",
            "organization": "acme",
            "vendor": self.name,
            "name": "Vending machines",
            "base_url": f"{base}/vendnovation/prod",
            "currency": "USD",
            "timezone": "America/Chicago",
            "credentials": dict(CREDENTIALS),
        }

    def _endpoint(self, handler: Handler, *, token: bool = True) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                if token:
                    self._tokens.check(request.headers.get("access-token"))
                return handler(await read_call(request))
            except Refusal as refusal:
                return refusal.response

        return endpoint

    def _authenticate(self, call: Call) -> Response:
        pairs = ((str(call.login.get(name, "")), CREDENTIALS[name]) for name in ("username", "password"))
        if not all(hmac.compare_digest(sent.encode(), known.encode()) for sent, known in pairs):
            raise Refusal(403, "INVALID_LOGIN", "The user name or the password is wrong.")
        token, issued, expires = self._tokens.issue()
        return JSONResponse(
            {
                "accessToken": token,
                "userName": CREDENTIALS["username"],
                "issued": american(issued),
                "expires": american(expires),
            }
        )

    def _writes(self) -> list[Operation]:
        changes, now = self._changes, self._world.now
        return [
            ("PATCH", "/machines", self._change_machines),
            ("POST", "/machines/provision", lambda call: changes.provision(call, now())),
            ("PUT", "/sites", lambda call: JSONResponse(changes.add_sites(call))),
            ("PATCH", "/selections", lambda call: JSONResponse(changes.selections(call, now()))),
            ("POST", "/selections/apply-delta", lambda call: JSONResponse(changes.deltas(call, now()))),
            ("PATCH", "/alerts", lambda call: JSONResponse(changes.alerts(call, now()))),
            ("POST", "/alerts/clear", lambda call: changes.clear_alerts(call, now())),
            ("PUT", "/sessions/management/", lambda call: JSONResponse(changes.add_sessions(call, now()))),
        ]

    def _change_machines(self, call: Call) -> Response:
        changed = self._changes.machines(call)
        return JSONResponse([machine.show(self._world.now()) for machine in changed])

    def _selling(self, name: str | None) -> Machine:
        machines = [
            machine
            for machine in self._fleet.machines.values()
            if machine.sellable and (name in machine.keys["machineIdentifiers"] if name else not machine.deleted)
        ]
        if not machines:
            raise KeyError(name)
        awake = [machine for machine in machines if machine.silent_since is None]
        return self._live.choice(awake or machines)

    def _sell(self, machine: Machine) -> Record:
        """A transaction now, and a take of the journal for each line that left a slot that is counted."""
        recorded = self._world.now()
        record = self._sales.sell(machine, recorded, self._live)
        slots = {slot["selectionNumber"]: slot for slot in machine.sellable}
        for line in record["lineItems"] if machine.counts_stock else ():
            slot = slots[line["selection"]]
            taken = min(line["quantity"], slot["count"]) if line["vendWasSuccessful"] else 0
            for _ in range(taken):
                self._history.adjust(machine, slot, -1, recorded, kind="take")
        return record


def _key_is_valid(_: Call) -> Response:
    return JSONResponse("Access token was valid")


async def _no_route(scope: Scope, receive: Receive, send: Send) -> None:
    await JSONResponse({"message": "Not Found"}, status_code=404)(scope, receive, send)
