"""How requests go over the wire: reads over connections of our own, orders over httpx2's.

A read costs a tenth over ours. An order must not be sent twice: httpx2 looks whether a kept connection still stands
before it sends on it, while ours know it from a moment before, and a read that meets a connection just closed is asked
again."""

import asyncio
import ssl
from collections.abc import Callable
from functools import cached_property, partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import NamedTuple

import httpx2

from connectors.reaching import PORTS, RESOLVING_SECONDS, GuardedTransport, Reach, Unreachable, reachable
from connectors.wire import Connection, Reply

CONNECT_SECONDS = 1.0
READ_SECONDS = 60.0  # between two pieces of an answer
IDLE_SECONDS = 4.0  # many servers hang up after five: a request should not cross with that
KEPT = 256  # idle connections of one origin
CLOSING_TURNS = 100  # of the event loop: a connection is closed after a few

trusted = partial(httpx2.create_ssl_context, trust_env=False)


class Origin(NamedTuple):
    """`host` as it goes over the wire: a name in ASCII, or an address without brackets."""

    scheme: str
    host: str
    port: int


class Wire:
    """Connections by origin, the one used last first. It belongs to the event loop in which it is used.

    It has no limit of its own to how many are in use: each account has its places."""

    def __init__(
        self,
        reach: Reach,
        *,
        patience: float = READ_SECONDS,
        idle: float = IDLE_SECONDS,
        trust: Callable[[], ssl.SSLContext] = trusted,
    ) -> None:
        self._reach = reach
        self._patience = patience
        self._idle = idle
        self._trust = trust
        self._open: set[Connection] = set()
        self._kept: dict[Origin, list[Connection]] = {}
        self._sweeping: asyncio.TimerHandle | None = None
        self._closed = False

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return self._trust()

    @property
    def open(self) -> int:
        """Connections, idle ones and those in use."""
        return len(self._open)

    async def ask(self, origin: Origin, request: bytes, reply: Reply, *, bare: bool = False) -> None:
        """Fills `reply`. Raises httpx2.TransportError."""
        connection = self._kept_one(origin) or await self._connected(origin)
        try:
            await connection.ask(request, reply, bare=bare)
        except BaseException:
            connection.abort()
            raise
        if connection.fit:
            self._keep(origin, connection)

    def _kept_one(self, origin: Origin) -> Connection | None:
        kept = self._kept.get(origin)
        while kept:
            connection = kept.pop()
            if connection.fit and asyncio.get_running_loop().time() - connection.idle_since < self._idle:
                return connection
            connection.abort()
        return None

    def _keep(self, origin: Origin, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        kept = self._kept.setdefault(origin, [])
        kept.append(connection)
        if len(kept) > KEPT:
            kept.pop(0).abort()
        if self._sweeping is None:
            self._sweeping = loop.call_later(self._idle, self._sweep)

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        since = loop.time() - self._idle
        for kept in self._kept.values():
            while kept and (kept[0].idle_since <= since or not kept[0].fit):
                kept.pop(0).abort()
        self._kept = {origin: kept for origin, kept in self._kept.items() if kept}
        oldest = min((kept[0].idle_since for kept in self._kept.values()), default=None)
        self._sweeping = None if oldest is None else loop.call_at(oldest + self._idle, self._sweep)

    async def _connected(self, origin: Origin) -> Connection:
        """One address after the other."""
        if origin.scheme not in PORTS:
            raise httpx2.UnsupportedProtocol("it is no address of HTTP")
        failed: httpx2.TransportError = httpx2.ConnectError("there is no address that may be connected to")
        for address in await self._addresses(origin):
            if self._closed:
                raise RuntimeError("it is closed")
            try:
                return await self._connect(address, origin)
            except TimeoutError:
                failed = httpx2.ConnectTimeout("timed out")
            except (OSError, ValueError):
                failed = httpx2.ConnectError("could not connect")
        raise failed

    async def _addresses(self, origin: Origin) -> list[str]:
        try:
            async with asyncio.timeout(RESOLVING_SECONDS):
                return await reachable(origin.host, origin.port, self._reach)
        except TimeoutError:
            raise httpx2.ConnectTimeout("the name was not resolved in time") from None
        except Unreachable as error:
            raise httpx2.ConnectError(str(error)) from None

    async def _connect(self, address: str, origin: Origin) -> Connection:
        """Raises OSError, and ValueError for a name that TLS cannot ask for."""
        connection = Connection(self._patience, self._open)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await asyncio.get_running_loop().create_connection(lambda: connection, address, origin.port)
            if origin.scheme == "https":
                await self._secure(connection, origin.host.rstrip("."))
        except BaseException:
            self._forget(connection)
            raise
        return connection

    async def _secure(self, connection: Connection, name: str) -> None:
        async with asyncio.timeout(CONNECT_SECONDS):
            secured = await asyncio.get_running_loop().start_tls(
                connection.transport, connection, self._context, server_hostname=name
            )
        assert secured is not None
        connection.transport = secured

    def _forget(self, connection: Connection) -> None:
        """One that is given up while it is made: not every event loop tells it that it ended."""
        if connection in self._open:
            self._open.discard(connection)
            connection.abort()

    async def aclose(self) -> None:
        self._closed = True
        self._kept.clear()
        if self._sweeping is not None:
            self._sweeping.cancel()
        for connection in tuple(self._open):
            connection.abort()
        for _ in range(CLOSING_TURNS):
            if not self._open:
                break
            await asyncio.sleep(0)


class Client(httpx2.AsyncClient):
    """Pooled, kept alive, following nothing and trusting nothing from the environment. `wire`: for reads.

    It keeps no cookies: accounts share it, and one's session must not travel with another's request. Nor has it a
    limit of its own: each account has its places, and a vendor that hangs must not keep others from connecting."""

    def __init__(self, wire: Wire, reach: Reach) -> None:
        super().__init__(
            transport=GuardedTransport(reach, httpx2.Limits(keepalive_expiry=IDLE_SECONDS)),
            timeout=httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            trust_env=False,
        )
        self.wire = wire

    async def aclose(self) -> None:
        await self.wire.aclose()
        await super().aclose()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.wire.aclose()
        await super().__aexit__(exc_type, exc_value, traceback)


def new_client(reach: Reach = Reach.ANYWHERE) -> Client:
    """The one client of the process."""
    return Client(Wire(reach), reach)
