"""Errors as callers see them: ours with their code, everything else masked and logged under the request's id."""

from collections.abc import Sequence
from typing import Any

import structlog
from graphql import GraphQLError

from domain.errors import ErrorCode, VendgraphError, VendorError

log = structlog.get_logger()

MASKED = "something went wrong here; it is logged under this request id"
LONGEST = 300


def formatted(errors: Sequence[GraphQLError], request_id: str) -> list[dict[str, Any]]:
    return [_formatted(error, request_id) for error in errors]


def refusal(error: VendgraphError) -> dict[str, Any]:
    """A whole answer for a request that is refused before it is executed."""
    return {"errors": [{"message": error.message, "extensions": _extensions(error)}]}


def _formatted(error: GraphQLError, request_id: str) -> dict[str, Any]:
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if isinstance(cause, VendgraphError):
        return _placed(error, cause.message, _extensions(cause))
    if cause is None or isinstance(cause, GraphQLError):
        return _placed(error, error.message[:LONGEST], {"code": ErrorCode.BAD_INPUT.value})
    log.error("unexpected", request_id=request_id, path=error.path, exc_info=cause)
    return _placed(error, **masked(request_id))


def masked(request_id: str) -> dict[str, Any]:
    return {"message": MASKED, "extensions": {"code": ErrorCode.INTERNAL.value, "requestId": request_id}}


def _extensions(error: VendgraphError) -> dict[str, Any]:
    found: dict[str, Any] = {"code": error.code.value}
    if isinstance(error, VendorError):
        found |= {"account": error.account, "vendor": error.vendor.upper()}
        if error.retry_after is not None:
            found["retryAfterSeconds"] = max(1, round(error.retry_after))
    return found


def _placed(error: GraphQLError, message: str, extensions: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"message": message, "extensions": extensions}
    if error.locations:
        found["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    if error.path:
        found["path"] = error.path
    return found
