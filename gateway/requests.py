"""What a caller sends, read: by POST as JSON, by GET from the address. Everything wrong with it is a BadInput."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import ClientDisconnect, HTTPConnection, Request

from domain.errors import BadInput
from gateway.accept import JSON
from gateway.jsons import loads

LARGEST_BODY = 256 * 1024
NOTHING = "`query` must be a text that holds an operation"


class TooLong(BadInput):
    pass


class WrongMedia(BadInput):
    pass


@dataclass(frozen=True, slots=True)
class Operation:
    """`query` is None where `document_id` or `sha256` says which document is meant. With `query`, `sha256` is the name
    under which it is to be kept."""

    query: str | None
    variables: dict[str, Any] | None
    name: str | None
    document_id: str | None = None
    sha256: str | None = None

    @property
    def names(self) -> bool:
        """Whether it gives its document a name."""
        return self.query is not None and self.sha256 is not None


def address_of(connection: HTTPConnection) -> str | None:
    """Where it came from, as the server was told: behind a proxy that is trusted, by that."""
    return None if connection.client is None else connection.client.host


async def read(request: Request) -> Operation:
    """Raises BadInput."""
    told = loads(await _body(request)) if request.method == "POST" else _from_query(request.query_params)
    operation = operation_of(told)
    if operation.query is not None and not operation.query.strip():
        raise BadInput(NOTHING)
    return operation


async def _body(request: Request) -> bytes:
    if not reads_as_json(request.headers.get("content-type", "")):
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


def reads_as_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == JSON


def _from_query(given: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {name: given[name] for name in ("query", "operationName", "documentId") if name in given}
    for name in ("variables", "extensions"):
        if given.get(name):
            found[name] = loads(given[name].encode(errors="replace"))
    return found


def operation_of(told: Any) -> Operation:
    """From what is called the parameters of a request. Raises BadInput."""
    if not isinstance(told, dict):
        raise BadInput("a JSON object is expected, with `query` and perhaps `variables` and `operationName`")
    query, document_id = _text(told, "query"), _text(told, "documentId") or None
    variables, extensions = _object(told, "variables"), _object(told, "extensions")
    sha256 = _sha256((extensions or {}).get("persistedQuery"))
    if query is not None and document_id is not None:
        raise BadInput("either `query` or `documentId` says what is asked, not both")
    if query is None and document_id is None and sha256 is None:
        raise BadInput(NOTHING)
    return Operation(query, variables, _text(told, "operationName") or None, document_id, sha256)


def _text(told: Mapping[str, Any], name: str) -> str | None:
    found = told.get(name)
    if not isinstance(found, str | None):
        raise BadInput(f"`{name}` must be a text")
    return found


def _object(told: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    found = told.get(name)
    if not isinstance(found, dict | None):
        raise BadInput(f"`{name}` must be an object")
    return found


def _sha256(persisted: Any) -> str | None:
    """Of the extension by which Apollo's clients tell it."""
    if persisted is None:
        return None
    if not isinstance(persisted, dict) or persisted.get("version") != 1:
        raise BadInput("`persistedQuery` must be an object whose `version` is 1")
    found = persisted.get("sha256Hash")
    if not isinstance(found, str) or not found:
        raise BadInput("`sha256Hash` must be a text")
    return found
