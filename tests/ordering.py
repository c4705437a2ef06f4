"""Orders over a real connection, to an emulated vendor that breaks as the order is sent."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

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
from domain.orders import Order
from sandbox.app import create_app
from sandbox.faults import Fault, Kind
from sandbox.server import start
from sandbox.world import Vendor as Emulated
from tests.running import Sandbox
from tests.vendors import BY_NAME, TINY, account_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """A fault of the sandbox, and what an order comes to under it.

    `sent`: whether it may have been carried out; `done`: whether it was; `tries`: how often it went over the wire."""

    kind: Kind
    error: type[VendorError]
    status: int = 503
    sent: bool = True
    done: bool = False
    tries: int = 1
    deadline: float = 5.0

    def __str__(self) -> str:
        return f"{self.kind}-{self.status}" if self.kind == "status" else self.kind


STRUCK = (
    Struck(kind="status", status=400, error=VendorRejected),
    Struck(kind="status", status=401, error=VendorUnauthorized, tries=2),
    Struck(kind="status", status=403, error=VendorForbidden),
    Struck(kind="status", status=404, error=VendorRejected),
    Struck(kind="status", status=408, error=VendorUnavailable),
    Struck(kind="status", status=409, error=VendorRejected),
    Struck(kind="status", status=422, error=VendorRejected),
    Struck(kind="status", status=429, error=VendorRateLimited, sent=False),
    Struck(kind="status", status=500, error=VendorUnavailable),
    Struck(kind="status", status=502, error=VendorUnavailable),
    Struck(kind="status", status=503, error=VendorUnavailable),
    Struck(kind="redirect", error=VendorProtocolError),
    Struck(kind="junk", error=VendorProtocolError),
    Struck(kind="html", error=VendorProtocolError),
    Struck(kind="empty", error=VendorProtocolError),
    Struck(kind="deep", error=VendorProtocolError),
    Struck(kind="huge", error=VendorProtocolError),
    Struck(kind="truncate", error=VendorProtocolError, done=True),
    Struck(kind="reset", error=VendorUnavailable),
    Struck(kind="hang_before", error=VendorUnavailable, deadline=0.5),
    Struck(kind="hang_after", error=VendorUnavailable, done=True, deadline=0.5),
    Struck(kind="trickle", error=VendorUnavailable, done=True, deadline=0.5),
)


def but(status: int, **changed: Any) -> list[Struck]:
    """What is usual, but for a vendor's own meaning of a status."""
    return [replace(one, **changed) if (one.kind, one.status) == ("status", status) else one for one in STRUCK]


@dataclass(slots=True)
class Ordering:
    sandbox: Sandbox
    connector: Any
    vendor: Any

    async def struck(self, order: Order, struck: Struck, path: str) -> VendorError:
        """What is raised when a prepared order is sent; the fault strikes paths that hold `path`."""
        request = await self.connector.prepare(order)
        self.sandbox.forget_requests()
        fault = Fault(vendor=self.vendor.name, kind=struck.kind, status=struck.status, operation=path)
        self.sandbox.app.state.controls.faults.append(fault)
        self.connector.guard.timeout = struck.deadline
        return await failure(self.connector.send(request))

    def sent(self, path: str) -> int:
        return sum(asked.endswith(path) for asked in self.sandbox.requests())


async def failure(asked: Any) -> VendorError:
    with pytest.raises(VendorError) as caught:
        await asked
    return caught.value


@asynccontextmanager
async def ordering(
    name: str, emulate: Callable[..., Emulated] | None = None, **changed: Any
) -> AsyncIterator[Ordering]:
    """A connector over a vendor of its own, which has ended when this has; `changed`: members of the account."""
    case = BY_NAME[name]
    vendor = (emulate or case.emulate)(TINY)
    app = create_app(vendors=[vendor])
    with start(app) as server:
        known: dict[str, Any] = {"limits": Limits(requests=10**6, per_seconds=1), **changed}
        account = account_of(case, vendor, base=server.base, **known)
        async with new_client() as client:
            connector: Any = CONNECT[account.vendor](account, client)
            yield Ordering(Sandbox(server.base, app), connector, vendor)
            await connector.aclose()
