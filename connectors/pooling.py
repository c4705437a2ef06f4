"""How requests go over the wire: reads over aiohttp's connections, orders over httpx2's own.

A read costs a tenth over aiohttp's. An order must not be sent twice: httpx2 looks whether a kept connection still
stands before it sends on it, while aiohttp knows it from a moment before, and a read that meets a connection just
closed is asked again."""

import socket
from collections.abc import AsyncIterator
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy

import aiohttp
import httpx2
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from connectors.reaching import GuardedTransport, Reach, Unreachable, may_reach, reachable

READS = {"reads": True}  # the extension of a request that asks and changes nothing
CONNECT_SECONDS = 1.0
IDLE_SECONDS = 4.0  # many servers hang up after five: a request should not cross with that
CHUNK = 64 * 1024
TARGETS = 1_024  # URLs that are remembered: most are asked for again and again


def new_client(reach: Reach = Reach.ANYWHERE) -> httpx2.AsyncClient:
    """The one client: pooled, kept alive, following nothing and trusting nothing from the environment.

    It keeps no cookies: accounts share it, and one's session must not travel with another's request. Nor has it a
    limit of its own: each account has its places, and a vendor that hangs must not keep others from connecting."""
    limits = httpx2.Limits(keepalive_expiry=IDLE_SECONDS)
    return httpx2.AsyncClient(
        transport=PooledTransport(reach, limits),
        timeout=httpx2.Timeout(60.0, connect=CONNECT_SECONDS),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
        trust_env=False,
    )


class PooledTransport(httpx2.AsyncBaseTransport):
    """Raises what httpx2's own transport raises, so that nobody above has to know which of the two it was."""

    def __init__(self, reach: Reach, limits: httpx2.Limits) -> None:
        self._reach = reach
        self._idle_seconds = limits.keepalive_expiry
        self._orders = GuardedTransport(reach, limits)
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if not request.extensions.get("reads"):
            return await self._orders.handle_async_request(request)
        if not may_reach(request.url.host, self._reach):
            raise httpx2.ConnectError("there is no address that may be connected to")
        limits = request.extensions["timeout"]
        try:
            answer = await self._opened().request(
                request.method,
                _target(str(request.url)),
                headers=request.headers.multi_items(),
                data=request.content or None,
                allow_redirects=False,
                timeout=_patience(limits["connect"], limits["read"]),
            )
        except FAILURES as error:
            raise _as_httpx2(error) from error
        return httpx2.Response(answer.status, headers=answer.raw_headers, stream=_Body(answer))

    def _opened(self) -> aiohttp.ClientSession:
        """Made where it is used: it belongs to an event loop."""
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=0,  # each account has its places
                resolver=_Resolver(self._reach),
                use_dns_cache=False,
                ssl=httpx2.create_ssl_context(trust_env=False),
                keepalive_timeout=self._idle_seconds,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,  # httpx2 does it, and counts
                skip_auto_headers=("User-Agent", "Content-Type"),
            )
            # It would send a read again that met a closed connection; whether to is ours to say, and to count.
            self._session._retry_connection = False  # noqa: SLF001
        return self._session

    async def aclose(self) -> None:
        await self._orders.aclose()
        if self._session is not None:
            await self._session.close()


class _Body(httpx2.AsyncByteStream):
    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._answer.content.iter_chunked(CHUNK):
                yield chunk
        except FAILURES as error:
            raise _as_httpx2(error) from error

    async def aclose(self) -> None:
        """One that was not read to its end takes its connection with it."""
        if self._answer.content.at_eof():
            self._answer.release()
        else:
            self._answer.close()


class _Resolver(AbstractResolver):
    """Looks at what a name leads to before it is connected to; what is written as an address was looked at before."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002  the library's signature
    ) -> list[ResolveResult]:
        try:
            found = await reachable(host, port, self._reach)
        except Unreachable as error:
            raise OSError(str(error)) from None
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
        ]

    async def close(self) -> None:
        """There is nothing to close."""


FAILURES = (aiohttp.ClientError, ValueError)


def _as_httpx2(error: Exception) -> httpx2.TransportError:
    match error:
        case aiohttp.ConnectionTimeoutError():
            return httpx2.ConnectTimeout("timed out")
        case aiohttp.ServerTimeoutError():
            return httpx2.ReadTimeout("timed out")
        case aiohttp.ClientConnectorError():
            return httpx2.ConnectError("could not connect")
        case aiohttp.ClientPayloadError() | aiohttp.ClientResponseError() | aiohttp.ServerDisconnectedError():
            return httpx2.RemoteProtocolError("broken")
        case aiohttp.ClientOSError():
            return httpx2.ReadError("reset")
        case _:
            return httpx2.LocalProtocolError("cannot be sent")


@lru_cache(maxsize=TARGETS)
def _target(url: str) -> URL:
    return URL(url, encoded=True)


@lru_cache(maxsize=TARGETS)
def _patience(connect: float | None, read: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(sock_connect=connect, sock_read=read)
