"""Errors as callers see them: ours with their code, everything else masked and logged under the request's id."""

import re
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import structlog
from graphql import GraphQLError

from domain.errors import BadInput, ErrorCode, NotFound, RateLimited, VendgraphError, VendorError
from gateway.guessing import TooManyGuesses

log = structlog.get_logger()

MASKED = "something went wrong here; it is logged under this request id"
LONGEST = 300
SUGGESTION = re.compile(r" Did you mean [^?]*\?")


def formatted(errors: Sequence[GraphQLError], request_id: str, *, suggestions: bool) -> list[dict[str, Any]]:
    """`suggestions`: whether a name that is not quite right may be answered with the names that there are."""
    unexpected: dict[type[BaseException], list[tuple[GraphQLError, BaseException]]] = {}
    found = []
    for error in errors:
        cause = _cause(error)
        if isinstance(cause, VendgraphError):
            found.append(_placed(error, cause.message, _extensions(cause)))
        elif _is_callers(error, cause):
            message = error.message if suggestions else SUGGESTION.sub("", error.message)
            found.append(_placed(error, message[:LONGEST], {"code": ErrorCode.BAD_INPUT.value}))
        else:
            unexpected.setdefault(type(cause), []).append((error, cause))
            found.append(_placed(error, **masked(request_id)))
    for same in unexpected.values():
        error, cause = same[0]
        log.error("unexpected", request_id=request_id, path=error.path, times=len(same), exc_info=cause)
    return found


def _cause(error: GraphQLError) -> BaseException:
    """What was raised in the first place."""
    cause: BaseException = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _is_callers(error: GraphQLError, cause: BaseException) -> bool:
    """Before execution everything that can be pointed at in the document is the caller's; after that only what

    GraphQL itself says of an argument. A value of ours that does not fit its type is pointed at by nobody."""
    if error.path is None:
        return isinstance(cause, GraphQLError) or bool(error.nodes)
    return isinstance(cause, GraphQLError) and bool(cause.nodes)


def refusal(error: VendgraphError) -> dict[str, Any]:
    """A whole answer for a request that is refused before it is executed."""
    return {"errors": [{"message": error.message, "extensions": _extensions(error)}]}


def of_status(status: int, detail: str) -> dict[str, Any]:
    """A whole answer for a request that no route takes."""
    return refusal(NotFound(detail) if status == 404 else BadInput(detail))


def masked(request_id: str) -> dict[str, Any]:
    return {"message": MASKED, "extensions": {"code": ErrorCode.INTERNAL.value, "requestId": request_id}}


def _extensions(error: VendgraphError) -> dict[str, Any]:
    found: dict[str, Any] = {"code": error.code.value}
    if isinstance(error, VendorError):
        found |= {"account": error.account, "vendor": error.vendor.upper()}
        if error.retry_after is not None:
            found["retryAfterSeconds"] = max(1, round(error.retry_after))
    if isinstance(error, RateLimited | TooManyGuesses) and error.retry_after is not None:
        found["retryAfterSeconds"] = max(1, ceil(error.retry_after))
    return found


def _placed(error: GraphQLError, message: str, extensions: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"message": message, "extensions": extensions}
    if error.locations:
        found["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    if error.path:
        found["path"] = error.path
    return found
