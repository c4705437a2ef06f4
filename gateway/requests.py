"""What a caller sends, read: by POST as JSON, by GET from the address. Everything wrong with it is a BadInput."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, HTTPConnection, Request

from domain.errors import BadInput
from gateway.accept import JSON

LARGEST_BODY = 256 * 1024


class TooLong(BadInput):
    pass


class WrongMedia(BadInput):
    pass


@dataclass(frozen=True, slots=True)
class Operation:
    query: str
    variables: dict[str, Any] | None
    name: str | None


def address_of(connection: HTTPConnection) -> str | None:
    """Where it came from, as the server was told: behind a proxy that is trusted, by that."""
    return None if connection.client is None else connection.client.host


async def read(request: Request) -> Operation:
    """Raises BadInput."""
    return _read(_from_body(await _body(request)) if request.method == "POST" else _from_query(request.query_params))


async def _body(request: Request) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        raise WrongMedia("the body must be JSON: Content-Type: application/json")
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_BODY:
                raise TooLong(f"the body may hold {LARGEST_BODY} bytes, and it is longer")
    except ClientDisconnect:
        raise BadInput("the body ended early") from None
    return bytes(body)


def _from_body(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadInput("the body is not JSON") from None


def _from_query(given: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {name: given[name] for name in ("query", "operationName") if name in given}
    for name in ("variables", "extensions"):
        if given.get(name):
            try:
                found[name] = orjson.loads(given[name])
            except orjson.JSONDecodeError:
                raise BadInput(f"`{name}` is not JSON") from None
    return found


def _read(body: Any) -> Operation:
    if not isinstance(body, dict):
        raise BadInput("a JSON object is expected, with `query` and perhaps `variables` and `operationName`")
    query, variables, name = body.get("query"), body.get("variables"), body.get("operationName")
    if not isinstance(query, str) or not query.strip():
        raise BadInput("`query` must be a text that holds an operation")
    if variables is not None and not isinstance(variables, dict):
        raise BadInput("`variables` must be an object")
    if name is not None and not isinstance(name, str):
        raise BadInput("`operationName` must be a text")
    if not isinstance(body.get("extensions"), dict | None):
        raise BadInput("`extensions` must be an object")
    return Operation(query, variables, name or None)
