"""A vendor that says byte for byte what a test wants it to, as it wants it cut, over TCP or TLS."""

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from connectors.pooling import Origin

END = b"\r\n\r\n"


class Then(Enum):
    """What becomes of the connection once all is said."""

    STAYS = "stays"
    CLOSES = "closes"
    RESETS = "resets"


@dataclass(frozen=True, slots=True)
class Turn:
    """The answer to one request, in parts that are sent one after the other."""

    parts: Sequence[bytes]
    then: Then = Then.STAYS


def says(*parts: bytes, then: Then = Then.STAYS) -> Turn:
    return Turn(parts, then)


def good(body: bytes = b"{}", *more: bytes) -> bytes:
    lines = (b"HTTP/1.1 200 OK", b"content-type: application/json", b"content-length: %d" % len(body), *more)
    return b"\r\n".join(lines) + END + body


class Vendor:
    """Each request gets the next of `turns`, the last for ever. `heads`: of all of them, `met`: connections that came,
    `open`: those that are there."""

    def __init__(self, turns: Sequence[Turn | Callable[[bytes], Turn]]) -> None:
        self.turns = list(turns)
        self.heads: list[bytes] = []
        self.met = 0
        self.open: set[asyncio.Transport] = set()
        self.origin = Origin("http", "127.0.0.1", 0)

    def turn(self, head: bytes) -> Turn:
        self.heads.append(head)
        turn = self.turns[min(len(self.heads), len(self.turns)) - 1]
        return turn if isinstance(turn, Turn) else turn(head)


class _Served(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._vendor.met += 1
        self._vendor.open.add(self.transport)

    def connection_lost(self, _: Exception | None) -> None:
        self._vendor.open.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while END in self._unread:
            head, _, self._unread = self._unread.partition(END)
            turn = self._vendor.turn(head)
            self._say(list(turn.parts), turn.then)

    def _say(self, parts: list[bytes], then: Then) -> None:
        if parts and not self.transport.is_closing():
            self.transport.write(parts.pop(0))
        if parts:
            asyncio.get_running_loop().call_soon(self._say, parts, then)
        elif then is Then.CLOSES:
            self.transport.close()
        elif then is Then.RESETS:
            self.transport.abort()


@asynccontextmanager
async def vendor(
    *turns: Turn | Callable[[bytes], Turn], tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Vendor]:
    """`host`: what it is called where it is asked."""
    found = Vendor(turns)
    server = await asyncio.get_running_loop().create_server(lambda: _Served(found), "127.0.0.1", 0, ssl=tls)
    found.origin = Origin("http" if tls is None else "https", host, server.sockets[0].getsockname()[1])
    try:
        yield found
    finally:
        server.close()
        for transport in tuple(found.open):
            transport.abort()
        await until(lambda: not found.open)


async def until(true: Callable[[], bool]) -> None:
    """The test's own limit ends it."""
    while not true():  # noqa: ASYNC110  nobody there tells of it
        await asyncio.sleep(0.002)


def certified(folder: Path, *names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context whose certificate is for these names, and a client's that trusts who signed it."""
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made for a test")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certified.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(secret + signed.public_bytes(Encoding.PEM))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(file)
    return serving, ssl.create_default_context(cafile=file)
