"""Which addresses may be connected to: what is written in a configuration must not lead into a network of one's own.

A name is resolved here, once, and what is connected to is one of the addresses that were looked at: a name that means
something else a moment later gains nothing."""

import asyncio
import socket
from collections.abc import Iterable
from enum import Enum
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import httpcore2
import httpx2

Address = IPv4Address | IPv6Address

CARRIED = 96  # bits before the IPv4 address that an address of NAT64 carries
RESOLVING_SECONDS = 5.0
PORTS = {"http": 80, "https": 443}
NAT64 = int(IPv6Address("64:ff9b::")) >> (128 - CARRIED)


class Reach(Enum):
    """`LOCAL`: what is public, and this very machine where that is what is written: no name leads there."""

    ANYWHERE = "ANYWHERE"
    LOCAL = "LOCAL"
    PUBLIC = "PUBLIC"


def literal(host: str) -> Address | None:
    """The address that a host is written as; None for a name that has to be looked up."""
    if host.lower().rstrip(".") == "localhost" or host.lower().rstrip(".").endswith(".localhost"):
        return IPv4Address("127.0.0.1")
    try:
        return ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return _numeric(host)


def _numeric(host: str) -> Address | None:
    """127.1, 0x7f000001 and 2130706433 are addresses to the resolver."""
    if not host[:1].isdigit():
        return None
    try:
        return IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return None


def is_public(address: Address) -> bool:
    """Also of what is carried in an address of another kind."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and int(address) >> (128 - CARRIED) == NAT64:
            inner = IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast


def may_reach(host: str, reach: Reach) -> bool:
    """Whether it may be written in a configuration; a name may, and is looked up when it is connected to."""
    address = literal(host)
    if address is None or reach is Reach.ANYWHERE or is_public(address):
        return True
    return reach is Reach.LOCAL and address.is_loopback


class Unreachable(Exception):
    """Why there is nothing to connect to, in a few words."""


class Private(Unreachable):
    """It is there, and must not be connected to."""

    def __init__(self) -> None:
        super().__init__("it leads into a private network")


class Unresolved(Unreachable):
    def __init__(self) -> None:
        super().__init__("the name cannot be resolved")


async def reachable(host: str, port: int, reach: Reach) -> list[str]:
    """The addresses that may be connected to. A name that leads to a private one besides is not to be trusted at all.

    Raises Private and Unresolved."""
    if literal(host) is not None:
        return _written(host, reach)
    try:
        return _judged(await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM), reach)
    except (OSError, UnicodeError):
        raise Unresolved from None


def reachable_now(host: str, port: int, reach: Reach) -> list[str]:
    """As `reachable`, for a thread."""
    if literal(host) is not None:
        return _written(host, reach)
    try:
        return _judged(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), reach)
    except (OSError, UnicodeError):
        raise Unresolved from None


async def reachable_at(url: str, reach: Reach) -> list[str]:
    """Those of an address, within a moment. Raises Private and Unresolved."""
    told = httpx2.URL(url)
    try:
        async with asyncio.timeout(RESOLVING_SECONDS):
            return await reachable(told.host, told.port or PORTS[told.scheme], reach)
    except TimeoutError:
        raise Unresolved from None


async def leads_inside(url: str, reach: Reach) -> bool:
    """Of an address that others connect to: what cannot be resolved here may mean something to them."""
    try:
        await reachable_at(url, reach)
    except Private:
        return True
    except Unresolved:
        return False
    return False


def _written(host: str, reach: Reach) -> list[str]:
    if not may_reach(host, reach):
        raise Private
    return [host]


def _judged(found: Iterable[tuple[Any, ...]], reach: Reach) -> list[str]:
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    if reach is not Reach.ANYWHERE and not all(is_public(ip_address(one.partition("%")[0])) for one in addresses):
        raise Private
    return addresses


class Guarded(httpcore2.AsyncNetworkBackend):
    """Connects to what may be reached, and to nothing else."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  the library's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Raises ConnectError, as for a host that is not there."""
        failed: Exception = httpcore2.ConnectError("there is no address that may be connected to")
        try:
            async with asyncio.timeout(timeout):
                addresses = await reachable(host, port, self._reach)
        except TimeoutError:
            raise httpcore2.ConnectTimeout("the name was not resolved in time") from None
        except Unreachable as error:
            raise httpcore2.ConnectError(str(error)) from None
        for address in addresses:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failed = error
        raise failed

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class GuardedTransport(httpx2.AsyncHTTPTransport):
    """httpx2 has no word for how connections are made; the pool below it has."""

    def __init__(self, reach: Reach, limits: httpx2.Limits) -> None:
        super().__init__(trust_env=False, limits=limits)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=httpx2.create_ssl_context(trust_env=False),
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=Guarded(reach),
        )
