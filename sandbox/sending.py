"""What the sandbox sends: webhooks to a gateway, and the switches for them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.lively import Lively
from sandbox.outbox import Outbox
from sandbox.world import Sends, Vendor


class Switch(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    vendor: str | None = None


class Webhooks(Switch):
    """Of one vendor, or of all that send. What is left out stays as it is. See `Outbox`; `speed` is its pace."""

    address: Annotated[str, Field(pattern=r"^https?://[^\s/]+")] | None = None
    account: str = Field(default="", min_length=1)
    speed: float = Field(default=1.0, gt=0)
    lose: int = Field(default=0, ge=0)
    duplicate: int = Field(default=0, ge=0)
    reorder: bool = False
    stopped: bool = False


class Events(Switch):
    """Of one vendor, or of each. `kind` is a word of that vendor's."""

    kind: str | None = None
    machine: str | None = None
    count: int = Field(default=1, ge=1, le=1000)


S = TypeVar("S", bound=Switch)


class Wrong(Exception):
    """A switch cannot be turned so; the message says why."""


class Sending:
    """`/_sandbox/webhooks` and `/_sandbox/events`; and whatever goes on while nobody asks."""

    def __init__(self, vendors: Mapping[str, Vendor], webhooks_to: str | None, lively: Lively | None) -> None:
        self._vendors = vendors
        self._senders = {name: vendor for name, vendor in vendors.items() if isinstance(vendor, Sends)}
        self._first = None if webhooks_to is None else Webhooks(address=webhooks_to)
        self._lively = lively

    def routes(self) -> list[Route]:
        return [
            Route("/_sandbox/webhooks", self.show, methods=["GET"]),
            Route("/_sandbox/webhooks", self.turn, methods=["POST"]),
            Route("/_sandbox/events", self.make_events, methods=["POST"]),
        ]

    @asynccontextmanager
    async def run(self, _: object = None) -> AsyncIterator[None]:
        """As the lifespan of an application: without it nothing happens by itself, and nothing is sent."""
        for sender in self._senders.values():
            sender.outbox.pace.begin()
            sender.outbox.pace.start(sender.outbox.run())
            if self._first is not None:
                _turn(sender, self._first)
        living = None if self._lively is None else asyncio.create_task(self._lively.run())
        yield
        if living is not None:
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)
        for sender in self._senders.values():
            await sender.outbox.pace.end()

    async def show(self, request: Request) -> Response:
        return self._shown(request.query_params.get("vendor"))

    async def turn(self, request: Request) -> Response:
        try:
            given = _read(Webhooks, await request.body(), self._senders)
        except Wrong as wrong:
            return JSONResponse({"message": str(wrong)}, 400)
        for name, sender in self._senders.items():
            if given.vendor in (None, name):
                _turn(sender, given)
        return self._shown(given.vendor)

    async def make_events(self, request: Request) -> Response:
        made: list[dict[str, Any]] = []
        try:
            given = _read(Events, await request.body(), self._vendors)
            for name, vendor in self._vendors.items():
                if given.vendor in (None, name):
                    made += _happen(vendor, given)
        except Wrong as wrong:
            return JSONResponse({"message": str(wrong)}, 400)
        except KeyError:
            return JSONResponse({"message": f"there is no machine {given.machine}"}, 404)
        return JSONResponse({"events": made}, 201)

    def _shown(self, vendor: str | None) -> Response:
        named = {name: sender for name, sender in self._senders.items() if vendor in (None, name)}
        return JSONResponse({name: _state(sender.outbox) for name, sender in named.items()})


def _read(switch: type[S], body: bytes, vendors: Mapping[str, Any]) -> S:
    try:
        found = switch.model_validate_json(body)
    except ValidationError as error:
        told = error.errors()[0]
        where = ".".join(map(str, told["loc"]))
        raise Wrong(f"{where}: {told['msg']}" if where else told["msg"]) from None
    if found.vendor not in (None, *vendors):
        raise Wrong(f"`vendor` must be one of {', '.join(vendors)}")
    return found


def _happen(vendor: Vendor, given: Events) -> list[dict[str, Any]]:
    """KeyError where there is no such machine."""
    if given.kind not in (None, *vendor.event_kinds):
        raise Wrong(f"`kind` must be one of {', '.join(vendor.event_kinds)} for {vendor.name}")
    return vendor.make_events(given.count, machine=given.machine, kind=given.kind)


def _turn(sender: Sends, given: Webhooks) -> None:
    outbox = sender.outbox
    turned = given.model_dump(include=given.model_fields_set - {"vendor", "speed", "stopped"})
    for name, value in turned.items():
        setattr(outbox, name, value)
    if "speed" in given.model_fields_set:
        outbox.pace.speed = given.speed
    if "stopped" in given.model_fields_set:
        outbox.turn(on=not given.stopped)
    if given.address is not None:
        outbox.address = given.address.rstrip("/")
        sender.begin()


def _state(outbox: Outbox) -> dict[str, Any]:
    names = ("address", "account", "lose", "duplicate", "reorder", "stopped", "waiting", "lost")
    told = {name: getattr(outbox, name) for name in names}
    return {**told, "speed": outbox.pace.speed, "sent": [asdict(one) for one in outbox.sent]}
