"""The two roads of a request: what only reads goes over our own wire, where the client has one, all else by httpx2."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import httpx2

from connectors.body import BodyError, read, too_long
from connectors.failures import Headers
from connectors.heads import Aim, lines, written
from connectors.pooling import Client, Wire
from connectors.upstream import UpstreamRequest
from connectors.wire import Reply

PIECE = 64 * 1024  # bytes that are decompressed at once


@dataclass(slots=True)
class Request:
    """`ours`: as httpx2 has it, None of one that goes over our own wire. `token`: the header that carries one."""

    aim: Aim
    headers: Mapping[str, str]
    content: bytes | None
    ours: httpx2.Request | None
    token: tuple[str, str] | None = None


class Came(NamedTuple):
    """An answer; `body` as BodyError where it is none that can be read."""

    status: int
    headers: Headers
    body: bytes | BodyError


class Roads:
    """`headers`: of every request."""

    def __init__(self, client: httpx2.AsyncClient, headers: httpx2.Headers) -> None:
        self._client = client
        self._wire: Wire | None = client.wire if isinstance(client, Client) else None
        self._headers = headers
        self._usual = dict(headers.items())
        self._last: tuple[tuple[object, ...], bytes] = ((), b"")  # the last read's headers, after what they are made of

    def request(self, aim: Aim, headers: Mapping[str, str], content: bytes | None, *, reads: bool) -> Request:
        if reads and self._wire is not None:
            return Request(aim, headers, content, None)
        sent = self._headers.copy()
        if content is not None:
            sent["content-type"] = "application/json"
        sent.update(headers)
        return Request(aim, headers, content, httpx2.Request(aim.method, aim.url, headers=sent, content=content))

    async def go(self, request: Request, told: UpstreamRequest) -> Came:
        """Raises httpx2.HTTPError. `told` has the status as soon as one came, and keeps it where no answer follows."""
        if request.ours is not None:
            return await self._sent(request.ours, request.token, told)
        assert self._wire is not None
        reply = Reply()
        try:
            await self._wire.ask(request.aim.origin, written(request.aim, self._lines(request), request.content), reply)
        finally:
            told.status = reply.status
        assert reply.status is not None
        return Came(reply.status, reply.headers, await _body(reply))

    async def _sent(self, request: httpx2.Request, token: tuple[str, str] | None, told: UpstreamRequest) -> Came:
        if token is not None:
            request.headers[token[0]] = token[1]
        response = await self._client.send(request, stream=True, auth=None)
        try:
            told.status = response.status_code
            return Came(response.status_code, response.headers, await _read(response))
        finally:
            await response.aclose()

    def _lines(self, request: Request) -> bytes:
        """Most reads of an account have the same headers, one after the other."""
        made_of = (request.token, request.content is None, *request.headers.items())
        if self._last[0] != made_of:
            self._last = (made_of, lines(self._all(request)))
        return self._last[1]

    def _all(self, request: Request) -> Mapping[str, str]:
        said = {} if request.content is None else {"content-type": "application/json"}
        token = () if request.token is None else (request.token,)
        added = {name.lower(): value for name, value in (*request.headers.items(), *token)}
        return self._usual | said | added


async def _body(reply: Reply) -> bytes | BodyError:
    if reply.cut:
        return too_long()
    if reply.headers.get("content-encoding") is None:
        return reply.body
    assert reply.status is not None
    return await _read(httpx2.Response(reply.status, headers=reply.headers.raw(), stream=_Pieces(reply.body)))


async def _read(response: httpx2.Response) -> bytes | BodyError:
    try:
        return await read(response)
    except BodyError as error:
        return error


class _Pieces(httpx2.AsyncByteStream):
    """A few bytes may become a thousand times as many: they are counted in between."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self._body), PIECE):
            yield self._body[at : at + PIECE]
