"""What a request comes to, before it is written: the same on every road."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from domain.errors import ErrorCode, QueryTooComplex, RateLimited, Unauthenticated, UnknownDocument, VendgraphError
from gateway import errors
from gateway.accept import JSON
from gateway.capacity import Crowded
from gateway.executing import Answer, NotByGet
from gateway.guessing import TooManyGuesses
from gateway.persisted import NotTrusted
from gateway.requests import TooLong, WrongMedia

log = structlog.get_logger()

STATUSES: Mapping[type[VendgraphError], int] = {
    Unauthenticated: 401,
    NotTrusted: 403,
    NotByGet: 405,
    TooLong: 413,
    WrongMedia: 415,
    RateLimited: 429,
    Crowded: 429,
    TooManyGuesses: 429,
}
OF_DOCUMENTS = (QueryTooComplex, UnknownDocument)
HEADERS: Mapping[type[VendgraphError], Mapping[str, str]] = {
    Unauthenticated: {"www-authenticate": "Bearer"},
    NotByGet: {"allow": "POST"},
}


@dataclass(slots=True)
class Reply:
    """`kept`: whether a client may keep it, and ask whether it still is so; `lasts`: whether it is kept here."""

    content: Mapping[str, Any]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    kept: bool = False
    lasts: bool = False

    @property
    def code(self) -> str | None:
        """Why it was refused as a whole; None where it was not."""
        if "data" in self.content:
            return None
        found: str = self.content["errors"][0]["extensions"]["code"]
        return found


@dataclass(frozen=True, slots=True)
class Caller:
    """What the head of a request on the short road tells. `address`: where it comes from; `tags`: of the answers that
    its client has."""

    authorization: bytes
    address: str | None
    media: str
    tags: str
    secure: bool
    by_get: bool


def answered(answer: Answer, media: str, *, tagged: bool) -> Reply:
    """`tagged`: whether it was asked for in such a way that a client may keep it, where nothing is wrong with it."""
    return Reply(answer, _status(answer, media), kept=tagged and "errors" not in answer)


def refused(error: VendgraphError, media: str) -> Reply:
    content = errors.refusal(error)
    if isinstance(error, OF_DOCUMENTS):
        return Reply(content, _status(content, media))
    headers = dict(HEADERS.get(type(error), {}))
    seconds = content["errors"][0]["extensions"].get("retryAfterSeconds")
    if seconds is not None:
        headers["retry-after"] = str(seconds)
    return Reply(content, STATUSES.get(type(error), 400), headers)


def unexpected(error: Exception, request_id: str) -> Reply:
    """It is logged, and told to nobody."""
    log.error("unexpected", request_id=request_id, exc_info=error)
    return Reply({"errors": [errors.masked(request_id)]}, 500)


def _status(answer: Mapping[str, Any], media: str) -> int:
    """A client of plain JSON takes any other status than 200 for a failure of something that knows no GraphQL."""
    if "data" in answer:
        return 200
    if any(error["extensions"]["code"] == ErrorCode.INTERNAL.value for error in answer["errors"]):
        return 500
    return 200 if media == JSON else 400
