"""The five vendors on one address, over one made-up fleet, with a few switches for whoever develops against them."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, Router

from sandbox.eatmachine import EatMachine
from sandbox.faults import Breaking, Controls, read_fault
from sandbox.livello import Livello
from sandbox.lively import Lively
from sandbox.sending import Sending
from sandbox.smartepi import SmartEPI
from sandbox.smartvend import SmartVend
from sandbox.vendnovation import VendNovation
from sandbox.world import Vendor, World


def all_vendors(world: World) -> list[Vendor]:
    return [SmartVend(world), Livello(world), VendNovation(world), SmartEPI(world), EatMachine(world)]


def create_app(
    world: World | None = None,
    vendors: Iterable[Vendor] | None = None,
    *,
    webhooks_to: str | None = None,
    lively: float | None = None,
) -> Starlette:
    """`vendors`: to run some of them, or ones made with other limits. `webhooks_to`: the gateway's public address,
    ValueError where it is none.

    `lively`: things happen by themselves, so many seconds from one to the next."""
    world = world or World()
    found = {vendor.name: vendor for vendor in vendors or all_vendors(world)}
    controls = Controls()
    living = None if lively is None else Lively(world, list(found.values()), lively)
    sending = Sending(found, webhooks_to, living)
    mounts = [
        Mount(f"/{name}", app=Breaking(Router(vendor.routes(), redirect_slashes=False), name, controls))
        for name, vendor in found.items()
    ]
    app = Starlette(routes=[*Switches(found, controls).routes(), *sending.routes(), *mounts], lifespan=sending.run)
    app.state.vendors = found
    app.state.controls = controls
    return app


class Switches:
    """`/_sandbox/…`: faults, latency, sales, the log of requests, and the truth."""

    def __init__(self, vendors: Mapping[str, Vendor], controls: Controls) -> None:
        self._vendors = vendors
        self._controls = controls

    def routes(self) -> list[Route]:
        return [
            Route("/_sandbox/faults", self.add_fault, methods=["POST"]),
            Route("/_sandbox/faults", self.clear_faults, methods=["DELETE"]),
            Route("/_sandbox/latency", self.set_latency, methods=["POST"]),
            Route("/_sandbox/sales", self.make_sales, methods=["POST"]),
            Route("/_sandbox/requests", self.requests, methods=["GET"]),
            Route("/_sandbox/requests", self.clear_requests, methods=["DELETE"]),
            Route("/_sandbox/truth", self.truth, methods=["GET"]),
        ]

    async def add_fault(self, request: Request) -> Response:
        try:
            fault = read_fault(await request.json(), list(self._vendors))
        except ValueError as error:
            return JSONResponse({"message": str(error)}, 400)
        self._controls.faults.append(fault)
        return JSONResponse(asdict(fault), 201)

    async def clear_faults(self, request: Request) -> Response:
        vendor = request.query_params.get("vendor")
        self._controls.faults[:] = [one for one in self._controls.faults if vendor not in (None, one.vendor)]
        return Response(status_code=204)

    async def set_latency(self, request: Request) -> Response:
        given = await request.json()
        for vendor in self._named(given.get("vendor")):
            self._controls.latency[vendor] = given["milliseconds"] / 1000
        return Response(status_code=204)

    async def make_sales(self, request: Request) -> Response:
        given = await request.json()
        made: list[dict[str, Any]] = []
        for vendor in self._named(given.get("vendor")):
            try:
                made += self._vendors[vendor].make_sales(given.get("count", 1), machine=given.get("machine"))
            except KeyError:
                return JSONResponse({"message": f"{vendor} has no such machine"}, 404)
        return JSONResponse({"sales": made}, 201)

    async def requests(self, request: Request) -> Response:
        vendor = request.query_params.get("vendor")
        return JSONResponse([asdict(one) for one in self._controls.requests if vendor in (None, one.vendor)])

    async def clear_requests(self, _: Request) -> Response:
        self._controls.requests.clear()
        return Response(status_code=204)

    async def truth(self, request: Request) -> Response:
        named = self._named(request.query_params.get("vendor"))
        return JSONResponse({vendor: self._vendors[vendor].truth() for vendor in named})

    def _named(self, vendor: str | None) -> list[str]:
        return [name for name in self._vendors if vendor in (None, name)]


def gateway_config(base: str, vendors: Iterable[Vendor], *, public_url: str | None = None) -> str:
    """A gateway's configuration, in TOML, for all vendors of a sandbox at `base`. It has no keys in it."""
    server = '[server]\nenvironment = "development"\n'
    if public_url is not None:
        server += f"public_url = {_toml(public_url)}\n"
    lines = [server, '[[organizations]]\nkey = "acme"\nname = "Acme Vending"\n']
    lines += [_account(vendor.account(base)) for vendor in vendors]
    return "\n".join(lines)


def _account(account: Mapping[str, Any]) -> str:
    plain = {key: value for key, value in account.items() if not isinstance(value, dict | list)}
    lines = ["[[accounts]]", *(f"{key} = {_toml(value)}" for key, value in plain.items())]
    for key, value in account.items():
        if isinstance(value, dict):
            lines += [f"[accounts.{key}]", *(f"{_key(name)} = {_toml(one)}" for name, one in value.items())]
    for key, value in account.items():
        if isinstance(value, list):
            for row in value:
                lines += [f"[[accounts.{key}]]", *(f"{name} = {_toml(one)}" for name, one in row.items())]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if name.isidentifier() else _toml(name)


def _toml(value: object) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value).lower() if isinstance(value, bool) else str(value)
