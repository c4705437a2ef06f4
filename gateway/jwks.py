"""An issuer's public keys, as it publishes them: RFC 7517. Kept for a while, and for a day where it does not answer."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import httpx2
import orjson
import structlog
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

log = structlog.get_logger()

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey
Known = Mapping[tuple[str, str | None], Sequence[PublicKey]]

FRESH = 600.0  # seconds
STALE = 86_400.0  # seconds for which they are good while the issuer does not answer
AGAIN = 60.0  # seconds between two questions that a token can cause
SOON = 5.0  # the same while there are no keys at all
PATIENCE = 5.0
LARGEST = 256 * 1024  # bytes
MOST = 100  # keys
SMALLEST_RSA = 2048  # bits


class Unreadable(Exception):
    """Why an issuer's answer is no set of keys."""


class KeySet:
    """`clock` is monotonic, in seconds. The client follows no redirects."""

    def __init__(self, url: str, client: httpx2.AsyncClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._client = client
        self._clock = clock
        self._known: Known = {}
        self._known_at: float | None = None
        self._asked_at: float | None = None
        self._flight: asyncio.Task[None] | None = None

    async def find(self, algorithm: str, kid: str | None) -> PublicKey | None:
        """Without a `kid` the only key there is for the algorithm. None where there is none, or no telling which."""
        if self._age() > FRESH:
            await self._refresh()
        found = self._of(algorithm, kid)
        if not found:
            await self._refresh()
            found = self._of(algorithm, kid)
        return found[0] if len(found) == 1 else None

    async def aclose(self) -> None:
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.gather(self._flight, return_exceptions=True)

    def _age(self) -> float:
        return float("inf") if self._known_at is None else self._clock() - self._known_at

    def _of(self, algorithm: str, kid: str | None) -> Sequence[PublicKey]:
        if self._age() > STALE:
            return ()
        if kid is not None:
            return self._known.get((algorithm, kid), ())
        return [key for (of, _), keys in self._known.items() if of == algorithm for key in keys]

    async def _refresh(self) -> None:
        """One question for all who wait, and none where there was one lately."""
        if self._flight is None:
            pause = SOON if self._known_at is None else AGAIN
            if self._asked_at is not None and self._clock() - self._asked_at < pause:
                return
            self._asked_at = self._clock()
            self._flight = asyncio.create_task(self._read())
            self._flight.add_done_callback(self._landed)
        await asyncio.wait([self._flight], timeout=PATIENCE)

    def _landed(self, _: asyncio.Task[None]) -> None:
        self._flight = None

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                self._known = _by_kid(await self._fetched())
        except (httpx2.HTTPError, TimeoutError, Unreadable) as error:
            why = str(error) if isinstance(error, Unreadable) else type(error).__name__
            log.warning("an issuer's keys cannot be read: those that are known stay", error=why)
        else:
            self._known_at = self._clock()

    async def _fetched(self) -> bytes:
        body = bytearray()
        async with self._client.stream("GET", self._url, headers={"accept": "application/json"}) as answer:
            if answer.status_code != 200:
                raise Unreadable(f"status {answer.status_code}")
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > LARGEST:
                    raise Unreadable("it is too long")
        return bytes(body)


def _by_kid(body: bytes) -> Known:
    """Raises Unreadable."""
    try:
        found = orjson.loads(body)["keys"]
    except (orjson.JSONDecodeError, TypeError, KeyError):
        found = None
    if not isinstance(found, list) or len(found) > MOST:
        raise Unreadable("it is no set of keys")
    known: dict[tuple[str, str | None], list[PublicKey]] = {}
    for algorithm, kid, key in _keys(found):
        known.setdefault((algorithm, kid), []).append(key)
    return known


def _keys(found: Iterable[Any]) -> Iterable[tuple[str, str | None, PublicKey]]:
    """Those that verify signatures. Others may stand beside them, and a secret one that does is no news to anybody."""
    for row in found:
        if isinstance(row, dict) and _signs(row) and (read := _key(row)) is not None:
            algorithm = algorithm_of(read)
            kid = row.get("kid")
            if algorithm is not None and row.get("alg") in (None, algorithm) and isinstance(kid, str | None):
                yield algorithm, kid, read


def _signs(row: Mapping[str, Any]) -> bool:
    operations = row.get("key_ops")
    return row.get("use") in (None, "sig") and (not isinstance(operations, list) or "verify" in operations)


def _key(row: Mapping[str, Any]) -> PublicKey | None:
    try:
        key = PyJWK({name: value for name, value in row.items() if name != "alg"}).key
    except (PyJWTError, ValueError, TypeError, KeyError):
        return None
    return key if isinstance(key, RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey) else None


def algorithm_of(key: PublicKey) -> str | None:
    """The one that a key is good for: what a token says of itself has no say in it."""
    if isinstance(key, RSAPublicKey):
        return "RS256" if key.key_size >= SMALLEST_RSA else None
    if isinstance(key, EllipticCurvePublicKey):
        return "ES256" if isinstance(key.curve, SECP256R1) else None
    return "EdDSA"
