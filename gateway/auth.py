"""Who is calling: by an API key of the configuration or of the store, of which only the SHA-256 is ever compared, or

by a token of an issuer that the configuration trusts."""

import asyncio
import hmac
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from domain.errors import Unauthenticated
from domain.times import utc_now
from gateway.guessing import Guesses
from gateway.settings import KeySettings
from gateway.tokens import Tokens
from journal import keys
from resolvers.context import Viewer

log = structlog.get_logger()

REFRESHED = 10.0  # seconds: how long a key that was revoked in the store may live on
NOTICED = 0.1  # seconds: wrong keys make the store be read again, and no more often than this
PATIENCE = 1.0  # seconds: how long callers wait for a store that does not answer
BEARER = "Bearer "
PREFIX = 8  # hex digits by which candidates are found; the rest is compared in constant time
NO_KEY = "pass an API key: Authorization: Bearer KEY"
WRONG_KEY = "this API key is not valid"
EXPIRED_KEY = "this API key has expired"


def authorization(headers: Mapping[str, str]) -> str | None:
    """Keys are hashed as UTF-8, while headers are decoded byte by byte."""
    found = headers.get("authorization")
    return None if found is None else text_of(found.encode("latin-1"))


def text_of(header: bytes) -> str:
    return header.decode("utf-8", errors="replace")


@dataclass(frozen=True, slots=True)
class Known:
    sha256: str
    viewer: Viewer
    expires: datetime | None


class Authenticator:
    """Raises SQLAlchemyError where the store cannot be read in the beginning. `clock` is monotonic, in seconds;
    `refreshed`: how long a key that was revoked in the store may live on; `now`: the time that keys expire by."""

    def __init__(
        self,
        configured: Iterable[KeySettings],
        organizations: Sequence[str],
        store: Engine,
        *,
        clock: Callable[[], float] = time.monotonic,
        patience: float = PATIENCE,
        refreshed: float = REFRESHED,
        tokens: Tokens | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._organizations = frozenset(organizations)
        self._store = store
        self._clock = clock
        self._refreshed = refreshed
        self._patience = patience
        self._tokens = tokens
        self._now = now
        self._guesses = Guesses(clock)
        self._configured = [self._known(key, key.expires) for key in configured]
        self._flight: asyncio.Task[None] | None = None
        self._asked_at = clock()
        self._answers = True
        self._learn(keys.all_keys(store))

    async def viewer(self, authorization: str | None, address: str | None = None) -> Viewer:
        """The caller behind an Authorization header, from an address. Raises Unauthenticated."""
        scheme, _, key = (authorization or "").strip().partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise Unauthenticated(NO_KEY)
        key = key.strip()
        wanted = keys.digest(key)
        if self._tokens is not None and self._tokens.reads(key) and not self._is_key(wanted):
            return await self._tokens.viewer(key)
        self._guesses.allow(address, wanted)
        return await self._by_key(wanted, address)

    def at_once(self, authorization: str, address: str | None) -> Viewer | None:
        """The caller behind a key that was good from this address before; None for whatever takes longer to tell."""
        if self._flight is not None or self._clock() - self._asked_at >= self._refreshed:
            return None
        if not authorization.startswith(BEARER):
            return None
        wanted = keys.digest(authorization[len(BEARER) :])
        found = self._find(wanted)
        if found is None or not self._guesses.knows(address, wanted):
            return None
        return found.viewer if found.expires is None or found.expires > self._now() else None

    async def _by_key(self, wanted: str, address: str | None) -> Viewer:
        await self._refresh(self._refreshed)
        found = self._find(wanted)
        if found is None:
            await self._refresh(NOTICED)
            found = self._find(wanted)
        if found is None:
            self._guesses.wrong(address)
            raise Unauthenticated(WRONG_KEY)
        if found.expires is not None and found.expires <= self._now():
            raise Unauthenticated(EXPIRED_KEY)
        self._guesses.right(address, wanted)
        return found.viewer

    def _is_key(self, wanted: str) -> bool:
        return self._find(wanted) is not None

    def _find(self, wanted: str) -> Known | None:
        for known in self._by_prefix.get(wanted[:PREFIX], ()):
            if hmac.compare_digest(known.sha256, wanted):
                return known
        return None

    async def _refresh(self, age: float) -> None:
        """Reads the store's keys again where that was longer ago. Whoever comes meanwhile waits for the same answer,

        and nobody for long: while the store does not answer, the keys that are known go on being good."""
        if self._flight is None:
            if self._clock() - self._asked_at < age:
                return
            self._asked_at = self._clock()
            self._flight = asyncio.create_task(self._read())
            self._flight.add_done_callback(self._landed)
        left = self._asked_at + self._patience - self._clock()
        if left > 0:
            await asyncio.wait([self._flight], timeout=left)

    def _landed(self, _: asyncio.Task[None]) -> None:
        self._flight = None

    async def _read(self) -> None:
        try:
            self._learn(await asyncio.to_thread(keys.all_keys, self._store))
        except SQLAlchemyError as error:
            if self._answers:
                log.warning(
                    "the store's API keys cannot be read: those that are known stay", error=type(error).__name__
                )
            self._answers = False
        else:
            self._answers = True

    def _learn(self, stored: Iterable[keys.ApiKey]) -> None:
        good = [key for key in stored if key.revoked_at is None]
        known = [self._known(key, key.expires_at) for key in good]
        self._by_prefix = _indexed([*self._configured, *known])

    def _known(self, key: KeySettings | keys.ApiKey, expires: datetime | None) -> Known:
        named = frozenset(key.organizations)
        seen = self._organizations if "*" in named else named & self._organizations
        viewer = Viewer(name=key.name, role=key.role, organizations=seen, introspection=key.introspection)
        return Known(key.sha256, viewer, expires)

    async def aclose(self) -> None:
        """Waits a moment for what is being read, so that the store can be closed."""
        if self._tokens is not None:
            await self._tokens.aclose()
        if self._flight is not None:
            await asyncio.wait([self._flight], timeout=self._patience)


def _indexed(known: Iterable[Known]) -> dict[str, list[Known]]:
    found: dict[str, list[Known]] = {}
    for one in known:
        found.setdefault(one.sha256[:PREFIX], []).append(one)
    return found
