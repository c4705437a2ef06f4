"""Connectors over vendors without a socket: over the sandbox's, and over ones whose answers a test writes out."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.base import Account, Secret
from domain.model import Vendor
from sandbox.world import Vendor as Emulated

BASE = "http://vendor.test"
FIXTURES = Path(__file__).parent / "fixtures"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def fixture(name: str) -> Any:
    """A record as the vendor's documents show it: "vendnovation/machine"."""
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


def over(app: Any) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), trust_env=False)


def account_of(vendor: Emulated, **changed: Any) -> Account:
    """The account that the sandbox tells of, at `BASE`."""
    told = vendor.account(BASE)
    known: dict[str, Any] = {
        "key": told["key"],
        "organization": told["organization"],
        "vendor": Vendor(told["vendor"]),
        "name": told["name"],
        "base_url": told["base_url"],
        "currency": told.get("currency"),
        "timezone": told.get("timezone"),
        "credentials": {name: Secret(value) for name, value in told["credentials"].items()},
    }
    return Account(**(known | changed))


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: its path below the base, its headers and query, and its body where it is JSON."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: Any


Answer = Any | Callable[[Asked], Any]


class Answering:
    """Answers by path: JSON of a value, a response as it is, or what a function makes of the request.

    `asked` keeps the requests in their order."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.answers = dict(answers)
        self.asked: list[Asked] = []
        self.client = over(Starlette(routes=[Route("/{path:path}", self._answer, methods=METHODS)]))

    def of(self, path: str) -> list[Asked]:
        return [one for one in self.asked if one.path == path]

    async def _answer(self, request: Request) -> Response:
        content = await request.body()
        asked = Asked(
            request.method,
            request.url.path,
            request.headers,
            request.query_params,
            json.loads(content) if content else None,
        )
        self.asked.append(asked)
        answer = self.answers[asked.path]
        told = answer(asked) if callable(answer) and not isinstance(answer, Response) else answer
        if hasattr(told, "__await__"):
            told = await told
        return told if isinstance(told, Response) else JSONResponse(told)
